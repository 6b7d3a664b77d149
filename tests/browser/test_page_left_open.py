"""A page that is left open for longer than the server keeps files."""

import json
import time

from paths import ASTRONAUT
from steps import finished, upload

from app import cleanup


def test_a_page_left_open_past_the_sweep_can_still_download(visit, quick_server, temporary):
    page = visit(quick_server)
    page.clock.install()
    upload(page, ASTRONAUT)
    size = finished(page)
    page.wait_for_function("document.querySelector('#measures dl span')")  # the last that is shown
    fetched = []
    page.on("requestfinished", lambda request: fetched.append(request.url.rsplit(".")[-1]))
    page.clock.fast_forward("30:00")
    for _ in range(100):
        if {"hsc", "png", "json"} <= set(fetched):
            break
        page.wait_for_timeout(100)
    assert cleanup.sweep(temporary, now=time.time() + cleanup.LONGEST + 1) > 3
    saved = {}
    for button in ("#save-file", "#save-picture", "#save-recipe"):
        with page.expect_download() as download:
            page.locator(button).click()
        saved[button] = download.value.path().read_bytes()
    assert len(saved["#save-file"]) == size and saved["#save-file"].startswith(b"HSC")
    assert saved["#save-picture"].startswith(b"\x89PNG")
    assert json.loads(saved["#save-recipe"])
