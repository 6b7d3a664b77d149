"""Record a minute of the studio in a browser: from the landing to a shared face, and the stage.

    python bench/recording.py OUT [--scheme dark]

Writes ``studio.mp4`` and a picture of every scene into the folder OUT, which lies outside of the
repository. Everything is done through the page, as a visitor does it, in Chromium and over the
studio with its real model. What a hand does is shown at the speed of a hand, however busy the
machine is. Where the studio computes for longer than a second the rest of the wait is cut, and the
line below the picture says how long it was. Needs Chromium, as the page tests do.
"""

from __future__ import annotations

import argparse
import base64
import shutil
import sys
import tempfile
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from playwright.sync_api import Locator, Page, sync_playwright

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from app.services.clips import FPS, mp4  # noqa: E402
from app.services.lettering import GREY, INK, PAPER, write  # noqa: E402

# isort: split
from load import start  # noqa: E402
from page_timings import BROWSERS  # noqa: E402

SIZE = {"width": 1280, "height": 720}
LINE = 48  # pixels below the page, for what is done
SEEN_WAITING = 1.0  # s of a wait that stay in
GLIDE, STEPS = 0.5, 8  # s in which the pointer goes to where it presses, and in how many steps
THUMB = 16  # pixels of a slider's
EYE = (0.36, 0.47)  # of the astronaut's picture: her right eye
POINTER = """
addEventListener("DOMContentLoaded", () => {
  const dot = document.createElement("div");
  dot.style.cssText = "position:fixed;z-index:2147483647;left:-40px;top:-40px;width:22px;"
    + "height:22px;translate:-50% -50%;border-radius:50%;background:rgb(20 20 19/.3);"
    + "border:2px solid #fff;pointer-events:none;box-shadow:0 0 4px rgb(0 0 0/.5);"
    + "box-sizing:border-box";
  (document.fullscreenElement ?? document.body).append(dot);
  addEventListener("mousemove", (event) => {
    dot.style.left = `${event.clientX}px`;
    dot.style.top = `${event.clientY}px`;
  }, true);
  for (const [kind, scale] of [["mousedown", 0.6], ["mouseup", 1]]) {
    addEventListener(kind, () => { dot.style.scale = scale; }, true);
  }
});
"""
DRAWN = """() => {
  const text = (where) => document.querySelector(where)?.textContent ?? "";
  const caption = document.querySelector("#viewer .caption.right");
  const chosen = caption?.querySelector("option:checked")?.text ?? "";
  const version = window.hscViewer?.get("viewer")?.state.version ?? "example-";
  return !/^(example|arriving)-/.test(version) && !caption.matches(".stale")
    && !document.querySelector("#note p")
    && chosen.includes(` ${text("#readout .size span")} bytes`);
}"""
"""The picture and its figures are those of what was chosen last."""
EDITED = """() => document.querySelector("#edit-viewer .world img.right")?.naturalWidth === 1024
  && !document.querySelector("#edit-note p")"""


class Recording:
    """Frames of a page as Chromium paints them, and what is said below them.

    The film's time is that of the acts: what they took on a machine with other work is left out.

    Attributes:
        frames: seconds, and the JPEG file of what showed from then on.
        said: seconds, and the line below the picture from then on.
        acts: begin and end in seconds, and how long the film shows what came between.
        scenes: name of each, and the number of acts before it.
    """

    def __init__(self, page: Page, folder: Path) -> None:
        self.page, self.folder = page, folder
        self.frames: list[tuple[float, Path]] = []
        self.said: list[tuple[float, str]] = []
        self.acts: list[tuple[float, float, float]] = []
        self.scenes: list[tuple[str, int]] = []

    def begin(self) -> None:
        self._cdp = self.page.context.new_cdp_session(self.page)
        self._cdp.on("Page.screencastFrame", self._keep)
        self._cdp.send("Page.startScreencast", {"format": "jpeg", "quality": 85})

    def end(self) -> None:
        self._cdp.remove_listener("Page.screencastFrame", self._keep)
        self._cdp.send("Page.stopScreencast")

    def _keep(self, event: dict[str, Any]) -> None:
        path = self.folder / f"{len(self.frames):05d}.jpg"
        path.write_bytes(base64.b64decode(event["data"]))
        self.frames.append((event["metadata"]["timestamp"], path))
        self._cdp.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})

    def scene(self, name: str, words: str) -> None:
        """Something else begins: its name, and what is said below."""
        self.scenes.append((name, len(self.acts)))
        self.say(words)
        print(f"{name}: {words}", flush=True)

    def say(self, words: str) -> None:
        self.words = words
        self.said.append((time.time(), words))

    def lasting(self, seconds: float, act: Callable[[], object]) -> None:
        """Do something, and show it for so long."""
        began = time.time()
        act()
        self.acts.append((began, time.time(), seconds))

    def stay(self, seconds: float) -> None:
        self.lasting(seconds, lambda: self.page.wait_for_timeout(1000 * seconds))

    def wait(self, until: str | Callable[[], object], seen: float = SEEN_WAITING) -> None:
        """Wait for the studio. What takes longer than `seen` seconds is cut then, and said."""
        began = time.time()
        if callable(until):
            until()
        else:
            self.page.wait_for_function(until)
        took = time.time() - began
        self.acts.append((began, began + min(took, seen), min(took, seen)))
        if took > seen + 0.5:
            self.said.append((time.time(), f"{self.words} (waited {took:.1f} s, cut)"))

    def point(self, target: Locator, at: tuple[float, float] = (0.5, 0.5)) -> None:
        """Move the pointer to a place of an element, given in parts of its sides."""
        target.scroll_into_view_if_needed()
        box = target.bounding_box()
        assert box, "what the pointer goes to must be on the page"
        x, y = box["x"] + at[0] * box["width"], box["y"] + at[1] * box["height"]
        self.lasting(GLIDE, lambda: self.page.mouse.move(x, y, steps=STEPS))

    def press(self, target: Locator) -> None:
        self.point(target)
        self.page.mouse.down()
        self.lasting(0.1, self.page.mouse.up)

    def slide(self, slider: Locator, value: float, seconds: float = 1.2) -> None:
        """Drag a slider from where it is to a value."""
        low, high, now = slider.evaluate("s => [+s.min, +s.max, +s.value]")
        box = slider.bounding_box()
        assert box, "a slider that is moved must be on the page"

        def place(amount: float) -> float:
            part = (amount - low) / (high - low)
            return float(box["x"] + THUMB / 2 + part * (box["width"] - THUMB))

        y = box["y"] + box["height"] / 2
        self.lasting(GLIDE, lambda: self.page.mouse.move(place(now), y, steps=STEPS))
        self.page.mouse.down()
        for step in range(1, STEPS + 1):
            x = place(now + (value - now) * step / STEPS)
            self.lasting(seconds / STEPS, lambda x=x: self.page.mouse.move(x, y))
        self.page.mouse.up()

    # ---- the film ---------------------------------------------------------------------------

    def timeline(self) -> Iterator[tuple[int, float]]:
        """Moments of the film, FPS a second: number of the act, and the time of recording."""
        due, shown = 0.0, 0
        for number, (begin, end, seconds) in enumerate(self.acts):
            while shown < (due + seconds) * FPS:
                part = (shown / FPS - due) / seconds
                yield number, begin + part * (end - begin)
                shown += 1
            due += seconds

    def picture(self, now: float) -> Image.Image:
        """A moment of the film with its line below."""
        words = next((words for since, words in reversed(self.said) if since <= now), "")
        times = [since for since, _ in self.frames]
        return self._lettered(self.frames[max(bisect_right(times, now) - 1, 0)][1], words)

    @lru_cache(maxsize=2)  # noqa: B019 - a recording lives as long as the process
    def _lettered(self, path: Path, words: str) -> Image.Image:
        whole = Image.new("RGB", (SIZE["width"], SIZE["height"] + LINE), PAPER)
        with Image.open(path) as frame:
            shown = frame.convert("RGB")
            whole.paste(shown.resize((SIZE["width"], SIZE["height"])), (0, 0))
        draw = ImageDraw.Draw(whole)
        draw.line((0, SIZE["height"], SIZE["width"], SIZE["height"]), GREY)
        middle = SIZE["width"] / 2, SIZE["height"] + LINE / 2
        write(draw, middle, words, 22, INK, anchor="mm", width=SIZE["width"] - 40)
        return whole

    def save(self, out: Path) -> float:
        """Write the film and a picture at the end of every scene; the film's seconds."""
        moments = list(self.timeline())
        film = mp4(self.picture(now) for _, now in moments)
        (out / "studio.mp4").write_bytes(film)
        ends = [first for _, first in self.scenes[1:]] + [len(self.acts)]
        for number, ((name, _), end) in enumerate(zip(self.scenes, ends, strict=True), 1):
            last = [now for act, now in moments if act < end][-1]
            self.picture(last).save(out / f"{number:02d}-{name}.png")
        return len(moments) / FPS


def visit(page: Page, url: str, film: Recording) -> None:
    """The scenes, in order."""
    page.goto(url)
    page.wait_for_selector(".landing")
    page.wait_for_function("document.querySelector('#state')?.textContent.includes('Ready')")
    film.begin()
    film.scene("landing", "The first screen: one face from more and more bytes, beside AVIF")
    film.stay(10.5)  # its four stages

    film.scene("example", "An example is chosen: NASA's astronaut, compressed here and now")
    film.press(page.locator("#welcome [data-choose='0']"))
    film.wait(DRAWN)
    film.stay(2)

    viewer = page.locator("#viewer")
    film.scene("divider", "The original on the left, on the right what the file draws")
    film.point(viewer.locator(".canvas"), (0.5, 0.6))
    page.mouse.down()
    for at in (0.2, 0.8, 0.5):
        film.point(viewer.locator(".canvas"), (at, 0.6))
    page.mouse.up()

    film.scene("levels", "Six named levels, each with the bytes of its file")
    for level in (1, 5, 3):
        film.press(page.locator(f"#stops [data-level='{level}']"))
        film.wait(DRAWN)
        film.stay(1)

    film.scene("layers", "Likeness (FCN) off: the essence (SCN) alone draws somebody like her")
    film.press(page.locator("#use-fcn input"))
    film.wait(DRAWN)
    film.stay(1.8)
    film.say("Likeness on again, essence off")
    film.press(page.locator("#use-fcn input"))
    film.wait(DRAWN)
    film.press(page.locator("#use-scn input"))
    film.wait(DRAWN)
    film.stay(1.2)
    film.press(page.locator("#use-scn input"))
    film.wait(DRAWN)

    film.scene("zoom", "Both sides are enlarged together: an eye")
    film.point(viewer.locator(".canvas"), EYE)
    page.keyboard.down("Control")
    for _ in range(12):
        film.lasting(0.07, lambda: page.mouse.wheel(0, -14))
    page.keyboard.up("Control")
    film.stay(1.2)
    film.press(viewer.locator(".scale"))

    film.scene("edit", "Edit: a smile and ten years more, from the same bytes")
    film.press(page.get_by_role("tab", name="Edit", exact=True))
    film.wait(EDITED)
    film.slide(page.locator("#edit-smile input[type=range]"), 1.2)
    film.wait(EDITED)
    film.stay(0.8)
    film.slide(page.locator("#edit-age input[type=range]"), 10)
    film.wait(EDITED)
    film.stay(1.5)

    film.scene("share", "Share: a link that carries the face, a card and a clip")
    film.press(page.get_by_role("tab", name="Compress", exact=True))
    film.press(page.locator("#share-face"))
    film.wait(lambda: page.locator("#share-made video").wait_for())
    page.locator("#share-made").scroll_into_view_if_needed()
    film.stay(3)
    link = page.locator("#share-link .copy").get_attribute("data-copy")

    film.scene("receive", "Who opens that link sees the face: it was in the address")
    film.wait(lambda: page.goto(f"{url}/{link}"))
    film.wait(lambda: page.locator("#received-picture img.right").wait_for())
    film.stay(2.5)

    film.scene("stage", "?stage=1, for talks: space sends the face over a slow link")
    film.wait(lambda: page.goto(f"{url}/?stage=1&example=1"))
    film.wait(DRAWN)
    page.locator("#link select").evaluate("select => { select.value = '9600'; }")
    film.stay(1)
    page.keyboard.press("Space")
    film.wait(lambda: page.locator(".link .theirs img").wait_for(), seen=3)
    film.stay(4)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--scheme", choices=("light", "dark"), default="light")
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    if out.is_relative_to(HERE.parent):
        parser.error("OUT must lie outside of the repository")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=next(filter(None, map(shutil.which, BROWSERS))),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        context = browser.new_context(viewport=SIZE, color_scheme=arguments.scheme)
        context.add_init_script(POINTER)
        page = context.new_page()
        page.set_default_timeout(300_000)
        process, url, _ = start(Path(name))
        frames = Path(name) / "frames"
        frames.mkdir()
        film = Recording(page, frames)
        try:
            visit(page, url, film)
            film.end()
        finally:
            process.terminate()
            process.wait(20)
        seconds = film.save(out)
        browser.close()
    print(f"{out / 'studio.mp4'}: {seconds:.0f} s, {len(film.frames)} frames")
    return 0


if __name__ == "__main__":
    sys.exit(main())
