"""The video codecs that clips are compared with: as many bytes, the same frames."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from hsc.errors import HscError
from hsc.research.evaluation import sequence, video_codecs
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


@pytest.mark.parametrize("other", video_codecs.CODECS, ids=lambda codec: codec.name)
def test_a_codec_takes_as_many_bytes_and_gives_every_frame(other: video_codecs.VideoCodec) -> None:
    originals = frames()
    size, pictures = video_codecs.fitted(other, originals, 64, 900)
    assert 100 < size <= 900
    assert [picture.size for picture in pictures] == [(64, 64)] * 4
    for original, picture in zip(originals, pictures):
        error = np.abs(np.asarray(original, float) - np.asarray(picture, float)).mean()
        assert error < 12


def test_streams_are_made_once(monkeypatch) -> None:
    """A second rate looks among the streams of the first."""
    made = []

    def stream(other: video_codecs.VideoCodec, raw: bytes, px: int, quality: int) -> bytes:
        made.append(quality)
        return bytes(round(20_000 * 2 ** (-quality / 6)))

    monkeypatch.setattr(video_codecs, "stream", stream)
    shrunk = video_codecs.Shrunk(frames(), 32)
    sizes = [len(shrunk.fitted(video_codecs.CODECS[0], budget)) for budget in (900, 900, 300)]
    assert sizes[0] == sizes[1] and 0.8 * 900 < sizes[0] <= 900
    assert 0.8 * 300 < sizes[2] <= 300
    assert len(made) == len(set(made)) < 10
    least = shrunk.fitted(video_codecs.CODECS[0], 10)  # none is as small
    assert len(least) == round(20_000 * 2 ** (-51 / 6))


def test_sizes_that_are_worth_trying() -> None:
    found = {rate: sequence.worth_trying([128, 256, 512], rate) for rate in (0.5, 6, 24, 400)}
    assert found == {0.5: [128], 6: [128, 256], 24: [128, 256, 512], 400: [512]}


def test_the_best_size_is_kept(monkeypatch, tmp_path) -> None:
    """Of the sizes that fit the nearest is reported; a second call makes no stream."""
    made = []

    def fitted(self, codec: video_codecs.VideoCodec, budget: int) -> bytes:
        made.append(self.px)
        return bytes(100 if self.px < 512 else 100_000)

    def compared(evaluator, originals, drawn, size: int) -> dict[str, float]:
        return {"lpips_256": {128: 0.3, 256: 0.1, 512: 0.01, 1024: 0.02}[drawn], "kbit_s": size}

    monkeypatch.setattr(video_codecs.Shrunk, "fitted", fitted)
    monkeypatch.setattr(sequence, "pictures", lambda codec, data, px, crops: px)
    monkeypatch.setattr(sequence, "compared", compared)
    scored = [SimpleNamespace(image=picture) for picture in frames(px=1024)]
    kept = tmp_path / "kept" / "others.json"
    first = sequence.others(None, scored, (24,), "a", kept)
    best = [row["px"] for row in first if "at 1024 px" not in row["what"]]
    assert best == [256] * len(video_codecs.CODECS)
    full = [row for row in first if "at 1024 px" in row["what"]]
    assert [row["what"].split()[0] for row in full] == [codec.name for codec in video_codecs.CODECS]
    assert {row["px"] for row in full} == {1024} and {row["bytes"] for row in full} == {100_000}
    count = len(made)
    assert sequence.others(None, scored, (24,), "a", kept) == first and len(made) == count
    some = sequence.others(None, scored, (24,), "a", kept, sequence.chosen(["VVC"]))
    assert [row["what"] for row in some] == ["VVC, 24 kbit/s", "VVC at 1024 px, 24 kbit/s"]
    assert len(made) == count


def test_the_table_has_a_row_for_everything_measured() -> None:
    rows = [
        {"what": "HSC, level 2", "clip": clip, "kbit_s": rate, "flicker": 1.0, "lpips_256": 0.1}
        for clip, rate in (("a", 10.0), ("b", 20.0))
    ]
    rows.append({"what": "AV1", "clip": "a", "kbit_s": 12.0, "lpips_256": None, "px": 256})
    summary = sequence.summarise(rows)
    assert summary[0]["kbit_s"] == 15 and summary[0]["clips"] == 2
    table = sequence.figures_table({"summary": summary})
    drift = [{"what": "frame 30", "error": 0.12, "error_still": 0.1}]
    with_drift = sequence.figures_table({"summary": summary, "drift": drift})
    assert with_drift.startswith(table) and "frame 30" in with_drift
    assert "HSC, level 2" in table and "15.0" in table and "256" in table


def test_codecs_are_chosen_by_name() -> None:
    assert sequence.chosen(None) == video_codecs.CODECS
    with pytest.raises(HscError, match="x264, x265, AV1, VVC, got x266"):
        sequence.run(ValidateOptions(codecs=["AV1", "x266"]))


def test_clips_are_needed(tmp_path) -> None:
    with pytest.raises(HscError, match="--clips"):
        sequence.run(ValidateOptions())
    with pytest.raises(HscError, match="no clips in"):
        sequence.run(ValidateOptions(clips=tmp_path))
