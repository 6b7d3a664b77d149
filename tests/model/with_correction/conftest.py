"""The codec that ships, as a whole, and what it finds: made once, for each takes many seconds."""

import pytest
from PIL import Image

from hsc.codec import Codec
from hsc.types import Inversion
from hsc.weights.model_id import ASSETS


@pytest.fixture(scope="session")
def codec() -> Codec:
    return Codec.load("cpu", ASSETS)


@pytest.fixture(scope="session")
def found(codec: Codec, photo: Image.Image) -> Inversion:
    return codec.analyse(photo)


@pytest.fixture(scope="session")
def file(codec: Codec, found: Inversion) -> bytes:
    """Of level 3."""
    return codec.compress(found, 3)


@pytest.fixture(scope="session")
def rendered_found(codec: Codec) -> Inversion:
    """Of a face that the generator draws, as large and sharp as a photograph can be."""
    return codec.analyse(codec.random_face(107))
