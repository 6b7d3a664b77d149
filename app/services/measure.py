"""How near a decoded picture is to its original: figures, words for them, and a picture of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from app.cache import Cache, SharedCache, fingerprint
from app.executor import one_core
from hsc.images import marks

if TYPE_CHECKING:  # imported where it is used: it brings PyTorch, for which the page does not wait
    from hsc.metrics.evaluator import Evaluator, Scored

FIGURES = ("psnr_256", "lpips_256", "lpips_1024", "identity_l2")
ORIGINAL_BYTES = 8 << 20
"""Bytes of an original and of what is computed from it once, at 256 px."""
AMPLIFICATIONS = (1, 2, 4, 8)
"""Factors by which a difference can be shown."""
SAME_PERSON = 0.6  # dlib's own threshold for its descriptors


@dataclass(frozen=True)
class Distances:
    """Distances of two pictures; None: not measured yet, or cannot be.

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
    """Measures pictures outside the model's thread; recent results are cached.

    The networks are loaded when the first picture is measured.
    """

    def __init__(self, cache: SharedCache) -> None:
        self._done: Cache[Distances] = Cache(cache)
        self._originals: Cache[Scored] = Cache(cache, ORIGINAL_BYTES)
        self._turn = threading.Lock()

    @cached_property
    def evaluator(self) -> Evaluator:
        """What compares pictures by FIGURES."""
        from hsc.metrics.evaluator import Evaluator

        return Evaluator(figures=FIGURES)

    def steps(self, original: Image.Image, picture: Image.Image) -> Iterator[Distances]:
        """Measure a picture of full size, the quick figures first."""
        key = fingerprint(original), fingerprint(picture)
        distances = self._done.get(key)
        if distances is None:
            with self._turn, one_core():
                scored = self._originals.get_or_make(
                    key[0], lambda: self.evaluator.original(original)
                )
                found = self.evaluator.compare(scored, picture, ("psnr_256", "lpips_256"))
            distances = Distances(found["psnr_256"], found["lpips_256"])
            yield distances
            with self._turn, one_core():
                if scored.face is None:
                    distances = replace(distances, no_face=True)
                else:
                    found = self.evaluator.compare(scored, picture, ("identity_l2",))
                    distances = replace(distances, identity=found["identity_l2"])
            self._done.put(key, distances)
        yield distances

    def measure(self, original: Image.Image, picture: Image.Image) -> Distances:
        """The last of `steps`."""
        *_, distances = self.steps(original, picture)
        return distances


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


def difference(original: Image.Image, picture: Image.Image, amplification: int = 4) -> Image.Image:
    """|x - x_hat|, amplified; black where nothing differs, clipped at white.

    Args:
        original, picture: RGB, of one size.
        amplification: factor of the difference.
    """
    x, x_hat = (np.asarray(each.convert("RGB"), dtype=np.int16) for each in (original, picture))
    apart = np.abs(x - x_hat) * amplification
    shown = Image.fromarray(np.minimum(apart, 255).astype(np.uint8))
    return marks.derived(shown, picture, original)
