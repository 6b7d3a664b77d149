"""The server and the browser that the tests of the page share."""

import re
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest
from fakes import CorrectingCodec, FakeCodec
from paths import ROOT
from playwright.sync_api import Page, expect, sync_playwright
from steps import DESK, MODEL_WAIT, watch_answers

from app.page import build, launch_options
from app.studio import Studio
from hsc.codec import Codec

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# no sandbox, because containers have none to offer; the rest keeps the browser from calling home
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP studio.example 127.0.0.1",  # a name, behind a proxy
    # as an option of a context, Playwright would decide about the certificate in each request
    "--ignore-certificate-errors",
    "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
]  # fmt: skip
expect.set_options(timeout=MODEL_WAIT)


@pytest.fixture(scope="session")
def codec(quick_model):
    return Codec.load(folder=quick_model)


@pytest.fixture(scope="session")
def temporary(tmp_path_factory):
    """Gradio's folder for uploads and results, so that tests leave nothing behind."""
    folder = tmp_path_factory.mktemp("gradio")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder))
        yield folder


@pytest.fixture(scope="session")
def server(codec, temporary):
    page = build(Studio(lambda: codec))
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, **launch_options())
    yield url
    page.close()


@pytest.fixture(scope="session")
def quick_server(temporary):
    """The page over a stand-in codec, for what does not depend on how well faces are drawn."""
    page = build(Studio(FakeCodec))
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, **launch_options())
    yield url
    page.close()


@pytest.fixture
def waiting_server(temporary):
    """The page over a model that is not there until `go` is set: its address, and `go`.

    Ask for it before `visit`, so that the browser has left before the server goes.
    """
    go = threading.Event()

    def load() -> FakeCodec:
        go.wait(600)
        return FakeCodec()

    page = build(Studio(load))
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, **launch_options())
    yield url, go
    go.set()
    page.close()


class SearchesForEver(FakeCodec):
    """Its search ends only when it is given up."""

    def refine(self, crop, latents, level, steps, progress):
        while True:
            progress(1, steps)
            time.sleep(0.5)  # more often than that keeps the browser of a small machine busy


@pytest.fixture
def searching_server(temporary):
    """The page over a model whose search has no end. Ask for it before `visit`."""
    page = build(Studio(SearchesForEver))
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, **launch_options())
    yield url
    page.close()


@pytest.fixture
def correcting_server(temporary):
    """The page over a model that corrects nothing until `go` is set: its address, and `go`."""
    codec = CorrectingCodec()
    page = build(Studio(lambda: codec))
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, **launch_options())
    yield url, codec.go
    codec.go.set()
    page.close()


@pytest.fixture(scope="session")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What web/package-lock.json pins, installed beside a copy of the sources."""
    web = tmp_path_factory.mktemp("sources") / "web"
    shutil.copytree(ROOT / "web", web, ignore=shutil.ignore_patterns("node_modules", "dist"))
    command = ["npm", "ci", "--ignore-scripts", "--no-audit"]
    done = subprocess.run(command, cwd=web, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return web / "node_modules"


@pytest.fixture(scope="session")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the browser's camera sees, over and over: a test writes it, JPEG after JPEG."""
    return tmp_path_factory.mktemp("camera") / "camera.mjpeg"


@pytest.fixture(scope="session")
def browser(camera: Path):
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert path, "Chromium is missing: install it as tests/run does."
    with sync_playwright() as playwright:
        sees = f"--use-file-for-fake-video-capture={camera}"
        chromium = playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, sees])
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser):
    """Open a page of its own; at the end, no other host was called and no error logged."""
    contexts, wrong = [], []

    def open_page(url: str, viewport: dict = DESK) -> Page:
        context = browser.new_context(viewport=viewport, accept_downloads=True)
        contexts.append(context)
        context.set_default_timeout(MODEL_WAIT)  # also for what the page opens
        page = context.new_page()
        page.on("request", lambda r: None if _is_local(r.url) else wrong.append(r.url))
        page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        watch_answers(page)
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def _is_local(url: str) -> bool:
    return bool(re.match(r"(https?://127\.0\.0\.1[:/]|data:|blob:)", url))
