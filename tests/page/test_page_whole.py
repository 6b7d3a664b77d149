"""The page as a whole: loading, small screens."""

import threading

import pytest
from fakes import FakeCodec
from playwright.sync_api import expect
from steps import ASTRONAUT, PHONE, finished, upload

from app.page import build, launch_options
from app.service import Studio


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
        page.goto("about:blank")  # which does not mind that its server goes
    finally:
        go.set()
        demo.close()


@pytest.mark.parametrize("tab", ["Compress", "Decode", "Explore", "Vision", "About"])
def test_a_phone_scrolls_in_one_direction_only(visit, server, tab):
    page = visit(server, PHONE)
    upload(page, ASTRONAUT)
    finished(page)
    page.get_by_role("tab", name=tab).click()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
