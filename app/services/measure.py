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

RECOGNISED = ("identity_l2", "identity_faceres")
"""Figures of dlib's recogniser and of the second one."""
FIGURES = ("psnr_256", "lpips_256", "lpips_1024", *RECOGNISED)
ORIGINAL_BYTES = 8 << 20
"""Bytes of an original and of what is computed from it once, at 256 px."""


@dataclass(frozen=True)
class Recogniser:
    """A face recogniser that is asked, and what its distances mean.

    The limits are quantiles over 60 people photographed twice in a studio, neutral and smiling:
    `python -m bench.recognisers FOLDER` prints them.

    Attributes:
        name: for people.
        likely: 95 in 100 pairs of photographs of one person are nearer than this.
        possible: all of those pairs are nearer than this, and no pair of different people is.
        stranger: one in a hundred pairs of different people is nearer than this.
    """

    name: str
    likely: float
    possible: float
    stranger: float

    def band(self, distance: float) -> int:
        """Which of LIKENESS_WORDS a distance is."""
        return sum(distance >= limit for limit in (self.likely, self.possible, self.stranger))


DLIB = Recogniser("dlib", 0.33, 0.47, 0.6)
"""Training looks at these descriptors, so pictures please it more than they please people."""
FACERES = Recogniser("FaceRes", 0.53, 0.65, 0.9)
"""Nothing was trained on it."""
LIKENESS_WORDS = (
    "The same person",
    "Probably the same person",
    "Somebody alike, perhaps another person",
    "Somebody alike, not the same person",
)
"""By the band of a distance, the nearest first."""


@dataclass(frozen=True)
class Distances:
    """Distances of two pictures; None: not measured yet, or cannot be.

    Attributes:
        psnr: dB at 256 px.
        lpips: AlexNet, at 256 px.
        identity: Euclidean distance of dlib's descriptors.
        faceres: Euclidean distance of the descriptors of the second recogniser.
        no_face: whether no face was found in the original, so that there is no identity.
        of_faces: whether identity is asked for at all: not where the model shows something else.
    """

    psnr: float | None = None
    lpips: float | None = None
    identity: float | None = None
    faceres: float | None = None
    no_face: bool = False
    of_faces: bool = True


@dataclass(frozen=True)
class Likeness:
    """What the recognisers say of two pictures.

    Attributes:
        words: one of LIKENESS_WORDS, of the stricter recogniser.
        differ: a sentence with what each says, where they differ or only one was asked; or "".
        band: index of `words`.
    """

    words: str
    differ: str
    band: int

    @property
    def same(self) -> bool:
        """Whether both take the two for one person, surely or probably."""
        return self.band <= 1


def likeness(measured: Distances) -> Likeness | None:
    """The recognisers' words for two pictures; None where neither was asked."""
    asked = [
        (recogniser, recogniser.band(distance))
        for recogniser, distance in ((DLIB, measured.identity), (FACERES, measured.faceres))
        if distance is not None
    ]
    if not asked:
        return None
    band = max(found for _, found in asked)
    if len(asked) == 1:
        differ = f"Only one recogniser was asked, {asked[0][0].name}."
    elif len({found for _, found in asked}) > 1:
        said = ", ".join(f"{each.name} says “{_said(found)}”" for each, found in asked)
        differ = f"The recognisers differ: {said}."
    else:
        differ = ""
    return Likeness(LIKENESS_WORDS[band], differ, band)


def _said(band: int) -> str:
    words = LIKENESS_WORDS[band]
    return words[:1].lower() + words[1:]


class Measures:
    """Measures pictures outside the model's thread; recent results are cached.

    The networks are loaded when the first picture is measured.

    Args:
        of_faces: whether recognisers of faces are asked.
    """

    def __init__(self, cache: SharedCache, of_faces: bool = True) -> None:
        self.of_faces = of_faces
        self._done: Cache[Distances] = Cache(cache)
        self._originals: Cache[Scored] = Cache(cache, ORIGINAL_BYTES)
        self._turn = threading.Lock()

    @cached_property
    def evaluator(self) -> Evaluator:
        """What compares pictures by FIGURES."""
        from hsc.metrics.evaluator import Evaluator

        figures = FIGURES if self.of_faces else set(FIGURES) - set(RECOGNISED)
        return Evaluator(figures=tuple(figures))

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
            distances = Distances(found["psnr_256"], found["lpips_256"], of_faces=self.of_faces)
            yield distances
            dlib, faceres = RECOGNISED
            with self._turn, one_core():
                if not self.of_faces:
                    pass
                elif scored.face is None:
                    distances = replace(distances, no_face=True)
                else:
                    found = self.evaluator.compare(scored, picture, RECOGNISED)
                    distances = replace(distances, identity=found[dlib], faceres=found[faceres])
            self._done.put(key, distances)
        yield distances

    def measure(self, original: Image.Image, picture: Image.Image) -> Distances:
        """The last of `steps`."""
        *_, distances = self.steps(original, picture)
        return distances


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
