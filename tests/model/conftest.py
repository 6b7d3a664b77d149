"""The codec that ships and what it finds in one photograph: made once, for each takes seconds.

``codec``, ``found`` and ``file`` are without the correction, which takes most of an encoder's time.
Tests of the correction and of what ships as a whole have ``whole_codec`` and the like.
Nothing changes them: a test that changes a codec has one of its own.
"""

from pathlib import Path

import pytest
from paths import ASTRONAUT
from PIL import Image

from hsc.codec import Codec
from hsc.domains.ffhq_face import aligned
from hsc.types import Inversion
from hsc.weights.model_id import ASSETS


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


@pytest.fixture(scope="session")
def whole_codec() -> Codec:
    return Codec.load("cpu", ASSETS)


@pytest.fixture(scope="session")
def whole_found(whole_codec: Codec, photo: Image.Image) -> Inversion:
    return whole_codec.analyse(photo)


@pytest.fixture(scope="session")
def rendered_found(whole_codec: Codec) -> Inversion:
    """Of a face that the generator draws, as large and sharp as a photograph can be."""
    return whole_codec.analyse(whole_codec.random_face(107))


@pytest.fixture(scope="session")
def whole_file(whole_codec: Codec, whole_found: Inversion) -> bytes:
    """Of level 3."""
    return whole_codec.compress(whole_found, 3)
