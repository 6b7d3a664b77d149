"""The page as a whole: loading, small screens."""


import pytest
from playwright.sync_api import expect
from steps import ASTRONAUT, PHONE, finished, upload


def test_it_says_that_it_is_loading(waiting_server, visit):
    url, go = waiting_server
    page = visit(url)
    expect(page.locator("#state")).to_contain_text("Loading the model")
    upload(page, ASTRONAUT)
    expect(page.locator("#note")).to_contain_text("Loading the model")
    go.set()
    expect(page.locator("#state")).to_contain_text("Ready")
    finished(page)


@pytest.mark.parametrize("tab", ["Compress", "Decode", "Explore", "Vision", "About"])
def test_a_phone_scrolls_in_one_direction_only(visit, server, tab):
    page = visit(server, PHONE)
    upload(page, ASTRONAUT)
    finished(page)
    page.get_by_role("tab", name=tab).click()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
