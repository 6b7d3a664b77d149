"""Two studios behind nginx, with TLS and under a path."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

import httpx
import pytest
from fakes import FakeCodec
from gradio_client import Client, handle_file
from paths import ASTRONAUT, STREAMS
from PIL import Image, ImageOps
from playwright.sync_api import Browser, Page, expect
from proxy import answers, free_ports, proxied, start_studio
from steps import DESK, MODEL_WAIT, finished, open_room, png, shown, upload

from app.page import launch_options
from hsc.bitstream.text import to_text

HOST = "studio.example"  # which the browser of the tests takes to this machine
PATH = "/studio/"


@dataclass
class Site:
    """The proxy's port, and the studios behind it by theirs."""

    port: int
    studios: dict[int, Popen[bytes]]

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}{PATH}"

    def coded(self, port: int) -> float:
        """How many faces a studio has coded, asked of it directly."""
        text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
        found = re.search(r"^hsc_faces_coded_total (\S+)$", text, re.MULTILINE)
        assert found
        return float(found[1])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("proxy")
    files = tmp_path_factory.mktemp("visitors")  # which both studios read and write
    environment = {"GRADIO_TEMP_DIR": str(files), "GRADIO_ROOT_PATH": PATH.rstrip("/")}
    studios = {port: start_studio(port, folder, **environment) for port in free_ports(2)}
    try:
        for port, process in studios.items():
            answers(port, process)
        with proxied("nginx-path.conf", folder, list(studios)) as port:
            yield Site(port, studios)
    finally:
        for process in studios.values():
            process.kill()
            process.wait(20)


@pytest.fixture
def page(site: Site, browser: Browser) -> Iterator[Page]:
    """The page, whose every request goes to the site, below its path."""
    context = browser.new_context(viewport=DESK, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(MODEL_WAIT)
    wrong: list[str] = []

    def watch(url: str, status: int) -> None:
        if not url.startswith((site.url, "data:", "blob:")) or status >= 400:
            wrong.append(f"{status} {url}")

    page.on("response", lambda response: watch(response.url, response.status))
    page.on("requestfailed", lambda r: None if r.failure == "net::ERR_ABORTED" else watch(r.url, 0))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(site.url)
    yield page
    context.close()
    assert wrong == []


def fetched(page: Page, address: str) -> int:
    """How many bytes the page itself gets from an address."""
    status, size = page.evaluate(
        """async address => {
          const answer = await fetch(address);
          return [answer.status, (await answer.arrayBuffer()).byteLength];
        }""",
        address,
    )
    assert status == 200, f"{status} {address}"
    return size


def upload_and_wait(page: Page, photo: dict | Path = ASTRONAUT) -> int:
    """Send a photo; the bytes of its file, after those of the example that was there."""
    size = page.locator("#readout .size span")
    before = size.inner_text()
    upload(page, photo)
    expect(size).not_to_have_text(before)
    return finished(page)


def test_uploads_pictures_and_downloads_work(site: Site, page: Page) -> None:
    size = upload_and_wait(page)
    assert shown(page).startswith((site.url, "blob:")) and fetched(page, shown(page))
    # Chromium saves nothing from a host whose certificate nobody signed: the link is looked at
    page.evaluate(
        """() => document.addEventListener("click", (event) => {
          const link = event.target.closest?.("a[download]");
          if (link) { window.saved = link.href; event.preventDefault(); }
        }, true)"""
    )
    page.locator("#save-file").click()
    page.wait_for_function("window.saved")
    assert fetched(page, page.evaluate("window.saved")) == size


def test_a_link_opens_its_face_and_tells_the_whole_address(site: Site, page: Page) -> None:
    codec = FakeCodec()
    text = to_text(codec.encode(codec.random_face(1), 1))
    page.goto(f"{site.url}?face={text}")
    page.wait_for_function(
        """start => [...document.querySelectorAll("textarea, input")]
          .some(each => each.value.startsWith(start))""",
        arg=f"{site.url}?face=",
    )


def test_what_the_page_serves_beside_gradio_is_there(site: Site, page: Page) -> None:
    """Charts and the receiver, which decodes in the browser."""
    open_room(page, "Lab", "Explore")
    page.wait_for_function("window.Plotly")
    for route in launch_options()["app_kwargs"]["routes"]:
        # the live routes answer to a camera, and have a test of their own
        if route.path not in ("/metrics", "/receive") and not route.path.startswith("/live/"):
            assert fetched(page, site.url + route.path.strip("/"))
    face = to_text((STREAMS / "level1.hsc").read_bytes())
    page.goto(f"{site.url}receive?face={face}")
    page.wait_for_selector("canvas[data-opened]")
    assert page.url.startswith(f"{site.url}receive/")


def test_endpoints_answer(site: Site) -> None:
    client = Client(f"https://127.0.0.1:{site.port}{PATH}", ssl_verify=False, verbose=False)
    path, _, sizes = client.predict(handle_file(ASTRONAUT), level=2, api_name="/compress")
    assert Path(path).stat().st_size == sizes["bytes"]["total"]


def test_a_dead_studio_costs_its_visitors_one_click(site: Site, browser: Browser) -> None:
    context = browser.new_context(viewport=DESK)
    page = context.new_page()
    page.set_default_timeout(MODEL_WAIT)
    page.goto(site.url)
    before = {port: site.coded(port) for port in site.studios}
    mirrored = ImageOps.mirror(Image.open(ASTRONAUT))  # which no studio has in memory
    size = upload_and_wait(page, png(mirrored))
    page.wait_for_function("sessionStorage.getItem('hsc-last-face')")
    (mine,) = [port for port in site.studios if site.coded(port) > before[port]]
    site.studios[mine].kill()
    site.studios[mine].wait(20)
    # the other one knows neither the visitor nor the face; Gradio may load the page by itself
    page.keyboard.press("Shift")
    page.get_by_role("button", name=re.compile("^Go on with")).click()
    expect(page.locator("#received-picture img.right")).to_be_visible()
    expect(page.locator("#received-facts")).to_contain_text(f"{size:,}")
    context.close()
