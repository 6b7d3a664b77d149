"""The examples that ship are what the shipped weights make of their photos."""

import numpy as np
import pytest
from PIL import Image

import hsc
from app.service import Studio
from app.services.examples import LEVEL, SEEDS, examples

AGAIN = "The examples are not of these weights: run python -m app.services.examples."


@pytest.fixture(scope="module")
def studio():
    return Studio(hsc.load)


def test_every_example_is_there():
    assert [each.name for each in examples()] == ["astronaut", *SEEDS]


@pytest.mark.parametrize("example", examples(), ids=lambda each: each.name)
def test_an_example_is_what_the_codec_makes(studio, example):
    result = studio.compress(example.photo, LEVEL)
    assert result.data == example.file, AGAIN
    drawn = {"crop": result.crop, "scn": result.picture_scn, "both": result.picture_both}
    for name, picture in drawn.items():
        with Image.open(example.picture(name)) as stand_in:
            error = np.asarray(stand_in.convert("RGB"), float) - np.asarray(picture, float)
        assert 10 * np.log10(255**2 / np.square(error).mean()) > 34, AGAIN
