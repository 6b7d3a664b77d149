"""The examples that ship are what the shipped weights make of their photos."""

import pytest
from generated import closeness
from PIL import Image

import hsc
from app.services.examples import LEVEL, SEEDS, examples
from app.studio import Studio
from hsc.bitstream import unpack
from hsc.numerics.precision import computes_bfloat16

AGAIN = "The examples are not of these weights: run python -m app.services.examples."


@pytest.fixture(scope="module")
def studio():
    return Studio(hsc.load)


def test_every_example_is_there():
    assert [each.name for each in examples()] == ["astronaut", *SEEDS]


@pytest.mark.parametrize("example", examples(), ids=lambda each: each.name)
def test_an_example_is_what_the_codec_makes(studio, example):
    assert unpack(example.file).model_id == studio.codec.model_id, AGAIN
    for name, layers in (("scn", "scn"), ("both", "scn+fcn")):
        picture = studio.decode(example.file, layers).picture
        assert closeness(Image.open(example.picture(name)), picture) > 34, AGAIN
    result = studio.compress(example.photo, LEVEL)
    assert closeness(Image.open(example.picture("crop")), result.crop) > 34, AGAIN
    # the files were made in bfloat16: where float32 is faster, a photo gives nearly the same one
    assert result.data == example.file or not computes_bfloat16(studio.codec.device), AGAIN
    assert len(result.data) == pytest.approx(len(example.file), rel=0.03), AGAIN
    assert closeness(Image.open(example.picture("both")), result.picture_both) > 30, AGAIN
