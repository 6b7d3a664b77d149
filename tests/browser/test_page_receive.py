"""The Receive room in a real browser."""

import base64
import io

import numpy as np
import pytest
from paths import ASTRONAUT
from PIL import Image
from playwright.sync_api import expect
from steps import MODEL_WAIT, Calls, closeness, open_room, pixels, shown

from hsc.bitstream import with_layers
from hsc.bitstream.text import to_text


@pytest.fixture(scope="module")
def face(codec) -> bytes:
    return codec.encode(ASTRONAUT, 1)


def dropped(data: bytes, name: str = "face.hsc") -> dict:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


def drawn(page) -> None:
    expect(page.locator("#received-picture img.right")).to_be_visible()
    expect(page.locator("#received-note p.busy")).to_have_count(0)


def test_a_file_that_is_none_gives_one_sentence(visit, server):
    page = visit(server)
    open_room(page, "Receive")
    page.locator("#received input[type=file]").set_input_files(dropped(b"GIF89a" * 9, "x.hsc"))
    expect(page.locator("[data-testid=toast-body]")).to_contain_text("not a .hsc file")
    expect(page.locator("#received-note p")).to_have_count(0)


def test_a_refused_file_leaves_no_name_beside_the_last_face(visit, server, face):
    page = visit(server)
    open_room(page, "Receive")
    page.locator("#received input[type=file]").set_input_files(dropped(face, "good.hsc"))
    drawn(page)
    face_shown = shown(page, viewer="received-picture")
    page.locator("#received").get_by_role("button", name="Clear").click()
    page.locator("#received input[type=file]").set_input_files(dropped(b"HSC broken", "bad.hsc"))
    expect(page.locator("[data-testid=toast-body]")).to_be_visible()
    expect(page.locator("#received input[type=file]")).to_have_count(1)  # it asks for one again
    expect(page.locator("#received")).not_to_contain_text("bad")
    assert shown(page, viewer="received-picture") == face_shown


def test_a_file_is_explained_edited_proved_and_sent_on(visit, server, codec, face):
    page = visit(server)
    open_room(page, "Receive")
    page.locator("#received input[type=file]").set_input_files(dropped(face))
    drawn(page)
    plain = shown(page, viewer="received-picture")
    assert np.array_equal(pixels(plain), np.asarray(codec.decode(face)))

    # every byte of the header is there, and its row lights up under the keyboard
    header = with_layers(face, "scn+fcn")[:14].hex()
    spelled = "".join(page.locator("#strip .run.header").all_inner_texts()).replace(" ", "")
    assert spelled == header
    page.locator("#strip .run[data-field=level]").focus()
    expect(page.locator("#strip tr.on")).to_contain_text("Level")

    # what each layer draws, to choose from
    sides = page.locator("#received-picture").get_by_label("Picture on the left")
    for layer in ("scn", "fcn"):
        sides.select_option(layer)
        page.wait_for_function(
            "layer => hscViewer.get('received-picture').shown('left').name === layer", arg=layer
        )
        drawn_alone = pixels(shown(page, "left", "received-picture"))
        assert np.array_equal(drawn_alone, np.asarray(codec.decode(face, layer)))
    page.locator("#received-layers").get_by_label("Essence (SCN) only").check()
    expect(page.locator("#received-picture img.right")).not_to_have_attribute("src", plain)
    page.locator("#received-layers").get_by_label("Essence + likeness").check()
    expect(page.locator("#received-picture img.right")).to_have_attribute("src", plain)

    # every edit of the table is there, in its groups, and works
    page.locator("#received-edits > button").click()
    groups = [group.capitalize() for group in dict.fromkeys(e.group for e in codec.edit_names)]
    expect(page.locator("#received-edits .group h2")).to_have_text(groups[:-1])
    assert groups[-1] == "Principal"
    page.locator("#received-edits .principal > button").click()
    for edit in codec.edit_names:
        expect(page.locator("#received-edits").get_by_text(edit.description)).to_be_visible()
    age = page.get_by_role("slider", name="range slider for Age")
    age.focus()
    page.keyboard.press("End")
    expect(page.locator("#received-picture .caption.right option:checked")).to_contain_text(
        "edited"
    )
    drawn(page)
    page.locator("#received-reset").click()
    expect(page.locator("#received-picture img.right")).to_have_attribute("src", plain)

    # drawn again from nothing but the bytes, and refused with one bit turned over
    page.locator("#prove").click()
    expect(page.locator("#proof")).to_contain_text("every pixel is the same")
    expect(page.locator("#proof")).to_contain_text("checksum does not match")

    # SCN alone as text; the whole file too
    text = to_text(with_layers(face, "scn"))
    expect(page.locator("#face-text textarea")).to_have_value(text)
    expect(page.locator("#qr svg")).to_be_visible()
    page.locator("#sent-layers").get_by_label("The whole file").check()
    expect(page.locator("#face-text textarea")).to_have_value(to_text(face))

    # the same face in the receiver, whose server is not told of it
    with page.expect_popup() as popup:
        page.get_by_role("link", name="Open in your own browser").click()
    receiver = popup.value
    receiver.wait_for_selector("canvas[data-opened][data-layers='scn+fcn']")
    assert receiver.url == f"{server}receive/#face={to_text(face)}"
    assert receiver.locator("#alert").is_hidden()


def test_a_pasted_text_and_a_scanned_link_draw_the_face(visit, server, codec, face):
    small = with_layers(face, "scn")
    text = to_text(small)
    page = visit(f"{server}?face={text.lower()}")
    drawn(page)
    expect(page.get_by_role("tab", name="Receive")).to_have_attribute("aria-selected", "true")
    face_shown = pixels(shown(page, viewer="received-picture"))
    assert np.array_equal(face_shown, np.asarray(codec.decode(small)))

    # a mistyped text is refused, and the picture stays
    before = shown(page, viewer="received-picture")
    page.locator("#pasted textarea").fill(text[:20] + ("A" if text[20] != "A" else "B") + text[21:])
    page.locator("#pasted").get_by_role("button", name="Decode").click()
    expect(page.locator("[data-testid=toast-body]")).to_contain_text("check character")
    assert shown(page, viewer="received-picture") == before


def test_a_damaged_second_layer_leaves_the_first(visit, server, codec, face):
    damaged = face[:-1] + bytes([face[-1] ^ 1])
    page = visit(server)
    open_room(page, "Receive")
    page.locator("#received input[type=file]").set_input_files(dropped(damaged))
    drawn(page)
    expect(page.locator("#received-note")).to_contain_text("damaged")
    expected = codec.decode(with_layers(face, "scn"))
    assert np.array_equal(pixels(shown(page, viewer="received-picture")), np.asarray(expected))


def test_a_browser_that_gets_every_update_at_once_loses_none(visit, server, face):
    page = visit(server)
    expect(page.locator("#state .ready")).to_be_visible()
    open_room(page, "Receive")

    def late(route):
        """What a busy browser sees: the answer is complete before it comes to read it."""
        route.fulfill(response=route.fetch(timeout=MODEL_WAIT))

    page.route("**/queue/data*", late)
    page.locator("#received input[type=file]").set_input_files(dropped(face))
    drawn(page)
    expect(page.locator("#received-more")).to_be_visible()
    expect(page.locator("#strip .run.header").first).to_be_visible()
    options = page.locator("#received-picture .caption.left option")
    expect(options).to_have_count(3)  # both layers, and each alone


def test_sliders_draw_in_this_browser_once_the_visitor_says_so(visit, server, codec, face):
    page = visit(server)
    open_room(page, "Receive")
    page.locator("#received input[type=file]").set_input_files(dropped(face))
    drawn(page)
    page.locator("#received-edits > button").click()
    switch = page.locator("#received-previews")
    expect(switch.get_by_label("Server", exact=True)).to_be_checked()
    expect(switch.get_by_label("Its graphics card")).to_be_hidden()
    switch.get_by_label("This browser").check()
    expect(switch.locator("output")).to_contain_text("in this browser")  # after it was measured
    overlay = page.locator("#received-picture canvas.overlay.right")
    calls = Calls(page, "received")  # a server that answers first would leave no preview to see
    slider = page.locator("#received-edit-smile input[type=range]")
    slider.evaluate(
        "(s) => { s.value = 1.5; s.dispatchEvent(new Event('input', { bubbles: true })) }"
    )
    expect(overlay).to_be_visible()
    url = page.evaluate(
        "document.querySelector('#received-picture canvas.overlay.right').toDataURL()"
    )
    preview = Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))).convert("RGB")
    assert closeness(preview, codec.preview(codec.open(face), {"smile": 1.5})) > 45
    # the server's whole picture takes the preview's place
    calls.let_through()
    expect(overlay).to_have_count(0)
    drawn(page)
    whole = pixels(shown(page, viewer="received-picture"))
    assert np.array_equal(whole, np.asarray(codec.decode(face, edits={"smile": 1.5})))
    assert calls.asked and calls.preview not in calls.asked
