"""The Decode tab in a real browser."""

from playwright.sync_api import expect


def test_a_file_that_is_none_gives_one_sentence(visit, server):
    page = visit(server)
    page.get_by_role("tab", name="Decode").click()
    page.locator("#received input[type=file]").set_input_files(
        {"name": "x.hsc", "mimeType": "application/octet-stream", "buffer": b"GIF89a" * 9}
    )
    expect(page.locator("[data-testid=toast-body]")).to_contain_text("not a .hsc file")
    expect(page.locator("#received-note p")).to_have_count(0)
