"""The studio serves the receiver: a face decoded in the browser at ``/receive``."""

from paths import STREAMS

from hsc.bitstream.text import to_text


def test_the_studio_serves_the_receiver(quick_server, visit) -> None:
    text = to_text((STREAMS / "level1.hsc").read_bytes())
    page = visit(f"{quick_server}receive?face={text}")
    page.wait_for_selector("canvas[data-opened]")
    assert page.url.endswith("/receive/") or "/receive/?" in page.url
    assert page.locator("#alert").is_hidden()
    assert page.evaluate("crossOriginIsolated")
