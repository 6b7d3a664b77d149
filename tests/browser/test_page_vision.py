"""The Vision tab in a real browser."""

import re

from playwright.sync_api import expect
from steps import open_room, source


def test_three_pictures_are_read_side_by_side(visit, server):
    page = visit(server)
    open_room(page, "Lab", "Vision")
    page.locator("#vision-example").click()
    expect(page.locator("#vision-summary")).to_contain_text("the same person")
    for name in ("original", "decoded", "avif"):
        expect(page.locator(f"#view-{name} img")).to_be_visible()
        expect(page.locator(f"#seen-{name}")).to_contain_text("Guessed age")
    expect(page.locator("#view-avif label")).to_contain_text(re.compile(r"AVIF at \d+ px"))
    expect(page.locator("#vision-caveat")).to_contain_text("guesses of networks")
    expect(page.locator("#vision-note p")).to_have_count(0)
    marked = source(page, "#view-decoded")
    page.locator("#vision-marks input").uncheck()
    expect(page.locator("#view-decoded img")).not_to_have_attribute("src", marked)
