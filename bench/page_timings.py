"""How long a visitor waits: the studio as a process of its own, times as seen in a real browser.

    python bench/page_timings.py [--rounds 9]

Prints milliseconds from the visitor's act until the browser shows the picture, and the studio's
peak of memory. Run it on a machine that does nothing else. Needs Chromium, as the page tests do.
"""

from __future__ import annotations

import argparse
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests" / "support"), str(HERE)]

from load import start  # noqa: E402
from visitors import resident_mb  # noqa: E402

EXAMPLES = HERE.parent / "assets" / "examples"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
REST = 1000  # ms before an act, in which the last one's figures come
TIMED = """async ([act, shown]) => {
  const run = new Function("seen", act), done = new Function("seen", "before", "return " + shown);
  const seen = (where) => [...document.querySelectorAll(where + " img")].at(-1);
  const before = { right: hscViewer.get("viewer").shown("right").url,
    edited: hscViewer.get("edit-viewer")?.shown("right").url };
  const began = performance.now();
  run(seen);
  while (!done(seen, before)) await new Promise(requestAnimationFrame);
  return performance.now() - began;
}"""
RIGHT = "hscViewer.get('viewer').shown('right')"
WHOLE = (
    "document.querySelector('#viewer .caption.right option:checked')?.text"
    ".includes(' ' + document.querySelector('#readout .size span')?.textContent + ' bytes')"
    " && !document.querySelector('#viewer .caption.right.stale')"
)
COMPARED = f"{WHOLE} && {RIGHT}.url !== before.right"
EDITED = "hscViewer.get('edit-viewer').shown('right').url !== before.edited"
SETTLED = (
    f"{EDITED} && document.querySelector('#edit-viewer .world img.right').naturalWidth === 1024"
    " && !document.querySelector('#edit-note p')"
)


def slide(where: str, value: float) -> str:
    """An act: move a slider."""
    return (
        f"const range = document.querySelector('{where} input[type=range]'); range.value = {value};"
        "range.dispatchEvent(new Event('input', {bubbles: true}));"
    )


def let_go(where: str, value: float) -> str:
    """An act: a slider comes to rest."""
    return slide(where, value) + "range.dispatchEvent(new Event('pointerup', {bubbles: true}));"


def first_load(page: Page, url: str) -> None:
    """Open the page; print how many requests and bytes it takes until it is at rest."""
    sizes: list[int] = []
    page.on("requestfinished", lambda request: sizes.append(sum(
        request.sizes()[part] for part in ("responseBodySize", "responseHeadersSize")
    )))  # fmt: skip
    began = time.perf_counter()
    page.goto(url)
    page.wait_for_function(
        "[...document.querySelectorAll('.landing img')].some((each) => each.naturalWidth)"
    )
    seen = time.perf_counter() - began
    page.wait_for_timeout(REST)
    size = sum(sizes) / 1024
    print(f"the page: {len(sizes)} requests, {size:.0f} KB; its first picture after {seen:.1f} s")


def timed(page: Page, act: str, shown: str) -> float:
    """Milliseconds from an act until the page shows something, both in JavaScript."""
    page.wait_for_timeout(REST)
    return page.evaluate(TIMED, [act, shown])


def report(words: str, times: list[float]) -> None:
    print(
        f"{words:44s} median {statistics.median(times):6.0f} ms, least {min(times):6.0f} ms "
        f"of {len(times)}",
        flush=True,
    )


def uploaded(page: Page, photo: Path) -> tuple[float, float]:
    """Milliseconds from choosing a photo until what SCN draws shows, and until all does."""
    before = page.evaluate(f"{RIGHT}.url")
    began = time.perf_counter()
    page.locator("#photo input[type=file]").set_input_files(photo)
    page.wait_for_function(
        "before => { const { name, url } = "
        + RIGHT
        + "; return url !== before && /scn/.test(name); }",
        arg=before,
    )
    first = time.perf_counter() - began
    page.wait_for_function(f"{WHOLE} && !document.querySelector('#note p')")
    return 1000 * first, 1000 * (time.perf_counter() - began)


def repeated(rounds: int, acts: tuple[Callable[[], float], ...]) -> list[float]:
    """Times of acts in turn; the first round of all is not counted."""
    return [act() for number in range(rounds + 1) for act in acts][len(acts) :]


def peak_mb(pid: int) -> float:
    """A process's peak of memory where the system knows it, else its memory now."""
    status = Path(f"/proc/{pid}/status")
    if status.is_file():
        return int(re.search(r"VmHWM:\s+(\d+)", status.read_text()).group(1)) / 1024
    return resident_mb(pid)


def visit(page: Page, rounds: int) -> None:
    """Everything that is timed after the first picture."""
    photos = [EXAMPLES / f"face-{number}.jpg" for number in (1, 2, 3)]
    waited = [uploaded(page, photo) for photo in photos]
    report("photo chosen -> what SCN draws", [first for first, _ in waited])
    report("photo chosen -> both layers drawn", [whole for _, whole in waited])
    toggle = "document.querySelector('#use-fcn input').click()"
    report("FCN on or off", repeated(rounds, (lambda: timed(page, toggle, COMPARED),) * 2))
    new = [timed(page, slide("#level", 3 + n / 2), COMPARED) for n in range(1, 5)]
    report("a level that was not there yet", new)
    levels = tuple(lambda n=n: timed(page, slide("#level", n), COMPARED) for n in (3.5, 4))
    report("a level that was", repeated(rounds, levels))
    page.get_by_role("tab", name="Edit").click()
    page.wait_for_function(
        "document.querySelector('#edit-viewer .world img.right')?.naturalWidth === 1024"
    )
    page.wait_for_timeout(3000)  # the strip is drawn too
    smiles = [timed(page, slide("#edit-smile", n / 20), EDITED) for n in range(1, rounds + 1)]
    report("an edit's slider -> its preview", smiles)
    page.wait_for_timeout(3000)
    ages = [timed(page, let_go("#edit-age", n), SETTLED) for n in range(1, rounds + 1)]
    report("an edit's slider released -> whole picture", ages)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=next(filter(None, map(shutil.which, BROWSERS))),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(120_000)
        began = time.monotonic()
        process, url, answered = start(Path(name))
        try:
            first_load(page, url)
            uploaded(page, EXAMPLES / "astronaut.png")
            print(f"the page answered {answered:.1f} s after the start")
            print(f"first picture {time.monotonic() - began:.1f} s after the start")
            visit(page, rounds)
            print(f"the studio held {peak_mb(process.pid):.0f} MB at most")
            browser.close()
        finally:
            process.terminate()
            process.wait(20)
    return 0


if __name__ == "__main__":
    sys.exit(main())
