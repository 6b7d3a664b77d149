"""What visitors do, for the tests of the page."""

import io
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np
from PIL import Image
from playwright.sync_api import Page, Request, Route

DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
MODEL_WAIT = 240_000  # ms; drawing takes seconds on a small machine, where other tests run too

QUIET = 1.5  # s without an answer under way: what follows an answer has started by then
_answers: WeakKeyDictionary[Page, set[Request]] = WeakKeyDictionary()


def watch_answers(page: Page) -> None:
    """Know which calls and answers of Gradio's queue are under way; before the page is opened."""
    under_way = _answers[page] = set()
    page.on("request", lambda r: under_way.add(r) if "/queue/" in r.url else None)
    page.on("requestfinished", lambda r: under_way.discard(r))
    page.on("requestfailed", lambda r: under_way.discard(r))


def at_rest(page: Page) -> None:
    """Wait until no answer is under way: Gradio logs an error for each that a reload cuts off."""
    busy = time.monotonic()

    def quiet() -> bool:
        nonlocal busy
        if _answers[page]:
            busy = time.monotonic()
        return time.monotonic() >= busy + QUIET

    wait_until(page, quiet, lambda: "Gradio's queue does not come to rest.")


def wait_until(page: Page, done: Callable[[], object], still: Callable[[], str]) -> None:
    """Ask until it is done, while the page goes on; ``still`` says what was not, too late."""
    end = time.monotonic() + MODEL_WAIT / 1000
    while not done():
        assert time.monotonic() < end, still()
        page.wait_for_timeout(50)


# index of an event of the page, by the id of the button that starts it
_EVENT = """id => {
  const { components, dependencies } = window.gradio_config;
  const button = components.find(({ props }) => props.elem_id === id).id;
  return dependencies.find(({ targets }) => targets.some(([target]) => target === button)).id;
}"""


class Calls:
    """What the page asks of the server; held back until `let_through`.

    Args:
        room: begins the ids of the buttons of previews, as in `app/components/local_previews.py`.
    """

    def __init__(self, page: Page, room: str) -> None:
        self.preview: int = page.evaluate(_EVENT, f"{room}-follow")
        self.asked: list[int] = []
        self.amounts: dict[int, list] = {}  # by event, of its last call
        self.held: list[tuple[int, Route]] | None = []
        page.route("**/queue/join*", self._note)

    def _note(self, route: Route) -> None:
        asked = route.request.post_data_json
        self.asked.append(asked["fn_index"])
        self.amounts[asked["fn_index"]] = asked["data"]
        if self.held is None:
            route.continue_()
        else:
            self.held.append((asked["fn_index"], route))

    def let_through(self) -> None:
        held, self.held = self.held, None
        for _, route in held or ():
            route.continue_()


def upload(page: Page, photo) -> None:
    page.locator("#photo input[type=file]").set_input_files(photo)


def finished(page: Page, level: str = "level 3,") -> int:
    """Wait until the pictures at a level are drawn; the bytes of the chosen file."""
    page.wait_for_function(
        """level => {
          const text = (where) => document.querySelector(where)?.textContent ?? "";
          const caption = document.querySelector("#viewer .caption.right");
          const version = window.hscViewer?.get("viewer")?.state.version ?? "example-";
          if (/^(example|arriving)-/.test(version)) return false; // shipped, or on its way
          return text("#readout").includes(level)
            && caption?.querySelector("option:checked")?.text
              .includes(` ${text("#readout .size span")} bytes`)
            && !caption.matches(".stale") && !document.querySelector("#note p");
        }""",
        arg=level,
    )
    return total_bytes(page)


def total_bytes(page: Page) -> int:
    return int(page.locator("#readout .size span").inner_text().replace(",", ""))


def source(page: Page, selector: str) -> str:
    return page.locator(f"{selector} img").last.get_attribute("src")


def shown(page: Page, side: str = "right", viewer: str = "viewer") -> str:
    """The address of the picture that a side of a viewer shows."""
    return page.evaluate("([id, side]) => hscViewer.get(id).shown(side).url", [viewer, side])


def picture(page: Page, name: str, viewer: str = "viewer") -> str:
    """The address of a viewer's picture, whether it shows or not; "" where it is not made yet."""
    return page.evaluate("([id, name]) => hscViewer.get(id).url(name)", [viewer, name])


def open_room(page: Page, name: str, part: str = "") -> None:
    """Open a room by its tab, or one of its parts."""
    for each in filter(None, (name, part)):
        page.get_by_role("tab", name=each, exact=True).click()


def pixels(url: str) -> np.ndarray:
    with urllib.request.urlopen(url) as answer:
        return np.asarray(Image.open(io.BytesIO(answer.read())).convert("RGB"))


def png(image: Image.Image, name: str = "photo.png") -> dict:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return {"name": name, "mimeType": "image/png", "buffer": buffer.getvalue()}


def closeness(a: Image.Image, b: Image.Image) -> float:
    """PSNR of two pictures in dB."""
    x, y = (np.asarray(i.convert("RGB"), np.float64) for i in (a, b))
    return float(10 * np.log10(255**2 / max(1e-9, ((x - y) ** 2).mean())))


# Of Gradio's own making, inside its components or around the page.
GRADIOS_OWN = (
    "footer", ".toast-wrap", ".js-plotly-plot", ".upload-container", ".block input[type=file]",
    "[aria-label='Empty value']",  # what an empty gallery or image shows: a name without a role
    "button[aria-label='common.upload']",  # of a list of files: it has its input inside
    ".thumbnail-item",  # of a gallery: its number is its name, its caption its picture's too
)  # fmt: skip
AXE = "axe.run({exclude: %s})"
SETTLED = "!document.getAnimations().some((each) => each instanceof CSSTransition)"
"""Colours are the scheme's, no longer on their way from the other's."""


def axe_violations(page: Page, modules: Path) -> list[tuple]:
    """What axe-core finds on the page as it is, in the light and in the dark.

    Args:
        modules: the folder of JavaScript packages.

    Returns:
        Scheme, rule, and the first elements that break it.
    """
    axe = (modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    wrong = []
    for scheme in ("light", "dark"):
        page.evaluate("dark => document.body.classList.toggle('dark', dark)", scheme == "dark")
        page.wait_for_function(SETTLED)
        page.evaluate(axe)
        found = page.evaluate(AXE % list(GRADIOS_OWN))["violations"]
        wrong += [
            (scheme, rule["id"], [node["html"][:160] for node in rule["nodes"]][:4])
            for rule in found
        ]
    return wrong
