"""The page as a whole: loading, a full queue, small screens."""

import time

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.utils import QueueError
from paths import ASTRONAUT
from playwright.sync_api import expect
from steps import DESK, MODEL_WAIT, PHONE, axe_violations, finished, open_room, upload, wait_until
from visitors import Visitor

OPEN = {
    "compress": "#viewer", "decode": "#receive", "explore": "#explore-controls",
    "vision": "#vision-controls", "about": "#about",
}  # fmt: skip
"""What of each room, or part of one, is visible when it is open."""


def test_it_says_that_it_is_loading(waiting_server, visit):
    url, go = waiting_server
    page = visit(url)
    expect(page.locator("#state")).to_contain_text("Loading the model")
    upload(page, ASTRONAUT)
    expect(page.locator("#note")).to_contain_text("Loading the model")
    go.set()
    expect(page.locator("#state")).to_contain_text("Ready")
    finished(page)


def test_a_part_that_does_not_arrive_is_asked_for_again(quick_server, browser):
    context = browser.new_context(viewport=DESK)
    context.set_default_timeout(MODEL_WAIT)
    page = context.new_page()
    page.clock.install()
    held = []

    def hold_two(route):
        if len(held) < 2:
            held.append(route)
        else:
            route.continue_()

    def a_minute_later(done):
        page.clock.fast_forward("01:05")
        return done()

    page.route("**/assets/Blocks-*.js", hold_two)
    page.goto(quick_server, wait_until="domcontentloaded")
    wait_until(page, lambda: held, lambda: "the part was not asked for")
    loaded_again, stalled = lambda: len(held) == 2, page.locator("#stalled")
    wait_until(page, lambda: a_minute_later(loaded_again), lambda: "it was not loaded again")
    wait_until(page, lambda: a_minute_later(stalled.count), lambda: "nothing is said")
    expect(stalled).to_contain_text("does not arrive")
    held[1].continue_()
    expect(page.get_by_role("tab", name="Lab")).to_be_visible()
    expect(stalled).to_have_count(0)
    context.close()


def test_a_full_queue_is_said_and_whoever_leaves_makes_room(waiting_server, browser):
    url, go = waiting_server
    page = browser.new_page()  # not `visit`: a refusal is an error in the browser's log
    page.set_default_timeout(MODEL_WAIT)
    page.goto(url)
    expect(page.locator("#state")).to_contain_text("Loading the model")
    first, visitor = Visitor(url), Visitor(url)
    photo = visitor.upload("face.png", ASTRONAUT.read_bytes())
    call = "compress", photo, 1.0, "scn", 0, False
    served = first.join(*call)  # waits for the model, and everyone else for this one
    waiting = []
    for _ in range(2):  # the first may leave the queue a little later
        with pytest.raises(httpx.HTTPStatusError) as refused:
            while len(waiting) < 50:
                waiting.append(visitor.join(*call))
        time.sleep(1)
    assert 29 <= len(waiting) <= 32  # the page waits in it too
    assert refused.value.response.status_code == 503
    assert "Queue is full" in refused.value.response.json()["detail"]
    client = Client(url, verbose=False)
    with pytest.raises(QueueError, match="Queue is full"):
        client.predict(handle_file(ASTRONAUT), api_name="/compress")
    upload(page, ASTRONAUT)
    toast = page.locator("[data-testid=toast-body]").first
    expect(toast).to_contain_text("currently busy. Please try again")
    visitor.cancel("compress", waiting[-1])
    visitor.join(*call)  # there is room again
    go.set()
    assert first.wait(served).output
    page.close()


@pytest.mark.parametrize("tab", ["compress", "decode", "explore", "vision", "about"])
def test_a_phone_scrolls_in_one_direction_only(visit, server, tab):
    page = visit(f"{server}?tab={tab}", PHONE)  # rooms, and parts of them, by their old names too
    upload(page, ASTRONAUT)
    expect(page.locator(OPEN[tab])).to_be_visible()
    page.wait_for_function("document.querySelector('#face-chip small')")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    if tab == "decode":  # nothing is folded away, and nothing reaches out of its box
        for part in ("#received", "#pasted"):
            assert page.locator(part).bounding_box()["height"] > 60, part
        fits = "box => box.scrollWidth <= box.clientWidth + 1"
        assert page.locator("#received-layers .wrap:has(> label)").evaluate(fits)


def test_every_room_can_be_read_by_everybody(visit, quick_server, modules):
    """Rules of WCAG by axe-core: names, roles, contrast, order; light and dark."""
    page = visit(quick_server)
    upload(page, ASTRONAUT)
    finished(page)
    wrong = []
    for room, part in (
        ("Compress", ""),
        ("Receive", ""),
        ("Edit", ""),
        ("Video", ""),
        ("Lab", "Vision"),
    ):
        open_room(page, room, part)
        page.wait_for_function("!document.querySelector('.note.busy')")
        wrong += [(room, *each) for each in axe_violations(page, modules)]
    assert wrong == []


def test_keys_reach_the_head_the_picture_and_the_panel_in_that_order(visit, quick_server):
    page = visit(quick_server)
    upload(page, ASTRONAUT)  # before there is a face, the panel welcomes and has nothing to save
    finished(page)
    expect(page.locator("#viewer img.right")).to_be_visible()
    order = []
    for _ in range(50):
        page.keyboard.press("Tab")
        order.append(
            page.evaluate(
                """() => {
                  const at = document.activeElement;
                  return ["#face-chip", "#tabs > .tab-wrapper", "#viewer", "#steer", "#save"]
                    .find((part) => at.closest(part)) ?? "";
                }"""
            )
        )
    seen = list(dict.fromkeys(filter(None, order)))
    assert seen == ["#face-chip", "#tabs > .tab-wrapper", "#viewer", "#steer", "#save"]


def go_to(page, where: str) -> None:
    """Press Tab until something at that place has the focus."""
    for _ in range(90):
        page.keyboard.press("Tab")
        if page.evaluate("where => Boolean(document.activeElement.closest(where))", where):
            return
    raise AssertionError(f"the Tab key does not come to {where}")


def test_a_face_is_compressed_edited_and_saved_by_keyboard_alone(visit, quick_server):
    page = visit(quick_server)
    expect(page.locator("#state")).to_contain_text("Ready")
    go_to(page, "#face-chip .chip")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Choose a face")).to_be_visible()
    go_to(page, "#examples .gallery-item")
    page.keyboard.press("Enter")
    whole = finished(page)
    expect(page.locator("#stops .unknown")).to_have_count(0)  # the buttons that stay
    go_to(page, "#stops [data-level='1']")
    page.keyboard.press("Enter")
    assert finished(page, "level 1,") < whole
    go_to(page, "#use-fcn input")
    page.keyboard.press("Space")
    expect(page.locator("#readout")).to_contain_text("left out")
    finished(page, "level 1,")
    go_to(page, "#save-file")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "astronaut-level1.hsc"

    go_to(page, "#tabs > .tab-wrapper [data-tab-id=edit]")
    page.keyboard.press("Enter")
    expect(page.locator("#edit-viewer .world img.right")).to_be_visible()
    go_to(page, "#edit-smile input[type=range]")
    page.keyboard.press("End")
    expect(page.locator("#edit-viewer .caption.right small")).to_contain_text("more smile (+1.5)")
    expect(page.locator("#edit-undo")).to_be_enabled()
    go_to(page, "#edit-make-file")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "edited.hsc"
