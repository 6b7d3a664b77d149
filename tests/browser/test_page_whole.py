"""The page as a whole: loading, a full queue, small screens."""

import time

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.utils import QueueError
from paths import ASTRONAUT
from playwright.sync_api import expect
from steps import PHONE, finished, upload
from visitors import Visitor


def test_it_says_that_it_is_loading(waiting_server, visit):
    url, go = waiting_server
    page = visit(url)
    expect(page.locator("#state")).to_contain_text("Loading the model")
    upload(page, ASTRONAUT)
    expect(page.locator("#note")).to_contain_text("Loading the model")
    go.set()
    expect(page.locator("#state")).to_contain_text("Ready")
    finished(page)


def test_a_full_queue_is_said_and_whoever_leaves_makes_room(waiting_server, browser):
    url, go = waiting_server
    page = browser.new_page()  # not `visit`: a refusal is an error in the browser's log
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


@pytest.mark.parametrize("tab", ["Compress", "Decode", "Explore", "Vision", "About"])
def test_a_phone_scrolls_in_one_direction_only(visit, server, tab):
    page = visit(server, PHONE)
    upload(page, ASTRONAUT)
    finished(page)
    page.get_by_role("tab", name=tab).click()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
