"""Other codecs: budgets are kept, files are what they claim, and what is missing is said."""

import io

import numpy as np
import pytest
from PIL import Image

from hsc.baselines import CODECS, Encodings, available_codecs, best_downscaled, fit, registry
from hsc.errors import HscError

EXAMPLE = "assets/examples/astronaut.png"


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    return Image.open(EXAMPLE).convert("RGB").resize((1024, 1024), Image.Resampling.LANCZOS)


def decibels(a: Image.Image, b: Image.Image) -> float:
    error = np.square(np.asarray(a, float) - np.asarray(b, float)).mean()
    return 10 * np.log10(255**2 / error)


@pytest.mark.parametrize("name", CODECS)
def test_the_largest_file_within_a_budget(name: str, picture: Image.Image) -> None:
    files = Encodings(picture, CODECS[name])
    found = files.fit(1500, px=128)
    assert found.fits and 1000 < len(found.data) <= 1500
    assert found.picture.size == (1024, 1024) and found.px == 128
    assert decibels(files.shrunk(128), CODECS[name].decode(found.data)) > 20
    larger = CODECS[name].qualities.index(found.quality) + 1
    assert len(files.file(128, larger)) > 1500
    tight = files.fit(40, px=128)
    assert not tight.fits and "cannot go below" in tight.note
    assert len(tight.data) <= len(found.data) and tight.quality == CODECS[name].qualities[0]


def test_the_best_size_is_between_too_small_and_too_large(picture: Image.Image) -> None:
    files = Encodings(picture, CODECS["webp"])
    full, best, small = files.fit(2000), files.best_downscaled(2000), files.fit(2000, px=64)
    assert not full.fits and best.fits and small.fits and 64 < best.px < 1024
    assert files.lpips()(best.picture) < files.lpips()(small.picture)
    # a measure that prefers none keeps the first size tried, the smallest
    assert best_downscaled(picture, CODECS["webp"], 2000, lambda image: 0.0).px == 32


def test_metadata_is_not_paid_for(picture: Image.Image) -> None:
    marked = picture.copy()
    marked.info["comment"], marked.info["icc_profile"] = b"x" * 500, b"y" * 500
    data = fit(marked, CODECS["jpeg"], 9000, px=256).data
    assert data == fit(picture, CODECS["jpeg"], 9000, px=256).data
    assert "icc_profile" not in Image.open(io.BytesIO(data)).info


def test_a_codec_that_is_not_here_says_what_to_install(
    picture: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry.importlib.util, "find_spec", lambda name: None)
    assert CODECS["jpeg"].available and not CODECS["heic"].available
    assert [c.name for c in available_codecs()] == ["jpeg", "webp", "avif"]
    with pytest.raises(HscError, match="pip install pillow-heif"):
        fit(picture, CODECS["heic"], 1000)
    with pytest.raises(HscError, match="pip install imageio-ffmpeg"):
        available_codecs(["vvc"])
    with pytest.raises(HscError, match="expected codecs among"):
        available_codecs(["gif"])


def test_pictures_that_are_not_square_are_refused() -> None:
    with pytest.raises(HscError, match="square"):
        fit(Image.new("RGB", (64, 32)), CODECS["jpeg"], 1000)
