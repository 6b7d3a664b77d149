"""A studio over a stand-in codec, for tests of what does not depend on how well faces are drawn."""

import pytest
from fakes import FakeCodec

from app.studio import Studio


@pytest.fixture
def codec():
    return FakeCodec()


@pytest.fixture
def studio(codec):
    return Studio(lambda: codec)
