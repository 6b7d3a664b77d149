"""The codec that ships and what it finds in one photograph: made once, for each takes seconds.

Nothing changes them: a test that changes a codec has one of its own.
"""

import pytest
from paths import ASTRONAUT
from PIL import Image

import hsc
from hsc.codec import Codec
from hsc.domains.ffhq_face import aligned
from hsc.types import Inversion


@pytest.fixture(scope="session")
def codec() -> Codec:
    return hsc.load("cpu")


@pytest.fixture(scope="session")
def photo() -> Image.Image:
    """Of 1024 px."""
    return aligned(ASTRONAUT)


@pytest.fixture(scope="session")
def found(codec: Codec, photo: Image.Image) -> Inversion:
    return codec.analyse(photo)


@pytest.fixture(scope="session")
def file(codec: Codec, found: Inversion) -> bytes:
    """Of level 3."""
    return codec.compress(found, 3)
