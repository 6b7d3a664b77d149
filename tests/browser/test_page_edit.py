"""The Edit and the Compare tab in a real browser."""

import base64
import io
import re

import numpy as np
import pytest
from fakes import FakeCodec
from paths import ASTRONAUT
from PIL import Image
from playwright.sync_api import expect
from steps import Calls, closeness, finished, pixels, source, upload

from hsc.bitstream.text import from_text

OVERLAY = "#edit-viewer .world canvas.overlay"
EDITED, PLAIN = "#edit-viewer .world img.right", "#edit-viewer .world img.left"
STEPS = "#edit-undo", "#edit-redo"
CAPTION = "#edit-viewer .caption.right small"
STALE = "#edit-viewer .caption.right.stale"


@pytest.fixture
def page(visit, quick_server):
    """The Edit tab with the face that was chosen on the Compress tab."""
    page = visit(quick_server)
    page.locator(".welcome [data-choose='1']").click()
    finished(page)
    page.get_by_role("tab", name="Edit").click()
    expect(page.locator(EDITED)).to_be_visible()
    return page


def shown(page, picture: str):
    """The pixels that a side of the viewer shows."""
    return pixels(page.locator(picture).get_attribute("src"))


def whole(page, words: str):
    """Wait for the whole edited picture, 1024 pixels a side; its pixels."""
    expect(page.locator(CAPTION)).to_contain_text(words)
    expect(page.locator(STALE)).to_have_count(0)  # the picture comes after the words
    page.wait_for_function(f"document.querySelector('{EDITED}').naturalWidth === 1024")
    expect(page.locator("#edit-note p")).to_have_count(0)
    return shown(page, EDITED)


def pressed(page):
    """The presets that are on."""
    return page.locator("#presets [aria-pressed=true]")


def test_a_slider_edits_the_decoded_face_and_comes_to_rest_as_a_whole_picture(page):
    plain = whole(page, "nothing edited yet")
    assert np.array_equal(plain, shown(page, PLAIN))
    page.locator("#edit-smile input[type=range]").focus()
    page.keyboard.press("End")
    smiling = whole(page, "more smile (+1.5)")
    assert not np.array_equal(smiling, plain)
    assert np.array_equal(shown(page, PLAIN), plain)
    expect(page.locator("#edit-about")).to_contain_text("smiles clearly")
    # the stand-in's faces melt beyond a smile of 1.2
    expect(page.locator(CAPTION)).to_contain_text("held back to 80%")
    expect(page.locator("#edit-about")).to_contain_text("the faces that the generator knows")
    # one slider back, a preset, everything back
    page.locator("#edit-smile").get_by_role("button", name="Reset").click()
    assert np.array_equal(whole(page, "nothing edited yet"), plain)
    page.get_by_role("button", name="Serious").click()
    whole(page, "less smile (-1)")
    expect(pressed(page)).to_have_text(["Serious"])
    page.locator("#edit-reset").click()
    assert np.array_equal(whole(page, "nothing edited yet"), plain)
    expect(pressed(page)).to_have_count(0)


def test_another_face_comes_into_the_room_that_is_open(page):
    first = whole(page, "nothing edited yet")
    page.locator("#face-chip .chip").click()
    page.locator("#examples .gallery-item").nth(2).click()
    page.wait_for_function(
        "was => document.querySelector('#edit-viewer .world img.left').src !== was",
        arg=page.locator(PLAIN).get_attribute("src"),
    )
    assert not np.array_equal(whole(page, "nothing edited yet"), first)
    assert np.array_equal(shown(page, PLAIN), shown(page, EDITED))


def test_edits_are_undone_and_redone(page):
    plain, undo, redo = (whole(page, "nothing edited yet"), *map(page.locator, STEPS))
    expect(undo).to_be_disabled()
    page.get_by_role("button", name="Serious").click()
    serious = whole(page, "less smile (-1)")
    undo.click()
    assert np.array_equal(whole(page, "nothing edited yet"), plain)
    expect(undo).to_be_disabled()
    redo.click()
    assert np.array_equal(whole(page, "less smile (-1)"), serious)
    expect(redo).to_be_disabled()
    page.locator("#edit-smile input[type=range]").focus()
    page.keyboard.press("Control+z")
    whole(page, "nothing edited yet")
    # a preset that is on is taken out again by the same button
    page.get_by_role("button", name="Serious").click()
    whole(page, "less smile (-1)")
    page.get_by_role("button", name="Serious").click()
    whole(page, "nothing edited yet")


def test_the_picture_stays_in_view_while_a_slider_is_moved(visit, quick_server):
    for size in ({"width": 1280, "height": 720}, {"width": 390, "height": 800}):
        page = visit(quick_server, size)
        page.locator(".welcome [data-choose='1']").click()
        finished(page)
        page.get_by_role("tab", name="Edit").click()
        whole(page, "nothing edited yet")
        for slider in ("#edit-smile", "#keep-details"):
            handle = page.locator(f"{slider} input[type=range]")
            handle.scroll_into_view_if_needed()
            box = page.locator("#edit-viewer .canvas").bounding_box()
            assert box["y"] > -1 and box["y"] + box["height"] <= size["height"] + 1, (size, box)
            below = handle.bounding_box()
            covered = (
                below["x"] < box["x"] + box["width"]
                and below["x"] + below["width"] > box["x"]
                and below["y"] < box["y"] + box["height"]
            )
            assert not covered, (size, slider)


def test_an_edited_face_is_a_file_of_its_own(page):
    page.get_by_role("button", name="Serious").click()
    serious = whole(page, "less smile (-1)")
    with page.expect_download() as download:
        page.locator("#edit-make-file").click()
    codec, data = FakeCodec(), download.value.path().read_bytes()
    assert download.value.suggested_filename == "edited.hsc"
    drawn = codec.decode(data)
    assert closeness(drawn, Image.fromarray(serious)) > 20  # the stand-in codes coarsely
    link = page.locator("#edit-saved [data-copy]").get_attribute("data-copy")
    assert from_text(link.removeprefix("?face=")) == data


def test_a_face_of_the_strip_is_taken_over(page):
    expect(page.locator("#edit-strip img")).to_have_count(7)
    page.locator("#edit-strip button:has(img)").last.click()
    whole(page, "more smile (+1.5)")
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
    # both faces are beside what lies between
    ends = [pixels(source(page, end)) for end in ("#between-first", "#between-second")]
    assert np.array_equal(ends[0], shown(page, PLAIN))
    assert np.array_equal(ends[1], np.asarray(codec.decode(other)))
    page.locator("#animate").click()
    expect(page.locator("#moving video")).to_be_visible()
    page.wait_for_function("document.querySelector('#moving video').videoWidth > 0")
    page.get_by_label("WebP").check()
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


@pytest.fixture
def real_page(visit, server):
    """As `page`, over the codec that the receiver's worker decodes."""
    page = visit(server)
    page.locator(".welcome [data-choose='1']").click()
    finished(page)
    page.get_by_role("tab", name="Edit").click()
    whole(page, "nothing edited yet")
    expect(page.locator("#edit-strip img")).to_have_count(7)
    return page


def test_previews_in_this_browser_ask_nothing_of_the_server(real_page, codec):
    page, switch = real_page, real_page.locator("#edit-previews")
    here, there = switch.get_by_label("This browser"), switch.get_by_label("Server", exact=True)
    expect(there).to_be_checked()
    here.check()
    said = page.locator("#edit-previews output")
    expect(said).to_have_text("Loading the decoder …")
    expect(said).to_contain_text("in this browser")  # how long a preview took
    calls = Calls(page, "edit")
    page.locator("#edit-smile input[type=range]").focus()
    page.keyboard.press("End")
    expect(page.locator(OVERLAY)).to_be_visible()
    url = page.evaluate(f"document.querySelector('{OVERLAY}').toDataURL()")
    face = page.locator("#edit-source [data-file]")
    opened = codec.open(base64.b64decode(face.get_attribute("data-file")))
    drawn = Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))).convert("RGB")
    assert closeness(drawn, codec.preview(opened, {"smile": 1.5})) > 45
    picture, canvas = (page.locator(each).bounding_box() for each in (EDITED, OVERLAY))
    assert canvas == pytest.approx(picture, abs=1)

    # the server's whole picture takes the preview's place
    calls.let_through()
    whole(page, "more smile (+1.5)")
    expect(page.locator(OVERLAY)).to_have_count(0)
    assert calls.asked and calls.preview not in calls.asked

    # the choice stays while another tab is looked at, and can be taken back
    page.get_by_role("tab", name="Receive").click()
    page.get_by_role("tab", name="Edit").click()
    expect(here).to_be_checked()
    there.check()
    page.locator("#edit-smile input[type=range]").focus()
    page.keyboard.press("Home")
    whole(page, "less smile (-1)")
    assert calls.preview in calls.asked
    expect(page.locator(OVERLAY)).to_have_count(0)


def test_a_face_that_this_browser_cannot_draw_is_left_to_the_server(page):
    # a stand-in's file: the receiver refuses it
    page.locator("#edit-previews").get_by_label("This browser").check()
    said = page.locator("#edit-previews output")
    expect(said).to_have_text("This browser cannot draw this face.")
    calls = Calls(page, "edit")
    calls.let_through()
    page.locator("#edit-smile input[type=range]").focus()
    page.keyboard.press("End")
    whole(page, "more smile (+1.5)")
    assert calls.preview in calls.asked
    expect(page.locator(OVERLAY)).to_have_count(0)
