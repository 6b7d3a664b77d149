"""A page that is left open for longer than the server keeps files."""

import json
import time

from paths import ASTRONAUT
from playwright.sync_api import expect
from steps import PHONE, finished, upload, wait_until

from app import cleanup

SLEEP = 4  # s; far more than the stand-in codec takes


def test_a_page_left_open_past_the_sweep_can_still_download(visit, quick_server, temporary):
    page = visit(quick_server)
    page.clock.install()
    upload(page, ASTRONAUT)
    size = finished(page)
    page.wait_for_function("document.querySelector('#measures dl span')")  # the last that is shown
    fetched = []
    page.on("requestfinished", lambda request: fetched.append(request.url.rsplit(".")[-1]))
    page.clock.fast_forward("30:00")
    kinds = {"hsc", "png", "json"}
    wait_until(page, lambda: kinds <= set(fetched), lambda: f"the page has kept {fetched} only")
    page.wait_for_timeout(1000)  # what was fetched is kept a little later
    assert cleanup.sweep(temporary, now=time.time() + cleanup.LONGEST + 1) > 3
    saved = {}
    for button in ("#save-file", "#save-picture", "#save-recipe"):
        with page.expect_download() as download:
            page.locator(button).click()
        saved[button] = download.value.path().read_bytes()
    assert len(saved["#save-file"]) == size and saved["#save-file"].startswith(b"HSC")
    assert saved["#save-picture"].startswith(b"\x89PNG")
    assert json.loads(saved["#save-recipe"])


def test_a_phone_that_slept_meanwhile_still_gets_its_picture(visit, waiting_server):
    url, go = waiting_server
    page = visit(url, PHONE)
    browser = page.context.new_cdp_session(page)
    upload(page, ASTRONAUT)
    expect(page.locator("#note")).to_contain_text("Loading the model")
    browser.send("Page.setWebLifecycleState", {"state": "frozen"})
    go.set()
    time.sleep(SLEEP)  # the studio finds, compresses and draws; nobody listens
    browser.send("Page.setWebLifecycleState", {"state": "active"})
    finished(page)
    assert page.locator("#viewer img.right").evaluate("image => image.naturalWidth") == 1024
