"""The codec that ships, without its correction, and what it finds in one photograph.

The correction takes most of an encoder's time. What depends on it is in ``with_correction``.
Nothing changes them: a test that changes a codec has one of its own.
"""

from pathlib import Path

import pytest
from paths import ASTRONAUT
from PIL import Image

from hsc.codec import Codec
from hsc.domains.ffhq_face import aligned
from hsc.types import Inversion


@pytest.fixture(scope="session")
def codec(quick_model: Path) -> Codec:
    return Codec.load("cpu", quick_model)


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
