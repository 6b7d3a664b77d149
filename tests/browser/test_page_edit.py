"""The Edit and the Compare tab in a real browser."""

import base64
import io
import re
from typing import Any

import numpy as np
import pytest
from fakes import FakeCodec
from paths import ASTRONAUT
from PIL import Image
from playwright.sync_api import expect
from steps import closeness, finished, pixels, source, upload

OVERLAY = "#edit-picture canvas.preview"
# index of the server's preview among the page's events
PREVIEW_EVENT = """() => {
  const { components, dependencies } = window.gradio_config;
  const { id } = components.find(({ props }) => props.elem_id === "edit-follow");
  return dependencies.find(({ targets }) => targets.some(([target]) => target === id)).id;
}"""
COUNT_PREVIEWS = """
window.previewsHere = 0;
window.Worker = class extends Worker {
  constructor(...given) {
    super(...given);
    this.addEventListener("message", ({ data }) => window.previewsHere += data.kind === "edited");
  }
};
"""


@pytest.fixture
def page(visit, quick_server):
    """The Edit tab with the face that was chosen on the Compress tab."""
    page = visit(quick_server)
    page.locator(".welcome [data-choose='1']").click()
    finished(page)
    page.get_by_role("tab", name="Edit").click()
    expect(page.locator("#edit-picture img")).to_be_visible()
    return page


def whole(page, words: str):
    """Wait for the whole edited picture, 1024 pixels a side; its pixels."""
    expect(page.locator("#edit-picture label")).to_contain_text(words)
    page.wait_for_function("document.querySelector('#edit-picture img').naturalWidth === 1024")
    expect(page.locator("#edit-note p")).to_have_count(0)
    return pixels(source(page, "#edit-picture"))


def test_a_slider_edits_the_decoded_face_and_comes_to_rest_as_a_whole_picture(page):
    plain = whole(page, "nothing yet")
    assert np.array_equal(plain, pixels(source(page, "#edit-plain")))
    page.locator("#edit-smile input[type=range]").focus()
    page.keyboard.press("End")
    smiling = whole(page, "smile +1.5")
    assert not np.array_equal(smiling, plain)
    assert np.array_equal(pixels(source(page, "#edit-plain")), plain)
    expect(page.locator("#edit-about")).to_contain_text("smiles clearly")
    # one slider back, a preset, everything back
    page.locator("#edit-smile").get_by_role("button", name="Reset").click()
    assert np.array_equal(whole(page, "nothing yet"), plain)
    page.get_by_role("button", name="Serious").click()
    whole(page, "smile -1")
    page.locator("#edit-reset").click()
    assert np.array_equal(whole(page, "nothing yet"), plain)


def test_a_face_of_the_strip_is_taken_over(page):
    expect(page.locator("#edit-strip img")).to_have_count(7)
    page.locator("#edit-strip button:has(img)").last.click()
    whole(page, "smile +1.5")
    expect(page.locator("#edit-smile input[type=number]")).to_have_value("1.5")


def test_a_grid_of_strength_by_bitrate(page):
    page.get_by_role("tab", name="Strength × bitrate").click()
    page.locator("#draw-grid").click()
    expect(page.locator("#grid tbody tr")).to_have_count(5)
    sizes = [
        int(re.sub(r"\D", "", text.split("bytes")[0]))
        for text in page.locator("#grid th[scope=row]").all_inner_texts()
    ]
    assert sizes == sorted(sizes)


def test_two_faces_morph_and_move(page, tmp_path):
    page.get_by_role("tab", name="Two faces").click()
    codec = FakeCodec()
    other = codec.encode(codec.random_face(4))
    page.locator("#other-file input[type=file]").set_input_files(
        {"name": "x.hsc", "mimeType": "application/octet-stream", "buffer": other}
    )
    expect(page.locator("#between-picture label")).to_contain_text("50%")
    page.locator("#animate").click()
    expect(page.locator("#moving img")).to_be_visible()
    with page.expect_download() as download:
        page.locator("#save-animation").click()
    with Image.open(io.BytesIO(download.value.path().read_bytes())) as moving:
        assert moving.format == "WEBP" and moving.n_frames > 10


def test_without_a_face_it_says_where_to_get_one_and_takes_a_file(visit, quick_server):
    page = visit(quick_server)
    page.get_by_role("tab", name="Edit").click()
    expect(page.locator("#edit-note")).to_contain_text("Drop a .hsc file or a photo")
    broken = {"name": "x.hsc", "mimeType": "application/octet-stream", "buffer": b"HSC broken"}
    page.locator("#edit-file input[type=file]").set_input_files(broken)
    toast = page.locator("[data-testid=toast-body]")
    expect(toast).to_contain_text("version")
    assert "/" not in toast.inner_text()
    # its name is not to be beside a face that another file draws
    expect(page.locator("#edit-file input[type=file]")).to_have_count(1)
    expect(page.locator("#edit-file")).not_to_contain_text("x.hsc")


def test_the_same_bytes_by_other_codecs(visit, quick_server):
    page = visit(f"{quick_server}?tab=compare")  # as the room was called before
    upload(page, ASTRONAUT)
    total = finished(page)
    ours = page.locator("#viewer .caption.right option:checked")
    expect(ours).to_have_text(re.compile(f"^HSC level 3 · {total:,} bytes$"))
    page.locator("#viewer").get_by_label("Picture on the left").select_option("jpeg")
    expect(page.locator("#viewer .caption.left small")).to_contain_text(
        re.compile(r"cannot go below [\d,]+ bytes|coded at \d+ px")
    )
    page.locator("#viewer").get_by_label("Picture on the right").select_option("webp")
    expect(page.locator("#viewer .caption.right small")).to_contain_text(
        re.compile(r"LPIPS \d\.\d\d|cannot go below [\d,]+ bytes")
    )


class Calls:
    """What the page asks of the server; held back until `let_through`."""

    def __init__(self, page) -> None:
        self.preview = page.evaluate(PREVIEW_EVENT)
        self.asked: list[int] = []
        self.amounts: dict[int, list] = {}  # by event, of its last call
        self.held: list[tuple[int, Any]] | None = []
        page.route("**/queue/join*", self._note)

    def _note(self, route) -> None:
        asked = route.request.post_data_json
        self.asked.append(asked["fn_index"])
        self.amounts[asked["fn_index"]] = asked["data"]
        if self.held is None:
            route.continue_()
        else:
            self.held.append((asked["fn_index"], route))

    def let_through(self) -> None:
        held, self.held = self.held, None
        for _, route in held or ():
            route.continue_()


@pytest.fixture
def real_page(visit, server):
    """As `page`, over the codec that the receiver's worker decodes."""
    page = visit(server)
    page.add_init_script(COUNT_PREVIEWS)
    page.reload()
    page.locator(".welcome [data-choose='1']").click()
    finished(page)
    page.get_by_role("tab", name="Edit").click()
    whole(page, "nothing yet")
    expect(page.locator("#edit-strip img")).to_have_count(7)
    return page


def test_previews_in_this_browser_ask_nothing_of_the_server(real_page, codec):
    page, here = real_page, real_page.get_by_label("This browser")
    expect(page.get_by_label("Server", exact=True)).to_be_checked()
    here.check()
    said = page.locator("#edit-previews output")
    expect(said).to_have_text("Loading the decoder …")
    expect(said).to_have_text("")
    calls = Calls(page)
    page.locator("#edit-smile input[type=range]").focus()
    page.keyboard.press("End")
    expect(page.locator(OVERLAY)).to_be_visible()
    url = page.evaluate(f"document.querySelector('{OVERLAY}').toDataURL()")
    face = page.locator("#edit-source [data-file]")
    opened = codec.open(base64.b64decode(face.get_attribute("data-file")))
    drawn = Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))).convert("RGB")
    assert closeness(drawn, codec.preview(opened, {"smile": 1.5})) > 45
    picture, canvas = (
        page.locator(f"#edit-picture {tag}").bounding_box() for tag in ("img", "canvas")
    )
    assert canvas == pytest.approx(picture, abs=1)

    # the server's whole picture takes the preview's place
    calls.let_through()
    whole(page, "smile +1.5")
    expect(page.locator(OVERLAY)).to_have_count(0)
    assert calls.asked and calls.preview not in calls.asked

    # the choice stays while another tab is looked at, and can be taken back
    page.get_by_role("tab", name="Receive").click()
    page.get_by_role("tab", name="Edit").click()
    expect(here).to_be_checked()
    page.get_by_label("Server", exact=True).check()
    page.locator("#edit-smile input[type=range]").focus()
    page.keyboard.press("Home")
    whole(page, "smile -1")
    assert calls.preview in calls.asked
    expect(page.locator(OVERLAY)).to_have_count(0)


def test_a_face_that_this_browser_cannot_draw_is_left_to_the_server(page):
    page.get_by_label("This browser").check()  # a stand-in's file: the receiver refuses it
    said = page.locator("#edit-previews output")
    expect(said).to_have_text("This browser cannot draw this face.")
    calls = Calls(page)
    calls.let_through()
    page.locator("#edit-smile input[type=range]").focus()
    page.keyboard.press("End")
    whole(page, "smile +1.5")
    assert calls.preview in calls.asked
    expect(page.locator(OVERLAY)).to_have_count(0)
