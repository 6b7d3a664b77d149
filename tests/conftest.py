"""A studio over a stand-in codec, and the model that ships without its slowest part.

Both are for tests of what does not depend on how well faces are drawn.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import FakeCodec

from app.studio import Studio
from hsc.inversion.correction import CORRECTION
from hsc.memory import keep_large_blocks
from hsc.weights.model_id import ASSETS, FACES, VARIABLE

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


@pytest.fixture(scope="session")
def quick_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the model that ships, without the correction.

    Its files and pictures are of the same model and the same kind. Encoding takes half a second
    instead of twenty on a slow core, because no gradient is computed.
    """
    folder = tmp_path_factory.mktemp("quick") / "model"
    folder.mkdir()
    for path in ASSETS.glob("*.safetensors"):
        if path.stem != CORRECTION:
            (folder / path.name).symlink_to(path)
    FACES.save(folder)
    return folder


@pytest.fixture(scope="module")
def quick_model_in_use(quick_model: Path) -> Iterator[None]:
    """The quick model is the default in a module's tests and in the processes they start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(quick_model))
        yield
