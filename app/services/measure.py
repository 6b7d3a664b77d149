"""How near a decoded picture is to its original: three figures, and words for them."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from PIL import Image

from app.recent import Memory, Recent, fingerprint
from app.services.cores import beside

if TYPE_CHECKING:  # imported where it is used: it brings PyTorch, for which the page does not wait
    from hsc.metrics.evaluator import Evaluator, Scored

FIGURES = ("psnr_256", "lpips_256", "lpips_1024", "identity_l2")
"""What the page shows, of the metrics of RESULTS.md."""
ORIGINAL_BYTES = 8 << 20  # the picture, and what LPIPS sees at 256 px
SAME_PERSON = 0.6  # dlib's own threshold for its descriptors


@dataclass(frozen=True)
class Measured:
    """What is None was not measured yet, or cannot be.

    Attributes:
        psnr: dB at 256 px.
        lpips: AlexNet, at 256 px.
        identity: Euclidean distance of dlib's descriptors.
        no_face: whether no face was found in the original, so that there is no identity.
    """

    psnr: float | None = None
    lpips: float | None = None
    identity: float | None = None
    no_face: bool = False


class Measures:
    """Measures pictures beside the model, not in its turn; the last answers are remembered.

    The networks are loaded when the first picture is measured.
    """

    def __init__(self, memory: Memory) -> None:
        self._done: Recent[Measured] = Recent(memory)
        self._originals: Recent[Scored] = Recent(memory, ORIGINAL_BYTES)
        self._turn = threading.Lock()

    def steps(self, original: Image.Image, picture: Image.Image) -> Iterator[Measured]:
        """Measure a picture of full size, the quick figures first."""
        key = fingerprint(original), fingerprint(picture)
        if key in self._done:
            yield self._done.get(key, Measured)
            return
        with self._turn, beside():
            psnr, lpips = self._compared(original, picture, "psnr_256", "lpips_256")
        yield Measured(psnr, lpips)
        with self._turn, beside():
            (identity,) = self._compared(original, picture, "identity_l2")
        no_face = math.isnan(identity)
        measured = Measured(psnr, lpips, None if no_face else identity, no_face)
        yield self._done.keep(key, measured)

    def measure(self, original: Image.Image, picture: Image.Image) -> Measured:
        """The last of `steps`."""
        *_, measured = self.steps(original, picture)
        return measured

    def _compared(self, original: Image.Image, picture: Image.Image, *figures: str) -> list[float]:
        scorer = evaluator()
        prepared = self._originals.get(fingerprint(original), lambda: scorer.original(original))
        return list(scorer.compare(prepared, picture, figures).values())


@cache
def evaluator() -> Evaluator:
    """The page's: loaded when the first picture is measured."""
    from hsc.metrics.evaluator import Evaluator

    return Evaluator(figures=FIGURES)


def identity_words(distance: float) -> str:
    """What a distance of dlib's descriptors means; .6 is its own line between same and other."""
    if distance < 0.35:
        return "Clearly the same person"
    if distance < SAME_PERSON:
        return "Still the same person"
    return "Somebody alike, no longer the same person"


def lpips_words(distance: float) -> str:
    """What an LPIPS distance looks like."""
    if distance < 0.05:
        return "Hard to tell apart"
    if distance < 0.15:
        return "Looks much the same"
    return "Looks alike" if distance < 0.3 else "Looks different"


def psnr_words(decibels: float) -> str:
    """What a PSNR says of single pixels."""
    if decibels >= 35:
        return "Pixels are kept"
    return "Pixels are near" if decibels >= 28 else "Pixels are redrawn, not kept"
