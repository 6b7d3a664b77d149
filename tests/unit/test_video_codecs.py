"""The video codecs that clips are compared with: as many bytes, the same frames."""

import numpy as np
import pytest
from PIL import Image

from hsc.errors import HscError
from hsc.research.evaluation import sequence
from hsc.research.options import ValidateOptions


def frames(count: int = 4, px: int = 64) -> list[Image.Image]:
    """A pattern that moves."""
    places = np.arange(px)
    made = []
    for number in range(count):
        ramp = np.add.outer(places, places) + 40 * np.sin(places / 5 + number)[None]
        pixels = np.clip(ramp[..., None] * (1, 0.9, 0.8), 0, 255)
        made.append(Image.fromarray(pixels.astype(np.uint8)))
    return made


@pytest.mark.parametrize("other", sequence.CODECS, ids=lambda codec: codec.name)
def test_a_codec_takes_as_many_bytes_and_gives_every_frame(other: sequence.VideoCodec) -> None:
    originals = frames()
    size, pictures = sequence.fitted(other, originals, 64, 900)
    assert 100 < size <= 900
    assert [picture.size for picture in pictures] == [(64, 64)] * 4
    for original, picture in zip(originals, pictures):
        error = np.abs(np.asarray(original, float) - np.asarray(picture, float)).mean()
        assert error < 12


def test_the_table_has_a_row_for_everything_measured() -> None:
    rows = [
        {"what": "HSC, level 2", "clip": clip, "kbit_s": rate, "flicker": 1.0, "lpips_256": 0.1}
        for clip, rate in (("a", 10.0), ("b", 20.0))
    ]
    rows.append({"what": "AV1", "clip": "a", "kbit_s": 12.0, "lpips_256": None, "px": 256})
    summary = sequence.summarise(rows)
    assert summary[0]["kbit_s"] == 15 and summary[0]["clips"] == 2
    table = sequence.figures_table({"summary": summary})
    assert "HSC, level 2" in table and "15.0" in table and "256" in table


def test_clips_are_needed(tmp_path) -> None:
    with pytest.raises(HscError, match="--clips"):
        sequence.run(ValidateOptions())
    with pytest.raises(HscError, match="no clips in"):
        sequence.run(ValidateOptions(clips=tmp_path))
