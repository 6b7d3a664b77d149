"""The first screen in a real browser, over the real codec: what a visitor does there."""

import base64
import io
import re
from pathlib import Path

import numpy as np
from fakes import FakeCodec
from paths import ASTRONAUT
from PIL import Image
from playwright.sync_api import expect
from steps import (
    finished,
    open_room,
    picture,
    pixels,
    png,
    shown,
    source,
    total_bytes,
    upload,
    wait_until,
)

from app.services.examples import examples
from hsc import sidecar

RECEIVED = "#received-picture img.right"
STOP_AT_A_PICTURE = """() => {
  const link = document.querySelector(".link"), ours = link.querySelector(".ours");
  const watching = new MutationObserver(() => {
    if (!ours.querySelector("img")) return;
    watching.disconnect();
    link.querySelector(".stop").click();
  });
  watching.observe(ours, { childList: true, subtree: true });
}"""
"""Stops the slow link in the moment that it shows a face: a test would come seconds too late."""


def edit_room_shows(page, expected: np.ndarray) -> None:
    """Wait until the picture of the Edit room has these pixels: it follows the chosen file."""
    wait_until(
        page,
        lambda: np.array_equal(pixels(shown(page, "right", "edit-viewer")), expected),
        lambda: "The Edit room shows another picture.",
    )


def test_from_a_photo_to_a_file_and_back(visit, server, codec, tmp_path):
    page = visit(server)
    expect(page.locator("#state")).to_contain_text("Ready")
    upload(page, {"name": "me.png", "mimeType": "image/png", "buffer": ASTRONAUT.read_bytes()})
    whole = finished(page)
    original, scn, both = (pixels(picture(page, s)) for s in ("original", "scn", "scn+fcn"))
    assert original.shape == scn.shape == both.shape == (1024, 1024, 3)
    assert not np.array_equal(scn, both)
    ratio = ASTRONAUT.stat().st_size / whole
    # of the astronaut's photograph the face is a part
    expect(page.locator("#readout")).to_contain_text("smaller than the face's part of your upload")
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
    assert np.array_equal(pixels(shown(page)), scn)
    page.locator("#use-fcn input").check()
    expect(page.locator("#readout")).not_to_contain_text("left out")
    assert finished(page) == whole

    # the file, alone, in another visitor's browser
    with page.expect_download() as download:
        page.locator("#save-file").click()
    assert download.value.suggested_filename == "me-level3.hsc"
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    data = file.read_bytes()
    assert len(data) == whole
    other = visit(server)
    open_room(other, "Receive")
    other.locator("#received input[type=file]").set_input_files(file)
    expect(other.locator("#received-facts")).to_contain_text(f"{whole:,} bytes")
    expect(other.locator(RECEIVED)).to_be_visible()
    decoded = pixels(shown(other, viewer="received-picture"))
    assert np.array_equal(decoded, both)
    assert np.array_equal(decoded, np.asarray(codec.decode(data)))
    before = other.locator(RECEIVED).get_attribute("src")
    other.locator("#received-layers").get_by_label("Essence (SCN) only").check()
    expect(other.locator(RECEIVED)).not_to_have_attribute("src", before)


def test_both_layers_off_is_explained_and_the_pictures_stay(visit, quick_server):
    page = visit(quick_server)
    upload(page, ASTRONAUT)
    finished(page)
    page.locator("#use-scn input").uncheck()
    page.wait_for_function("hscViewer.get('viewer').shown('right').name === 'fcn'")
    page.locator("#use-fcn input").uncheck()
    expect(page.locator("#note")).to_contain_text("switch one on")
    expect(page.locator("#viewer img.right")).to_be_visible()
    page.locator("#use-scn input").check()
    expect(page.locator("#note p")).to_have_count(0)


def test_layers_that_are_drawn_are_switched_without_the_studio(visit, quick_server, tmp_path):
    page = visit(quick_server)
    upload(page, ASTRONAUT)
    whole = finished(page)
    expect(page.locator("#measures")).to_contain_text("PSNR")
    expect(page.locator("#measures")).not_to_contain_text("Measuring")
    scn, both = picture(page, "scn"), picture(page, "scn+fcn")
    held = []  # the studio hears of nothing
    page.route("**/queue/join*", lambda route: held.append(route))
    for wanted in (scn, both, scn):
        page.locator("#use-fcn input").click()
        expect(page.locator(".bar .fcn.hollow")).to_have_count(int(wanted == scn))
        size = finished(page)
        assert (size < whole) == (wanted == scn)
        assert np.array_equal(pixels(shown(page)), pixels(wanted))
        expect(page.locator("#measures")).not_to_contain_text("PSNR")  # it was the other's
        with page.expect_download() as download:
            page.locator("#save-file").click()
        download.value.save_as(tmp_path / "face.hsc")
        assert (tmp_path / "face.hsc").stat().st_size == size
        assert download.value.suggested_filename == "astronaut-level3.hsc"
    with page.expect_download() as download:
        page.locator("#save-recipe").click()
    download.value.save_as(tmp_path / "face.json")
    recipe = sidecar.read(tmp_path / "face.json")
    sidecar.check(recipe, (tmp_path / "face.hsc").read_bytes())
    assert recipe["encode"]["layers"] == "scn"
    assert held
    page.unroute("**/queue/join*")  # which lets them go on
    expect(page.locator("#measures")).to_contain_text("PSNR")


def test_a_level_that_was_shown_comes_back_without_the_studio(visit, quick_server):
    page = visit(quick_server)
    upload(page, ASTRONAUT)
    seen = {"ArrowLeft": (finished(page), picture(page, "scn"), picture(page, "scn+fcn"))}
    level = page.locator("#level input[type=range]")
    level.focus()
    page.keyboard.press("ArrowRight")
    seen["ArrowRight"] = (
        finished(page, "level 3.5,"), picture(page, "scn"), picture(page, "scn+fcn")
    )  # fmt: skip
    expect(page.locator("#measures")).not_to_contain_text("Measuring")
    page.route("**/queue/join*", lambda route: None)  # the studio hears of nothing
    for key, name in (("ArrowLeft", "level 3,"), ("ArrowRight", "level 3.5,")):
        page.keyboard.press(key)
        size = finished(page, name)
        assert (size, picture(page, "scn"), picture(page, "scn+fcn")) == seen[key]
        assert shown(page) == seen[key][2]
        option = page.locator("#viewer .caption.right option[value='scn+fcn']")
        expect(option).to_have_text(re.compile(f" {size:,} bytes$"))
    page.unroute("**/queue/join*")
    # what is done next is of what shows
    expect(page.locator("#measures")).to_contain_text("PSNR")
    open_room(page, "Edit")
    expect(page.locator("#edit-viewer .world img.right")).to_be_visible()
    # the studio answers the keys one after the other, and the room follows
    edit_room_shows(page, pixels(seen["ArrowRight"][2]))


def test_what_follows_a_switch_is_of_the_layers_that_show(visit, quick_server):
    page = visit(quick_server)
    upload(page, ASTRONAUT)
    finished(page)
    for _ in range(5):  # faster than the studio answers
        page.locator("#use-fcn input").click()
    finished(page)
    expect(page.locator("#readout")).to_contain_text("left out")
    expect(page.locator("#measures")).to_contain_text("PSNR")
    original, drawn = pixels(picture(page, "original")), pixels(shown(page))
    page.locator("#viewer").get_by_role("button", name="Difference").click()
    apart = difference(page)
    assert np.array_equal(apart, np.minimum(4 * np.abs(original.astype(int) - drawn), 255))
    open_room(page, "Edit")
    expect(page.locator("#edit-viewer .world img.right")).to_be_visible()
    edit_room_shows(page, drawn)
    open_room(page, "Compress")
    page.locator("#viewer").get_by_role("button", name="Divider").click()
    page.locator("#use-scn input").click()  # both are off
    expect(page.locator("#note")).to_contain_text("switch one on")
    page.locator("#use-fcn input").click()  # FCN alone is drawn by the studio
    expect(page.locator("#readout")).not_to_contain_text("left out")
    expect(page.locator("#share button")).to_have_attribute("data-copy", re.compile("layers=fcn"))
    expect(page.locator("#note p")).to_have_count(0)


def test_a_draft_shows_while_the_file_is_made(correcting_server, visit):
    url, go = correcting_server
    page = visit(url)
    with Image.open(ASTRONAUT) as photo:  # not by its name: an example has shipped pictures
        upload(page, png(photo))
    expect(page.locator("#note")).to_contain_text("A draft. Bringing it nearer")
    caption = page.locator("#viewer .caption.right")
    expect(caption.locator("option:checked")).to_contain_text("level 3, draft")
    expect(page.locator("#viewer .world img.right[data-name='scn+fcn']")).to_be_visible()
    draft, size = pixels(shown(page)), total_bytes(page)
    with page.expect_download() as download:
        page.locator("#save-file").click()
    assert download.value.suggested_filename.endswith("level3-draft.hsc")
    file = Path(download.value.path()).read_bytes()
    assert len(file) == size and np.array_equal(draft, np.asarray(FakeCodec().decode(file)))
    expect(page.locator("#note")).to_contain_text("step 0 of 3")
    # another level does not wait for it
    page.locator("#stops [data-level='4']").click()
    expect(caption.locator("option:checked")).to_contain_text("level 4, draft")
    assert total_bytes(page) > size
    assert page.locator("#measures dl").count() == 0  # of a draft nothing is measured
    page.locator("#stops [data-level='3']").click()
    expect(caption.locator("option:checked")).to_contain_text("level 3, draft")
    # what leads away ends no file, and nothing is made of a draft
    page.locator("#share-face").click()
    expect(page.locator("#share-note")).to_contain_text("still being drawn")
    open_room(page, "Receive")
    open_room(page, "Compress")
    expect(page.locator("#note")).to_contain_text("A draft. Bringing it nearer")
    go.set()
    finished(page)
    assert not np.array_equal(pixels(shown(page)), draft)
    with page.expect_download() as download:
        page.locator("#save-file").click()
    assert download.value.suggested_filename.endswith("level3.hsc")


def test_who_asks_for_something_else_does_not_wait_for_a_search(searching_server, visit):
    page = visit(searching_server)
    upload(page, ASTRONAUT)
    finished(page)
    page.locator("#refine input").check()
    expect(page.locator("#note")).to_contain_text("Refining, step 1")
    page.locator("#refine input").uncheck()
    finished(page)
    page.locator("#refine input").check()
    expect(page.locator("#note")).to_contain_text("Refining, step 1")
    page.locator("#use-fcn input").click()
    expect(page.locator("#readout")).to_contain_text("left out")
    expect(page.locator("#note")).to_contain_text("Refining, step 1")  # of that file now
    page.locator("#refine input").uncheck()
    finished(page)


def test_a_broken_upload_gives_one_sentence_and_keeps_the_last_picture(visit, server):
    page = visit(server)
    upload(page, ASTRONAUT)
    finished(page)
    before = picture(page, "scn+fcn")
    broken = ASTRONAUT.read_bytes()[:20_000]
    page.locator("#face-chip .chip").click()
    page.locator("#photo").get_by_role("button", name="Remove Image").click()
    upload(page, {"name": "broken.png", "mimeType": "image/png", "buffer": broken})
    toast = page.locator("[data-testid=toast-body]")
    expect(toast).to_contain_text("damaged")
    assert "/" not in toast.inner_text()
    assert picture(page, "scn+fcn") == before
    expect(page.locator("#note p")).to_have_count(0)


def test_without_a_face_the_centre_is_offered(visit, quick_server):
    rows = np.linspace(60, 200, 300, dtype=np.uint8)[:, None, None]
    page = visit(quick_server)
    upload(page, png(Image.fromarray(np.broadcast_to(rows, (300, 500, 3)).copy())))
    expect(page.locator("#no-face")).to_contain_text("No face was found")
    page.locator("#use-centre").click()
    finished(page)
    expect(page.locator("#no-face")).to_have_count(0)


def test_several_faces_are_offered(visit, quick_server):
    with Image.open(ASTRONAUT) as one:
        both = Image.new("RGB", (one.width * 2, one.height), "white")
        both.paste(one, (0, 0))
        both.paste(one.resize((one.width * 4 // 5, one.height * 4 // 5)), (one.width, 0))
    page = visit(quick_server)
    upload(page, png(both))
    finished(page)
    first = picture(page, "original")
    expect(page.locator("#faces img")).to_have_count(2)
    gallery = page.locator("#faces").bounding_box()
    for number in range(2):  # whole, and square
        box = page.locator("#faces button:has(img)").nth(number).bounding_box()
        assert abs(box["width"] - box["height"]) < 2
        assert box["y"] + box["height"] <= gallery["y"] + gallery["height"]
    page.locator("#faces button:has(img)").nth(1).click()
    page.wait_for_function(
        "([first]) => hscViewer.get('viewer').url('original') !== first", arg=[first]
    )
    finished(page)


def test_an_invented_face_is_the_same_for_the_same_seed(visit, server):
    seen = []
    for _ in range(2):
        page = visit(server)
        page.locator("#face-chip .chip").click()
        page.locator("#seed input").fill("11")
        page.locator("#seed input").press("Enter")
        finished(page)
        # there is no file that it could be smaller than
        expect(page.locator("#readout")).to_contain_text("bits per pixel")
        seen.append(picture(page, "scn+fcn"))
    assert seen[0] == seen[1]


def test_examples_have_names_and_six_digits_of_a_seed_fit(visit, quick_server):
    page = visit(quick_server)
    page.locator("#face-chip .chip").click()
    for number, each in enumerate(examples(), 1):
        button = page.get_by_role("button", name=f"Example {number}: {each.label}")
        expect(button).to_be_visible()
    page.locator("#seed input").fill("888888")
    fits = "input => input.scrollWidth <= input.clientWidth"
    assert page.locator("#seed input").evaluate(fits)


def test_the_border_moves_by_keyboard(visit, quick_server):
    page = visit(quick_server)
    upload(page, ASTRONAUT)
    finished(page)
    handle = page.locator("#viewer .divider")
    at = handle.bounding_box()["x"]
    handle.focus()
    page.keyboard.press("Home")
    page.wait_for_function(
        "([x]) => document.querySelector('#viewer .divider').getBoundingClientRect().x < x - 50",
        arg=[at],
    )
    expect(handle).to_have_attribute("aria-valuenow", "0")


def test_both_sides_are_chosen_from_lists_enlarged_and_moved_together(visit, quick_server):
    page = visit(quick_server)
    upload(page, ASTRONAUT)
    total = finished(page)
    viewer = page.locator("#viewer")
    # another codec in as many bytes, made when it is asked for
    viewer.get_by_label("Picture on the left").select_option("webp")
    page.wait_for_function("hscViewer.get('viewer').shown('left').name === 'webp'")
    said = viewer.locator(".caption.left option:checked").inner_text()
    fitting = int(said.split("·")[1].replace(",", "").split()[0]) <= total
    expect(viewer.locator(".caption.left small")).to_contain_text(
        "coded at" if fitting else "cannot go below"
    )
    # another level of the same face
    viewer.get_by_label("Picture on the right").select_option("level-1")
    page.wait_for_function("hscViewer.get('viewer').shown('right').name === 'level-1'")
    assert pixels(shown(page)).shape == (1024, 1024, 3)
    viewer.get_by_role("button", name="Swap the sides").click()
    page.wait_for_function("hscViewer.get('viewer').shown('left').name === 'level-1'")

    # keys, wheel and a double tap; the border stays over the picture
    canvas = viewer.locator(".canvas")
    scale = viewer.locator(".scale")
    canvas.focus()
    page.keyboard.press("+")
    expect(scale).to_have_text("150%")
    unmoved = """() => {
        const sides = document.querySelectorAll("#viewer .world img");
        const [one, other] = [...sides].map((side) => side.getBoundingClientRect());
        const moving = document.querySelector("#viewer").getAnimations({ subtree: true }).length;
        return !moving && one.x === other.x && one.width === other.width;
    }"""
    page.wait_for_function(unmoved)
    before = viewer.locator("img.left").bounding_box()["x"]
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "([x]) => document.querySelector('#viewer img.left').getBoundingClientRect().x < x",
        arg=[before],
    )
    page.keyboard.press("0")
    expect(scale).to_have_text("100%")
    box = canvas.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.wheel(0, -400)
    expect(scale).not_to_have_text("100%")
    page.mouse.dblclick(*middle)
    expect(scale).to_have_text("100%")

    # held, the left picture covers the right one
    left = viewer.locator("img.left")
    assert left.evaluate("picture => getComputedStyle(picture).clipPath") != "none"
    page.keyboard.down("f")
    assert left.evaluate("picture => getComputedStyle(picture).clipPath") == "none"
    page.keyboard.up("f")
    canvas.press("l")
    page.mouse.move(middle[0] + 40, middle[1])
    expect(viewer.locator(".lens")).to_be_visible()
    # a new level keeps what the visitor chose
    page.locator("#stops [data-level='5']").click()
    expect(page.locator("#readout")).to_contain_text("level 5,")
    page.wait_for_function("hscViewer.get('viewer').shown('right').name === 'webp'")
    expect(viewer.get_by_label("Picture on the right")).to_have_value("webp")


def test_levels_are_named_stops_with_their_bytes(visit, quick_server):
    page = visit(quick_server)
    upload(page, ASTRONAUT)
    whole = finished(page)
    stops = page.locator("#stops [data-level]")
    expect(page.locator("#stops .unknown")).to_have_count(0)
    sizes = [
        int(re.search(r"([\d,]+) bytes", t)[1].replace(",", "")) for t in stops.all_inner_texts()
    ]
    assert sizes == sorted(sizes) and sizes[2] == whole
    page.locator("#stops [data-level='1']").click()
    assert finished(page, "level 1,") == sizes[0]
    expect(stops.first).to_have_attribute("aria-pressed", "true")
    page.locator("#use-fcn input").uncheck()
    expect(page.locator("#readout")).to_contain_text("left out")
    assert finished(page, "level 1,") < sizes[0]


def test_the_face_goes_along_to_every_room(visit, quick_server):
    page = visit(quick_server)
    chip = page.locator("#face-chip .chip")
    expect(chip).to_contain_text("Choose a face")
    upload(page, ASTRONAUT)
    total = finished(page)
    expect(chip).to_contain_text(f"level 3 · {total:,} bytes")
    open_room(page, "Receive")
    expect(page.locator("#received-facts")).to_contain_text(f"{total:,} bytes")
    expect(page.locator(RECEIVED)).to_be_visible()
    # another one is chosen without going back, by keyboard
    chip.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Choose a face")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#choose")).to_be_hidden()
    expect(chip).to_be_focused()


def difference(page) -> np.ndarray:
    """The pixels of the viewer's difference."""
    canvas = page.locator("#viewer canvas.difference")
    expect(canvas).to_be_visible()
    url = canvas.evaluate("canvas => canvas.toDataURL()")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))).convert("RGB"))


def test_the_figures_come_after_the_picture_and_the_recipe_names_the_file(visit, server, tmp_path):
    page = visit(server)
    upload(page, ASTRONAUT)
    finished(page)
    expect(page.locator("#measures")).to_contain_text(re.compile("same person|alike"))
    expect(page.locator("#measures")).to_contain_text(re.compile(r"LPIPS 0\.\d{3}"))
    expect(page.locator("#measures")).to_contain_text(re.compile(r"PSNR \d+\.\d dB"))
    saved = {}
    for name in ("file", "recipe"):
        with page.expect_download() as download:
            page.locator(f"#save-{name}").click()
        saved[name] = tmp_path / download.value.suggested_filename
        download.value.save_as(saved[name])
    recipe = sidecar.read(saved["recipe"])
    sidecar.check(recipe, saved["file"].read_bytes())
    assert recipe["encode"] == {
        "level": 3, "layers": "scn+fcn", "face": 0, "align": True, "refine": 0
    }  # fmt: skip

    # the difference is that of the two pictures, amplified as it says
    page.locator("#viewer").get_by_role("button", name="Difference").click()
    page.locator("#viewer .amplify select").select_option("2")
    original, both = (pixels(picture(page, name)) for name in ("original", "scn+fcn"))
    apart = difference(page)
    expected = np.abs(original.astype(int) - both) * 2
    assert np.array_equal(apart, np.minimum(expected, 255))


def test_a_slow_link_brings_scn_before_fcn_at_the_rate_that_it_says(visit, quick_server):
    page = visit(quick_server)
    upload(page, ASTRONAUT)
    total = finished(page)
    page.locator(".link select").select_option("1200")
    page.evaluate(STOP_AT_A_PICTURE)
    page.locator(".link .start").click()
    expect(page.locator(".link .ours img")).to_have_attribute("src", picture(page, "scn"))
    expect(page.locator(".link .stop")).to_be_hidden()
    some = int(page.locator(".link .count span").inner_text().replace(",", ""))
    assert 0 < some < total
    page.locator(".link select").select_option("64000")
    page.locator(".link .start").click()
    expect(page.locator(".link .say")).to_contain_text(f"All {total:,} bytes are here")
    assert source(page, ".link .ours") == picture(page, "scn+fcn")
    expect(page.locator(".link .count")).to_contain_text(f"{8 * total / 64000:.1f} s")


def test_a_link_opens_an_example_at_its_level_and_layers(visit, quick_server):
    page = visit(f"{quick_server}?level=2&layers=scn&example=2")
    finished(page, "level 2,")
    expect(page.locator("#readout")).to_contain_text("left out")
    expect(page.locator("#use-fcn input")).not_to_be_checked()
    copied = page.locator("[data-copy]").get_attribute("data-copy")
    assert copied == "?level=2&layers=scn&example=2"


def test_an_example_shows_before_the_model_is_there(waiting_server, visit):
    url, go = waiting_server
    page = visit(url)
    page.locator(".welcome [data-choose='1']").click()
    expect(page.locator("#readout")).to_contain_text(f"{len(examples()[1].file):,} bytes")
    expect(page.locator("#viewer img.right")).to_be_visible()
    expect(page.locator("#state")).to_contain_text("Loading the model")
    assert "examples" in shown(page)
    assert total_bytes(page) == len(examples()[1].file)
    go.set()
    finished(page)


def test_on_stage_arrow_keys_change_level_and_layers(visit, quick_server):
    page = visit(f"{quick_server}?stage=1&example=1")
    finished(page)
    expect(page.locator("#choose")).to_be_hidden()
    expect(page.locator(".keys")).to_contain_text("level")
    page.keyboard.press("ArrowLeft")
    finished(page, "level 2.5,")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#readout")).to_contain_text("left out")


def test_refining_and_taking_it_back(visit, quick_server):
    page = visit(quick_server)
    upload(page, ASTRONAUT)
    plain = finished(page)
    before = picture(page, "scn+fcn")
    page.locator("#refine input").check()
    expect(page.locator("#times")).to_contain_text("refine")
    finished(page)
    assert picture(page, "scn+fcn") != before
    # the switch goes for whatever is drawn next
    page.locator("#level input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#readout")).to_contain_text("level 3.5,")
    expect(page.locator("#times")).to_contain_text("refine")
    page.locator("#refine input").uncheck()
    expect(page.locator("#times")).not_to_contain_text("refine")
    page.locator("#level input[type=range]").focus()
    page.keyboard.press("ArrowLeft")
    assert finished(page, "level 3,") == plain
    assert picture(page, "scn+fcn") == before
