"""Type, colours and the bar of bytes on pictures that leave the page: cards and clips."""

from __future__ import annotations

from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from app.results import Sizes

INK, PAPER, GREY, LINE = "#1a1a19", "#f8f8f6", "#6b6b64", "#e4e4df"
PARTS = {"header": "#8b8b83", "scn": "#137a70", "fcn": "#d98a3d"}
"""The colours of a file's parts, as on the page."""
CAVEAT = "Drawn by a neural network: detail is invented. Not evidence of anyone's looks."

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@lru_cache(maxsize=32)
def font(size: int) -> Font:
    """A typeface of that many pixels; Pillow's own, so that no machine lacks it."""
    return ImageFont.load_default(size)


def write(
    draw: ImageDraw.ImageDraw,
    at: tuple[float, float],
    words: str,
    size: int,
    colour: str = INK,
    *,
    anchor: str = "la",
    bold: bool = False,
    width: float | None = None,
) -> float:
    """Write one line, smaller where it would be wider than `width`; its width in pixels."""
    while width and size > 9 and draw.textlength(words, font(size)) > width:
        size -= 1
    stroke = max(1, size // 28) if bold else 0
    draw.text(at, words, colour, font(size), anchor=anchor, stroke_width=stroke, stroke_fill=colour)
    return draw.textlength(words, font(size))


def bytes_bar(
    canvas: Image.Image, box: tuple[int, int, int, int], sizes: Sizes, arrived: int | None = None
) -> None:
    """Draw a file's parts in proportion, filled as far as its bytes have arrived.

    Args:
        box: left, top, right, bottom in pixels.
        arrived: bytes; all of them by default.
    """
    left, top, right, bottom = box
    radius = (bottom - top) // 2
    filled = left + (right - left) * (1.0 if arrived is None else arrived / sizes.total)
    whole = Image.new("RGB", (right - left, bottom - top), LINE)
    inside, start = ImageDraw.Draw(whole), 0.0
    for name, colour in PARTS.items():
        end = start + getattr(sizes, name) * whole.width / sizes.total
        stop = min(end, filled - left)
        if stop > start:
            inside.rectangle((start, 0, stop, whole.height), fill=colour)
        start = end
    mask = Image.new("L", whole.size, 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, *(n - 1 for n in whole.size)), radius, fill=255)
    canvas.paste(whole, (left, top), mask)


def rounded(picture: Image.Image, side: int, radius: int = 18) -> tuple[Image.Image, Image.Image]:
    """A picture as a square of `side` pixels, and the mask that rounds its corners."""
    square = picture.convert("RGB").resize((side, side), Image.Resampling.LANCZOS)
    mask = Image.new("L", (side * 2, side * 2), 0)
    corner = (0, 0, side * 2 - 1, side * 2 - 1)
    ImageDraw.Draw(mask).rounded_rectangle(corner, radius * 2, fill=255)
    return square, mask.resize((side, side), Image.Resampling.LANCZOS)
