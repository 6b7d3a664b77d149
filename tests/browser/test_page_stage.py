"""The landing, sharing, damaged links and the stage: what a visitor shows to others."""

import re
import urllib.request

from playwright.sync_api import expect
from steps import at_rest, finished

from hsc.images import marks

STAGE = {"width": 1280, "height": 720}


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url) as answer:
        return answer.read()


def drawn(page):
    """Wait until the face itself is drawn here, after the pictures that ship."""
    expect(page.locator("#times")).to_contain_text("SCN + FCN")
    finished(page)


def open_example(page):
    page.locator(".welcome [data-choose='0']").click()
    drawn(page)


def test_the_landing_moves_by_itself_and_goes_when_there_is_a_face(quick_server, visit):
    page = visit(quick_server, STAGE)
    landing = page.locator(".landing")
    expect(landing).to_be_visible()
    landing.locator("button[data-stage='0']").click()
    expect(landing.locator(".left span")).to_have_text(re.compile(r"^\d\d bytes$"))
    expect(landing.locator(".none")).to_have_class(re.compile("on"))
    landing.locator(".pause").click()
    page.wait_for_function("() => document.querySelector('.landing').dataset.shows !== '0'")
    for picture in landing.locator("img").all():
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    open_example(page)
    expect(landing).to_be_hidden()

    page.emulate_media(reduced_motion="reduce")
    expect(page.locator("#stops .unknown")).to_have_count(0)  # the last that is asked for
    at_rest(page)
    page.reload()
    expect(landing).to_have_class(re.compile("paused"))
    expect(landing.locator("button[data-stage='3']")).to_have_attribute("aria-pressed", "true")


def test_a_face_is_shared_as_link_card_and_clip(quick_server, visit):
    page = visit(quick_server)
    open_example(page)
    page.locator("#share-face").click()
    expect(page.locator("#share-link")).to_contain_text("whole face")
    copied = page.locator("#share-link .copy").get_attribute("data-copy")
    expect(page.locator("#share-made")).to_contain_text("neural network")
    card = page.locator("#share-made img").first
    assert card.evaluate("image => image.decode().then(() => image.naturalWidth)") == 1800
    clip = page.locator("#share-made video")
    expect(clip).to_be_visible()
    assert marks.read(fetched(card.evaluate("image => image.src"))).source == marks.COMPOSITE
    assert marks.read(fetched(clip.evaluate("video => video.src"))).source == marks.COMPOSITE

    face = visit(f"{quick_server}{copied}")
    expect(face.locator("#received-picture img.right")).to_be_visible()
    damaged = visit(f"{quick_server}{copied[:-1]}")
    expect(damaged.locator("[data-testid=toast-body]")).to_contain_text("check character")


def test_the_stage_is_one_screen_with_a_key_for_everything(quick_server, visit):
    page = visit(f"{quick_server}?stage=1&example=1", STAGE)
    drawn(page)
    keys = page.locator(".keys")
    expect(keys).to_be_hidden()
    page.keyboard.press("?")
    expect(keys).to_be_visible()
    assert page.evaluate("document.documentElement.scrollHeight") <= STAGE["height"]
    for part in ("#viewer .canvas", "#readout .size", "#stops", "#layers"):
        box = page.locator(part).bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= STAGE["height"], part

    link = page.locator("#link .link")
    expect(link).to_be_hidden()
    assert page.locator("#link select").input_value() == "1200"
    page.locator("#link select").evaluate("select => { select.value = '64000'; }")
    page.keyboard.press(" ")
    expect(link).to_be_visible()
    expect(link.locator(".screen.ours img")).to_be_visible()
    expect(link.locator(".screen.theirs")).to_contain_text("AVIF in as many bytes")
    expect(link.locator(".say")).to_contain_text("bytes are here")
    widths = link.locator(".part").evaluate_all(
        "parts => parts.map(p => p.firstChild.offsetWidth / p.offsetWidth)"
    )
    assert len(widths) == 3 and min(widths) > 0.95
    page.keyboard.press(" ")
    expect(link).to_be_hidden()

    page.keyboard.press("q")
    expect(page.locator(".stage-qr svg")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".stage-qr")).to_be_hidden()
    page.keyboard.press("b")
    expect(page.locator(".stage-blank")).to_be_visible()
    page.keyboard.press("b")

    page.keyboard.press("c")
    expect(page.locator("#viewer .caption.left option:checked")).to_contain_text("AVIF")
    page.keyboard.press("e")
    expect(page.locator("#presets")).to_be_visible()
    page.keyboard.press("e")
    expect(page.locator("#viewer")).to_be_visible()
    page.keyboard.press("n")
    expect(page.locator("#face-chip")).to_contain_text("face-1")
