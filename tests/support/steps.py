"""What visitors do, for the tests of the page."""

import io
import urllib.request

import numpy as np
from PIL import Image
from playwright.sync_api import Page

DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
MODEL_WAIT = 120_000  # ms; drawing takes seconds on a small machine


def upload(page: Page, photo) -> None:
    page.locator("#photo input[type=file]").set_input_files(photo)


def finished(page: Page, level: str = "level 3,") -> int:
    """Wait until the pictures at a level are drawn; the bytes of the chosen file."""
    page.wait_for_function(
        """level => {
          const text = (where) => document.querySelector(where)?.textContent ?? "";
          return text("#readout").includes(level)
            && text("#compare label").includes(`from ${text("#readout .size span")} bytes`)
            && !document.querySelector("#note p");
        }""",
        arg=level,
    )
    return total_bytes(page)


def total_bytes(page: Page) -> int:
    return int(page.locator("#readout .size span").inner_text().replace(",", ""))


def source(page: Page, selector: str) -> str:
    return page.locator(f"{selector} img").last.get_attribute("src")


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
