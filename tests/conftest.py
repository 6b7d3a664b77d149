"""A studio over a stand-in codec, for tests of what does not depend on how well faces are drawn."""

import pytest
from fakes import FakeCodec

from app.studio import Studio
from hsc.memory import keep_large_blocks

keep_large_blocks()  # as every command does: tests render and differentiate hundreds of pictures


@pytest.fixture
def fake_codec():
    return FakeCodec()


@pytest.fixture
def codec(fake_codec):
    """The real one in tests/model and tests/browser; a `studio` has the stand-in there too."""
    return fake_codec


@pytest.fixture
def studio(fake_codec):
    return Studio(lambda: fake_codec)
