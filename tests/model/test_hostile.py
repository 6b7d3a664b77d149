"""Hostile files, pictures and calls, through the library and the page; at length: fuzz.py."""

import time
from functools import partial

import hostile
import pytest
from fuzz import (
    Campaign,
    library_files,
    library_pictures,
    page_arguments,
    page_files,
    page_pictures,
)
from hostile import complaint
from paths import stream

from app.page import build, launch_options
from app.studio import Studio
from hsc.codec import Codec

PATIENCE = 60.0  # seconds for one case: time is judged by fuzz.py, on a machine of its own


@pytest.fixture(scope="module")
def codec(codec: Codec) -> Codec:
    """It corrects nothing: gradient steps take long, and what is refused does not reach them."""
    quick = Codec(codec.networks)
    quick.analyse = partial(quick.analyse, correct=False)
    return quick


@pytest.fixture(scope="module")
def photo(codec: Codec) -> bytes:
    return hostile.saved(codec.random_face(1).resize((256, 256)), "PNG")


@pytest.fixture(scope="module")
def good() -> list[bytes]:
    return [stream("level1"), stream("level6")]


@pytest.fixture(scope="module")
def url(codec: Codec, tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("gradio")))
        page = build(Studio(lambda: codec))
        _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, **launch_options())
        yield address
        page.close()


def check(campaign: Campaign, refused: int) -> None:
    assert campaign.offences == []
    assert sum(campaign.refused.values()) >= refused
    # what went wrong on our side would be a plain sentence too
    assert not any("our side" in sentence for sentence in campaign.refused)


def test_files_through_the_library(codec: Codec, good: list[bytes]) -> None:
    check(library_files(codec, hostile.files(good, 200), PATIENCE), 100)


def test_pictures_through_the_library() -> None:
    check(library_pictures(hostile.pictures(80), PATIENCE), 30)


def test_files_through_the_page(url: str, good: list[bytes]) -> None:
    check(page_files(url, time.monotonic, hostile.files(good, 40, seed=1), PATIENCE), 20)


def test_pictures_through_the_page(url: str) -> None:
    strange = [(name, data) for name, data in hostile.pictures(80) if len(data) < 20_000]
    check(page_pictures(url, time.monotonic, strange[::3], PATIENCE), 15)


def test_calls_that_no_page_makes(url: str, photo: bytes) -> None:
    check(page_arguments(url, time.monotonic, photo, PATIENCE), 50)


@pytest.mark.parametrize(
    "message",
    ["", None, "One. Two.", "a\nb", "No file /tmp/gradio/abc/face.png.", "ValueError: no.",
     "Traceback (most recent call last)", r"C:\Users\me is not there.", "at 0x7fe3f81b2c90."],
)  # fmt: skip
def test_what_is_no_plain_sentence(message: str | None) -> None:
    assert complaint(message)


def test_what_is_a_plain_sentence() -> None:
    assert complaint("expected a level from 1 to 6, got 7: choose one in that range.") is None
