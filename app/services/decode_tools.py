"""The receiver's side: a face as text and back, and proof of what it was rendered from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

from app.protocols import FaceCodec
from app.services.batched_calls import Stopwatch, Timed
from app.services.decoding import Decoding
from hsc.bitstream import with_layers
from hsc.bitstream.qr import qr_code, qr_svg
from hsc.bitstream.text import from_text, to_text
from hsc.errors import BitstreamError, HscError


@dataclass(frozen=True)
class AsText:
    """A file as something to copy or to scan.

    Attributes:
        data: the file that the text stands for.
        text: capitals and digits.
        link: what opens the face in a browser; "" where the page's address is not known.
        qr: SVG of the link, or of the text; "" where a QR code is too small for it.
        modules: side of the code.
    """

    data: bytes
    text: str
    link: str
    qr: str
    modules: int


@dataclass(frozen=True)
class Proof:
    """A file rendered afresh.

    Attributes:
        file_hash: SHA-256 of the file.
        same: whether rendering it again gave the same pixels.
        flipped: index of the byte in which one bit was flipped.
        refusal: the error for the file with that bit flipped; "" if it was rendered.
        seconds: of rendering.
    """

    file_hash: str
    same: bool
    flipped: int
    refusal: str
    seconds: float


class DecodeTools:
    """What the receiver of a file can do with it."""

    def __init__(self, decoding: Decoding) -> None:
        self.decoding = decoding

    def read(self, text: str) -> bytes:
        """The file that a text stands for. Raises BitstreamError when it is none."""
        return from_text(text)

    def as_text(self, data: bytes, layers: str = "scn", link: str = "") -> AsText:
        """A file, or its SCN layer alone, as text and as a QR code.

        Args:
            data: the file.
            layers: "scn" or "scn+fcn".
            link: what to put before the text so that a browser opens it.
        """
        data = with_layers(data, layers)
        text = to_text(data)
        try:
            code = qr_code(text, link)
        except HscError:
            return AsText(data, text, link and link + text, "", 0)
        side, _ = code.symbol_size(border=0)
        return AsText(data, text, link and link + text, qr_svg(code), int(side))

    def prove(self, data: bytes, layers: str = "scn+fcn") -> Proof:
        """Draw a file again without the cache, and once more with one bit flipped."""
        shown = self.decoding.render(data, layers).value
        flipped = len(data) - 1 if "fcn" in layers else len(with_layers(data, "scn")) - 1
        damaged = bytearray(data)
        damaged[flipped] ^= 1
        fresh, refusal = self.decoding.executor.run(_prove, data, bytes(damaged), layers)
        return Proof(
            hashlib.sha256(data).hexdigest(),
            bool(np.array_equal(np.asarray(fresh.value), np.asarray(shown))),
            flipped,
            refusal,
            fresh.seconds,
        )


def _prove(
    codec: FaceCodec, data: bytes, damaged: bytes, layers: str
) -> tuple[Timed[Image.Image], str]:
    """The picture of a file, and the error for a damaged one."""
    watch = Stopwatch()
    picture = Timed(codec.decode(data, layers), watch.lap())
    try:
        codec.decode(damaged, layers)
    except BitstreamError as error:
        return picture, str(error)
    return picture, ""
