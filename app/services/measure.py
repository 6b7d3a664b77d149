"""How near a decoded picture is to its original: three figures, and words for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from PIL import Image

from app.recent import Memory, Recent, fingerprint
from app.services.cores import beside

SMALL_PX = 256  # LPIPS and PSNR compare pictures averaged down to this, as RESULTS.md does
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
        self._people: Recent[Any] = Recent(memory)
        self._turn = threading.Lock()

    def steps(self, original: Image.Image, picture: Image.Image) -> Iterator[Measured]:
        """Measure a picture of SIDE x SIDE, the quick figures first."""
        key = fingerprint(original), fingerprint(picture)
        if key in self._done:
            yield self._done.get(key, Measured)
            return
        with self._turn, beside():
            measured = self._pixels(original, picture)
        yield measured
        with self._turn, beside():
            measured = self._identity(original, picture, measured)
        yield self._done.get(key, lambda: measured)

    def measure(self, original: Image.Image, picture: Image.Image) -> Measured:
        """The last of `steps`."""
        *_, measured = self.steps(original, picture)
        return measured

    @cached_property
    def _lpips(self) -> Any:
        from hsc.metrics.lpips import Lpips

        return Lpips.pretrained()

    def _pixels(self, original: Image.Image, picture: Image.Image) -> Measured:
        import torch

        from hsc.images.tensors import to_tensor
        from hsc.metrics.picture import psnr, shrink

        with torch.no_grad():
            x, y = (shrink(to_tensor(each), SMALL_PX) for each in (original, picture))
            return Measured(psnr=psnr(x, y).item(), lpips=self._lpips(x, y).item())

    def _identity(
        self, original: Image.Image, picture: Image.Image, measured: Measured
    ) -> Measured:
        from hsc.domains.ffhq_face import find_faces
        from hsc.metrics.identity_dlib import dlib_identity

        def person() -> tuple[Any, Any]:
            faces = find_faces(original)
            return (faces[0], dlib_identity(original, faces[0])) if faces else (None, None)

        face, known = self._people.get(fingerprint(original), person)
        if face is None:
            return replace(measured, no_face=True)
        found = find_faces(picture)
        # where the decoded face is not found, it is looked for where the original's is
        descriptor = dlib_identity(picture, found[0] if found else face)
        return replace(measured, identity=float(np.linalg.norm(descriptor - known)))


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
