"""The Explore tab in a real browser."""

import re

from playwright.sync_api import Page, expect
from steps import axe_violations, open_room, source


def open_tab(visit, server) -> Page:
    page = visit(server)
    open_room(page, "Lab", "Explore")
    # a preview comes first
    page.wait_for_function("document.querySelector('#picked-face img')?.naturalWidth === 1024")
    settled(page)
    return page


def settled(page: Page) -> None:
    expect(page.locator("#explore-note p.busy")).to_have_count(0)


def test_faces_are_found_by_click_by_place_and_on_other_axes(visit, server):
    page = open_tab(visit, server)
    first = source(page, "#picked-face")
    expect(page.locator("#picked-face label")).to_contain_text("Generated face 0")
    expect(page.locator("#face-map .main-svg image").first).to_be_visible()

    # a typed place
    page.locator("#at-x input").fill("1.2")
    page.locator("#at-y input").fill("-0.8")
    page.locator("#go").click()
    expect(page.locator("#picked-face label")).to_contain_text("The face at this place")
    settled(page)
    typed = source(page, "#picked-face")
    assert typed != first

    # a click on the map: wherever it is, another face
    box = page.locator("#face-map .nsewdrag").bounding_box()
    page.mouse.click(box["x"] + 12, box["y"] + box["height"] - 12)
    expect(page.locator("#at-x input")).not_to_have_value("1.2")
    settled(page)
    assert source(page, "#picked-face") != typed

    # a place where nobody lives
    page.locator("#at-x input").fill("99")
    page.locator("#go").click()
    expect(page.locator("[data-testid=toast-body]")).to_contain_text("choose a place")
    settled(page)

    # the same map along an edit
    page.locator("#axis-x input").click()
    page.get_by_role("option", name="Age", exact=True).click()
    expect(page.locator("#face-map .xtitle")).to_have_text("Age (years)")


def test_what_shows_is_there_when_one_comes_back(visit, server):
    page = open_tab(visit, server)
    face, axis = source(page, "#picked-face"), page.locator("#at-x input").input_value()
    page.get_by_role("link", name="About").click()
    expect(page.locator("#about")).to_be_visible()
    open_room(page, "Lab")
    page.wait_for_timeout(3000)  # whatever comes of opening the tab has come
    assert source(page, "#picked-face") == face
    expect(page.locator("#at-x input")).to_have_value(axis)
    expect(page.locator("#face-map .main-svg image").first).to_be_visible()


def test_no_progress_line_stays_after_an_error(visit, server):
    page = open_tab(visit, server)
    page.locator("#explore-example").click()
    expect(page.locator("#heat img")).to_be_visible()
    settled(page)
    page.locator("#axis-x input").click()
    page.get_by_role("option", name=re.compile("^Axis 2")).click()  # both are the same
    expect(page.locator("[data-testid=toast-body]")).to_contain_text("two different axes")
    settled(page)


def test_a_photo_is_placed_counted_and_measured(visit, server, modules):
    page = open_tab(visit, server)
    page.locator("#explore-example").click()
    expect(page.locator("#heat img")).to_be_visible()
    expect(page.locator("#bits-words")).to_contain_text(re.compile(r"Where the [\d,]+ bytes went"))
    expect(page.locator("#face-map")).to_contain_text("your photo")
    expect(page.locator("#style-bits .point")).to_have_count(23)
    settled(page)

    # the first points of the curve come one by one, and it can be stopped
    page.locator("#curve-others input").uncheck()
    page.locator("#sweep").click()
    expect(page.locator("#curve-progress")).to_contain_text("of 7")
    expect(page.locator("#curve-which input")).to_be_visible()
    expect(page.locator("#curve .points path")).not_to_have_count(0)  # while others are measured
    page.locator("#sweep-stop").click()
    expect(page.locator("#curve-progress")).to_contain_text("Stopped")
    page.locator("#curve-which input").click()
    page.get_by_role("option", name=re.compile("level 1")).first.click()
    expect(page.locator("#curve-picture img")).to_be_visible()
    expect(page.locator("#curve-picture label")).to_contain_text("bytes")
    assert axe_violations(page, modules) == []
