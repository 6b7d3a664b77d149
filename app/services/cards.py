"""A card to share: original and decoded face side by side, the bytes, and the face as a QR code."""

from __future__ import annotations

import io
from dataclasses import dataclass
from urllib.parse import urlsplit

from PIL import Image, ImageDraw

from app.results import Sizes, facts_of
from app.services.lettering import CAVEAT, GREY, INK, PAPER, PARTS, bytes_bar, rounded, write
from app.services.links import FaceLink
from hsc.bitstream import with_layers
from hsc.bitstream.qr import QUIET_ZONE, qr_code
from hsc.bitstream.text import to_text
from hsc.errors import HscError
from hsc.images import marks

WIDTH, HEIGHT = 1800, 945  # pixels; 1.91 : 1, which social networks show whole
EDGE, GAP, SIDE = 44, 14, 584
LEAST_MODULE = 4
"""Pixels a module of a QR code, so that a phone reads it off a screen."""


@dataclass(frozen=True)
class Card:
    """What a card shows.

    Attributes:
        decoded: the picture that the file draws.
        data: the file.
        link: how the face travels.
        original: the picture before compression; None where only the file is known.
        name: what stands over the decoded picture.
    """

    decoded: Image.Image
    data: bytes
    link: FaceLink
    original: Image.Image | None = None
    name: str = "Decoded"


def card_png(card: Card) -> bytes:
    """The card as a PNG file, WIDTH x HEIGHT, with the decoded picture's mark."""
    out = io.BytesIO()
    marks.save(card_picture(card), out, "PNG", optimize=True)
    return out.getvalue()


def card_picture(card: Card) -> Image.Image:
    """The card as a picture."""
    canvas = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw, sizes = ImageDraw.Draw(canvas), Sizes.of(facts_of(card.data))
    shown = [(card.decoded, card.name)]
    if card.original is not None:
        shown.insert(0, ("Original", card.original)[::-1])
    left = EDGE if len(shown) == 2 else EDGE + (SIDE + GAP) // 2
    for picture, words in shown:
        square, mask = rounded(picture, SIDE)
        canvas.paste(square, (left, EDGE), mask)
        write(draw, (left + 2, EDGE + SIDE + 12), words, 26, GREY)
        left += SIDE + GAP
    _bytes(canvas, draw, sizes)
    _code(canvas, draw, card)
    return marks.put(canvas, marks.of(card.decoded) or marks.decoded(card.data))


def _bytes(canvas: Image.Image, draw: ImageDraw.ImageDraw, sizes: Sizes) -> None:
    """The file's size in large type, its parts as a bar, and the caveat."""
    top, right = EDGE + SIDE + 54, EDGE + 2 * SIDE + GAP
    wide = write(draw, (EDGE, top), f"{sizes.total:,}", 92, bold=True)
    write(draw, (EDGE + wide + 20, top + 44), "bytes", 40, INK)
    bytes_bar(canvas, (EDGE, top + 116, right, top + 138), sizes)
    said = {
        "header": f"header {sizes.header:,}",
        "scn": f"essence (SCN) {sizes.scn:,}",
        "fcn": f"likeness (FCN) {sizes.fcn:,}",
    }
    left = float(EDGE)
    for name, words in said.items():
        if getattr(sizes, name):
            draw.rounded_rectangle((left, top + 158, left + 16, top + 174), 4, fill=PARTS[name])
            left += 26 + write(draw, (left + 26, top + 153), words, 25, GREY) + 34
    write(draw, (EDGE, HEIGHT - EDGE), CAVEAT, 22, GREY, anchor="ls", width=right - EDGE)


def _code(canvas: Image.Image, draw: ImageDraw.ImageDraw, card: Card) -> None:
    """The QR code, what it holds, and the page's address."""
    left = EDGE + 2 * SIDE + GAP + EDGE
    width = WIDTH - EDGE - left
    code, data = _fitting(card, width)
    bottom = EDGE
    if code is not None:
        side = code.width * (width // code.width)  # whole pixels a module
        square = code.resize((side, side), Image.Resampling.NEAREST)
        draw.rounded_rectangle((left, EDGE, left + width, EDGE + width), 18, fill="#ffffff")
        canvas.paste(square, (left + (width - side) // 2, EDGE + (width - side) // 2))
        bottom += width + 12
        whole = data == card.data
        words = f"The code holds {'this whole face' if whole else 'its essence alone'}:"
        write(draw, (left, bottom), words, 26, INK, width=width)
        write(draw, (left, bottom + 34), f"{len(data):,} bytes", 26, GREY, width=width)
    write(draw, (left, HEIGHT - EDGE - 74), "HSC Studio", 40, INK, anchor="ls", bold=True)
    host = urlsplit(card.link.address).netloc
    if host:
        write(draw, (left, HEIGHT - EDGE - 36), host, 26, GREY, anchor="ls", width=width)
    tagline = "A face codec: pictures drawn from a file of few bytes"
    write(draw, (left, HEIGHT - EDGE), tagline, 22, GREY, anchor="ls", width=width)


def _fitting(card: Card, width: int) -> tuple[Image.Image | None, bytes]:
    """The code of the link's face, or of its SCN layer where that code would be too fine to scan.

    Returns:
        The code, a pixel a module with the quiet zone around, or None; and the file in it.
    """
    choices = [card.link.data, with_layers(card.link.data, "scn")]
    for data in choices:
        try:
            code = qr_code(to_text(data), card.link.address)
        except HscError:
            continue
        rows = [
            bytes(0 if dark else 255 for dark in row) for row in code.matrix_iter(1, QUIET_ZONE)
        ]
        side = len(rows)
        if LEAST_MODULE * side <= width:
            return Image.frombytes("L", (side, side), b"".join(rows)), data
    return None, choices[-1]
