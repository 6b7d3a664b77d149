"""The page in a real browser, over the real codec: what a visitor does, and what may go wrong."""

import io
import re
import shutil
import threading
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeCodec
from gradio_client import Client, handle_file
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

import hsc
from app.page import build, launch_options
from app.service import Studio
from hsc.bitstream import describe, unpack

ASTRONAUT = Path(__file__).parents[1] / "assets" / "examples" / "astronaut.png"
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# no sandbox, because containers have none to offer; the rest keeps the browser from calling home
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
MODEL_WAIT = 120_000  # ms; drawing takes seconds on a small machine
expect.set_options(timeout=MODEL_WAIT)


@pytest.fixture(scope="module")
def codec():
    return hsc.load()


@pytest.fixture(scope="module")
def temporary(tmp_path_factory):
    """Gradio's folder for uploads and results, so that tests leave nothing behind."""
    folder = tmp_path_factory.mktemp("gradio")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder))
        yield folder


@pytest.fixture(scope="module")
def server(codec, temporary):
    page = build(Studio(lambda: codec))
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, **launch_options())
    yield url
    page.close()


@pytest.fixture(scope="module")
def browser():
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert path, "Chromium is missing: install it as tests/run does."
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser):
    """Open a page of its own; at the end, no other host was called and no error logged."""
    contexts, wrong = [], []

    def open_page(url: str, viewport: dict = DESK) -> Page:
        context = browser.new_context(viewport=viewport, accept_downloads=True)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(MODEL_WAIT)
        page.on("request", lambda r: None if _is_local(r.url) else wrong.append(r.url))
        page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def _is_local(url: str) -> bool:
    return bool(re.match(r"(https?://127\.0\.0\.1[:/]|data:|blob:)", url))


def upload(page: Page, photo) -> None:
    page.locator("#photo input[type=file]").set_input_files(photo)


def finished(page: Page, level: str = "level 3,") -> int:
    """Wait until the pictures at a level are drawn; the bytes of the chosen file."""
    expect(page.locator("#readout")).to_contain_text(level)
    total = total_bytes(page)
    expect(page.locator("#compare label")).to_have_text(
        re.compile(rf"from {total:,} bytes")
    )
    expect(page.locator("#note p")).to_have_count(0)
    return total


def total_bytes(page: Page) -> int:
    return int(page.locator("#readout .size span").inner_text().replace(",", ""))


def source(page: Page, selector: str) -> str:
    return page.locator(f"{selector} img").last.get_attribute("src")


def pixels(url: str) -> np.ndarray:
    with urllib.request.urlopen(url) as answer:
        return np.asarray(Image.open(io.BytesIO(answer.read())).convert("RGB"))


def png(image: Image.Image, name: str = "photo.png") -> dict:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return {"name": name, "mimeType": "image/png", "buffer": buffer.getvalue()}


def test_from_a_photo_to_a_file_and_back(visit, server, codec, tmp_path):
    page = visit(server)
    expect(page.locator("#state")).to_contain_text("Ready")
    upload(page, ASTRONAUT)
    whole = finished(page)
    original, scn, both = (pixels(source(page, s)) for s in ("#original", "#only-scn", "#both"))
    assert original.shape == scn.shape == both.shape == (1024, 1024, 3)
    assert not np.array_equal(scn, both)
    ratio = ASTRONAUT.stat().st_size / whole
    expect(page.locator("#readout")).to_contain_text("smaller than your upload")
    assert ratio > 50

    # more level, more bytes
    page.locator("#level input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    more = finished(page, "level 3.5,")
    assert more > whole
    page.keyboard.press("ArrowLeft")
    assert finished(page, "level 3,") == whole

    # without FCN the file ends after SCN, and the picture is what SCN draws
    page.locator("#use-fcn input").uncheck()
    expect(page.locator("#readout")).to_contain_text("left out")
    without = finished(page)
    assert without < whole
    assert np.array_equal(pixels(source(page, "#compare")), scn)
    page.locator("#use-fcn input").check()
    expect(page.locator("#readout")).not_to_contain_text("left out")
    assert finished(page) == whole

    # a smile changes the picture, not the file
    plain = source(page, "#compare")
    page.locator("#smile input[type=range]").focus()
    page.keyboard.press("End")
    expect(page.locator("#compare img").last).not_to_have_attribute("src", plain)
    assert total_bytes(page) == whole
    page.locator("#smile").get_by_role("button", name="Reset").click()
    expect(page.locator("#compare img").last).to_have_attribute("src", plain)

    # the file, alone, in another visitor's browser
    with page.expect_download() as download:
        page.locator("#save-file").click()
    assert download.value.suggested_filename == "astronaut-level3.hsc"
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    data = file.read_bytes()
    assert len(data) == whole
    other = visit(server)
    other.get_by_role("tab", name="Decode").click()
    other.locator("#received input[type=file]").set_input_files(file)
    expect(other.locator("#received-facts")).to_contain_text(f"{whole:,} bytes")
    decoded = pixels(source(other, "#received-picture"))
    assert np.array_equal(decoded, both)
    assert np.array_equal(decoded, np.asarray(codec.decode(data)))
    other.locator("#received-layers").get_by_label("SCN only").check()
    expect(other.locator("#received-picture img")).not_to_have_attribute(
        "src", source(page, "#both")
    )


def test_it_says_that_it_is_loading(visit, temporary):
    go = threading.Event()

    def load():
        go.wait(60)
        return FakeCodec()

    demo = build(Studio(load))
    try:
        _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, **launch_options())
        page = visit(url)
        expect(page.locator("#state")).to_contain_text("Loading the model")
        upload(page, ASTRONAUT)
        expect(page.locator("#note")).to_contain_text("Loading the model")
        go.set()
        expect(page.locator("#state")).to_contain_text("Ready")
        finished(page)
    finally:
        go.set()
        demo.close()


def test_both_layers_off_is_explained_and_the_pictures_stay(visit, server):
    page = visit(server)
    upload(page, ASTRONAUT)
    finished(page)
    page.locator("#use-scn input").uncheck()
    expect(page.locator("#compare label")).to_contain_text("from")
    page.locator("#use-fcn input").uncheck()
    expect(page.locator("#note")).to_contain_text("switch one on")
    expect(page.locator("#both img")).to_be_visible()
    page.locator("#use-scn input").check()
    expect(page.locator("#note p")).to_have_count(0)


def test_a_broken_upload_gives_one_sentence_and_keeps_the_last_picture(visit, server):
    page = visit(server)
    upload(page, ASTRONAUT)
    finished(page)
    before = source(page, "#both")
    broken = ASTRONAUT.read_bytes()[:20_000]
    page.locator("#photo").get_by_role("button", name="Remove Image").click()
    upload(page, {"name": "broken.png", "mimeType": "image/png", "buffer": broken})
    toast = page.locator("[data-testid=toast-body]")
    expect(toast).to_contain_text("damaged")
    assert "/" not in toast.inner_text()
    assert source(page, "#both") == before
    expect(page.locator("#note p")).to_have_count(0)


def test_a_file_that_is_none_gives_one_sentence(visit, server):
    page = visit(server)
    page.get_by_role("tab", name="Decode").click()
    page.locator("#received input[type=file]").set_input_files(
        {"name": "x.hsc", "mimeType": "application/octet-stream", "buffer": b"GIF89a" * 9}
    )
    expect(page.locator("[data-testid=toast-body]")).to_contain_text("not a .hsc file")
    expect(page.locator("#received-note p")).to_have_count(0)


def test_without_a_face_the_centre_is_offered(visit, server):
    rows = np.linspace(60, 200, 300, dtype=np.uint8)[:, None, None]
    page = visit(server)
    upload(page, png(Image.fromarray(np.broadcast_to(rows, (300, 500, 3)).copy())))
    expect(page.locator("#no-face")).to_contain_text("No face was found")
    page.locator("#use-centre").click()
    finished(page)
    expect(page.locator("#no-face")).to_have_count(0)


def test_several_faces_are_offered(visit, server):
    with Image.open(ASTRONAUT) as one:
        both = Image.new("RGB", (one.width * 2, one.height), "white")
        both.paste(one, (0, 0))
        both.paste(one.resize((one.width * 4 // 5, one.height * 4 // 5)), (one.width, 0))
    page = visit(server)
    upload(page, png(both))
    finished(page)
    first = source(page, "#original")
    expect(page.locator("#faces img")).to_have_count(2)
    page.locator("#faces button:has(img)").nth(1).click()
    expect(page.locator("#original img")).not_to_have_attribute("src", first)
    finished(page)


def test_an_invented_face_is_the_same_for_the_same_seed(visit, server):
    seen = []
    for _ in range(2):
        page = visit(server)
        page.locator("#seed input").fill("11")
        page.locator("#seed input").press("Enter")
        finished(page)
        expect(page.locator("#readout")).to_contain_text("than the picture's own file")
        seen.append(source(page, "#both"))
    assert seen[0] == seen[1]


def test_the_border_moves_by_keyboard(visit, server):
    page = visit(server)
    upload(page, ASTRONAUT)
    finished(page)
    handle = page.locator("#compare [role=none] > div.outer, #compare .outer").first
    at = handle.bounding_box()["x"]
    page.locator("#position input[type=range]").focus()
    page.keyboard.press("Home")
    page.wait_for_function(
        "([x]) => document.querySelector('#compare .outer').getBoundingClientRect().x < x - 50",
        arg=[at],
    )


@pytest.mark.parametrize("tab", ["Compress", "Decode", "About"])
def test_a_phone_scrolls_in_one_direction_only(visit, server, tab):
    page = visit(server, PHONE)
    upload(page, ASTRONAUT)
    finished(page)
    page.get_by_role("tab", name=tab).click()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_only_the_documented_endpoints_are_public(server):
    named = Client(server, verbose=False).view_api(return_format="dict")["named_endpoints"]
    assert sorted(named) == ["/compress", "/decode"]
    compress = named["/compress"]
    assert [p["parameter_name"] for p in compress["parameters"]] == [
        "photo", "level", "layers", "face", "align"
    ]  # fmt: skip
    assert [r["label"] for r in compress["returns"]] == ["hsc_file", "picture", "sizes"]


def test_the_api_compresses_and_decodes(server, codec):
    client = Client(server, verbose=False)
    path, picture, sizes = client.predict(handle_file(ASTRONAUT), level=2, api_name="/compress")
    data = Path(path).read_bytes()
    assert sizes["bytes"]["total"] == len(data) == sum(
        sizes["bytes"][part] for part in ("header", "scn", "fcn")
    )
    assert unpack(data).level == 2
    with Image.open(picture) as drawn:
        assert np.array_equal(np.asarray(drawn), np.asarray(codec.decode(data)))
    small, _, _ = client.predict(
        handle_file(ASTRONAUT), level=2, layers="scn", api_name="/compress"
    )
    assert describe(Path(small).read_bytes())["layers"] == ["scn"]

    smiling, facts = client.predict(
        handle_file(path), edits={"smile": 0.5}, api_name="/decode"
    )
    assert facts["bytes"]["total"] == len(data)
    with Image.open(smiling) as edited:
        expected = codec.decode(data, edits={"smile": 0.5})
        assert np.array_equal(np.asarray(edited), np.asarray(expected))
