"""Record the receiver at the size of a phone: a QR code is scanned, and a smile moved, offline.

    python bench/receiver_demo.py OUT

Writes ``receiver.mp4`` and ``receiver.png`` (its last frame) into the folder OUT, which lies
outside of the repository. On the left is a screen with the QR code of a face, on the right the page
in Chromium, without a network; its camera is a file that Chromium plays, in which the code is
filmed at an angle. Needs Chromium, as the page tests do, and the extra ``app``.
"""

from __future__ import annotations

import argparse
import io
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from app.services.clips import Frame, clip  # noqa: E402
from hsc.bitstream import unpack, with_layers  # noqa: E402
from hsc.bitstream.qr import qr_code  # noqa: E402
from hsc.bitstream.text import to_text  # noqa: E402
from hsc.export.web import EXAMPLE, export_web  # noqa: E402

# isort: split
from receiver import BROWSERS, served  # noqa: E402

PHONE = {"width": 390, "height": 844}
FILMED = (640, 480)
FRAME_MS = 80
STILL_MS = 1200
SMILES = [*np.linspace(0, 1.2, 13), *np.linspace(1.2, 0.6, 5)]


def qr_picture(text: str, px: int) -> Image.Image:
    """The code of a text, black on white, px wide."""
    buffer = io.BytesIO()
    qr_code(text).save(buffer, kind="png", scale=8, border=4)
    return Image.open(buffer).convert("RGB").resize((px, px), Image.Resampling.LANCZOS)


def write_camera(code: Image.Image, path: Path) -> None:
    """A film of the code as a camera sees it, turned a little and unevenly lit: YUV4MPEG."""
    width, height = FILMED
    with path.open("wb") as film:
        film.write(f"YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420jpeg\n".encode())
        for n in range(20):
            turned = code.resize((330, 330)).rotate(4 + n / 5, expand=True, fillcolor="#d8d4cc")
            frame = Image.new("RGB", FILMED, "#d8d4cc")
            frame.paste(turned, ((width - turned.width) // 2 + n, (height - turned.height) // 2))
            y, cb, cr = (np.asarray(band, np.float32) for band in frame.convert("YCbCr").split())
            y = y * np.linspace(0.7, 1.0, width)[None]
            film.write(b"FRAME\n" + y.astype(np.uint8).tobytes())
            for band in (cb, cr):
                small = band.reshape(height // 2, 2, width // 2, 2).mean((1, 3))
                film.write(small.astype(np.uint8).tobytes())


class Recorder:
    """Frames of the page beside the screen with the code, each as long as it took."""

    def __init__(self, page: Page, screen: Image.Image) -> None:
        self.page, self.screen = page, screen
        self.frames: list[Frame] = []

    def take(self, ms: int | None = None) -> None:
        began = time.perf_counter()
        shot = Image.open(io.BytesIO(self.page.screenshot(type="jpeg", quality=92))).convert("RGB")
        whole = Image.new("RGB", (self.screen.width + shot.width, shot.height), "white")
        whole.paste(self.screen, (0, (shot.height - self.screen.height) // 2))
        whole.paste(shot, (self.screen.width, 0))
        took = 1000 * (time.perf_counter() - began)
        self.frames.append(Frame(whole, ms or max(FRAME_MS, round(took))))

    def until(self, is_so: Callable[[], bool], seconds: float = 120) -> float:
        """Record until something is so; the seconds that it took."""
        began = time.perf_counter()
        while not is_so():
            if time.perf_counter() - began > seconds:
                raise TimeoutError("expected the page to go on, and it did not.")
            self.take()
        return time.perf_counter() - began


def record(address: str, camera: Path, screen: Image.Image) -> tuple[list[Frame], dict[str, float]]:
    """The scenes, and seconds of those that a visitor waits for."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=next(filter(None, map(shutil.which, BROWSERS))),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking",
                  "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
                  f"--use-file-for-fake-video-capture={camera}"],
        )  # fmt: skip
        context = browser.new_context(viewport=PHONE, permissions=["camera"])
        page = context.new_page()
        page.set_default_timeout(120_000)
        page.goto(address)
        page.wait_for_selector("body[data-offline]")
        context.set_offline(True)
        page.reload()
        page.wait_for_selector("body[data-ready]")
        film, times = Recorder(page, screen), {}
        film.take(STILL_MS)
        page.get_by_role("button", name="Scan a QR code").click()
        times["code scanned and face drawn"] = film.until(
            lambda: page.locator("canvas[data-opened]").count() == 1
        )
        film.take(STILL_MS)
        slider = page.locator("#edit-smile")
        slider.scroll_into_view_if_needed()
        began = time.perf_counter()
        for value in SMILES:
            slider.evaluate(
                "(s, v) => { s.value = v; s.dispatchEvent(new Event('input')) }", float(value)
            )
            film.until(lambda: page.locator("#canvas[aria-busy=false]").count() == 1)
            film.take()
        times["a preview of the smile"] = (time.perf_counter() - began) / len(SMILES)
        slider.dispatch_event("change")
        times["the smile at full size"] = film.until(
            lambda: page.locator("#canvas[data-edited=whole][aria-busy=false]").count() == 1
        )
        film.take(2 * STILL_MS)
        browser.close()
    return film.frames, times


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out.resolve()
    if out.is_relative_to(HERE.parent):
        parser.error("OUT must lie outside of the repository")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder, camera = Path(name) / "receiver", Path(name) / "camera.y4m"
        export_web(folder)
        data = with_layers(EXAMPLE.read_bytes(), "scn")
        code = qr_picture(to_text(data), 844)
        write_camera(code, camera)
        with served(folder) as address:
            frames, times = record(address, camera, code)
    (out / "receiver.mp4").write_bytes(clip(frames, "mp4"))
    frames[-1].picture.save(out / "receiver.png")
    print(f"{len(data)} bytes, of which {len(unpack(data).scn)} are the face; no network.")
    for words, seconds in times.items():
        print(f"{words}: {seconds:.2f} s")
    print(f"{out / 'receiver.mp4'}: {sum(frame.ms for frame in frames) / 1000:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
