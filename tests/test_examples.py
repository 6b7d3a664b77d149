"""The examples that ship are what the shipped weights make of their photos."""

import numpy as np
import pytest
from PIL import Image

import hsc
from app.service import Studio
from app.services.examples import LEVEL, SEEDS, examples
from hsc.bitstream import unpack

LAYERS = ("scn", "scn+fcn")
AGAIN = "The examples are not of these weights: run python -m app.services.examples."


@pytest.fixture(scope="module")
def studio():
    return Studio(hsc.load)


def test_every_example_is_there():
    assert [each.name for each in examples()] == ["astronaut", *SEEDS]


@pytest.mark.parametrize("example", examples(), ids=lambda each: each.name)
def test_an_example_is_what_the_codec_makes(studio, example):
    assert unpack(example.file).model_id == studio.codec.model_id, AGAIN
    made = {layers: studio.decode(example.file, layers).picture for layers in LAYERS}
    for layers, picture in made.items():
        assert closeness(example.picture("both" if "+" in layers else layers), picture) > 34, AGAIN
    # found in whatever arithmetic this processor is fast at, so not to the byte
    result = studio.compress(example.photo, LEVEL)
    assert closeness(example.picture("crop"), result.crop) > 34, AGAIN
    assert len(result.data) == pytest.approx(len(example.file), rel=0.03), AGAIN
    assert closeness(example.picture("both"), result.picture_both) > 30, AGAIN


def closeness(stand_in, picture) -> float:
    """PSNR of a picture against a picture file, in dB."""
    with Image.open(stand_in) as image:
        error = np.asarray(image.convert("RGB"), float) - np.asarray(picture, float)
    return 10 * np.log10(255**2 / np.square(error).mean())
