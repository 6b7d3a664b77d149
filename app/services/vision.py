"""What networks read off a face: in the original, the decoded picture and an AVIF of its size."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw

from app.cache import Cache, SharedCache, fingerprint
from app.executor import one_core
from app.results import Prepared
from app.services.compression import Compression
from app.services.measure import Distances, Likeness, likeness
from hsc.baselines import CODECS, best_downscaled

if TYPE_CHECKING:  # imported where it is used: it brings PyTorch, for which the page does not wait
    from hsc.vision.agreement import Agreement, Observation, Observer

TEAL, AMBER = (63, 181, 167), (255, 190, 110)
BACKGROUND = 0.35
"""Brightness of the background, in parts of the original's."""
OUTLINES = (
    range(0, 17), range(17, 22), range(22, 27), range(27, 31), range(31, 36),
    [*range(36, 42), 36], [*range(42, 48), 42], [*range(48, 60), 48], [*range(60, 68), 60],
)  # fmt: skip
"""Landmarks that are joined by lines: jaw, brows, nose, eyes, lips."""


@dataclass(frozen=True)
class View:
    """One picture and what was read off it.

    Attributes:
        name: "original", "decoded" or "avif".
        label: for people.
        bytes: of its file; None for the original.
        picture: unchanged.
        marked: with the mask, the landmarks and the box.
        agreement: with the original; None for the original itself.
    """

    name: str
    label: str
    bytes: int | None
    picture: Image.Image
    marked: Image.Image
    readout: Observation
    agreement: Agreement | None


class VisionReadouts:
    """Reads pictures outside the model's thread; recent read-outs are cached."""

    def __init__(self, compression: Compression, cache: SharedCache) -> None:
        self.compression = compression
        self._readouts: Cache[Observation] = Cache(cache)
        self._avif: Cache[tuple[str, bytes, Image.Image]] = Cache(cache)
        self._turn = threading.Lock()

    def steps(self, prepared: Prepared, level: float) -> Iterator[tuple[View, ...]]:
        """Read the original, the picture of its file, and an AVIF of as many bytes.

        Raises:
            HscError: the level is out of range.
        """
        original = self._view("original", "Original", None, prepared.crop, None)
        views: tuple[View, ...] = (original,)
        yield views
        data = self.compression.file(prepared, level)
        picture = self.compression.decoding.render(data).value
        views += (self._view("decoded", "HSC", len(data), picture, original.readout),)
        yield views
        label, avif, decoded = self._avif.get_or_make(
            (prepared.key, len(data)), lambda: self._same_bytes(prepared.crop, len(data))
        )
        views += (self._view("avif", label, len(avif), decoded, original.readout),)
        yield views

    def look(self, prepared: Prepared, level: float) -> tuple[View, ...]:
        """The last of `steps`: three views."""
        *_, views = self.steps(prepared, level)
        return views

    @cached_property
    def _observer(self) -> Observer:
        from hsc.vision.agreement import Observer

        return Observer.pretrained()

    def _view(
        self,
        name: str,
        label: str,
        size: int | None,
        picture: Image.Image,
        original: Observation | None,
    ) -> View:
        from hsc.vision.agreement import compare

        with self._turn, one_core():
            readout = self._readouts.get_or_make(
                fingerprint(picture), lambda: self._observer.observe(picture)
            )
        agreement = compare(original, readout) if original is not None else None
        return View(name, label, size, picture, marked(picture, readout), readout, agreement)

    def _same_bytes(self, crop: Image.Image, budget: int) -> tuple[str, bytes, Image.Image]:
        with one_core():
            fit = best_downscaled(crop, CODECS["avif"], budget)
        label = f"AVIF at {fit.px} px" + ("" if fit.fits else ", its smallest file")
        return label, fit.data, fit.picture


def marked(picture: Image.Image, readout: Observation) -> Image.Image:
    """A picture with the background darkened, the landmarks as lines, and the face's box."""
    mask = Image.fromarray((np.clip(readout.mask, 0, 1) * 255).astype(np.uint8)).resize(
        picture.size, Image.Resampling.BICUBIC
    )
    dark = picture.convert("L").convert("RGB").point(lambda value: value * BACKGROUND)
    out = Image.composite(picture, dark, mask)
    if readout.face is None:
        return out
    pen, side = ImageDraw.Draw(out), picture.width
    width = max(2, side // 256)
    points = [(x * side, y * side) for x, y in readout.face.landmarks.tolist()]
    for outline in OUTLINES:
        pen.line([points[i] for i in outline], fill=TEAL, width=width, joint="curve")
    pen.rectangle([edge * side for edge in readout.face.box], outline=AMBER, width=width)
    return out


def recognised(agreement: Agreement) -> Likeness | None:
    """What both recognisers say of a picture; None where it shows no face."""
    return likeness(Distances(identity=agreement.identity_l2, faceres=agreement.faceres_l2))


def verdict(view: View) -> tuple[str, bool]:
    """What the recognisers say of a picture, in a sentence; and whether it is the same person."""
    from hsc.vision.agreement import SAME_PLACE

    agreement = view.agreement
    if agreement is None:
        found = view.readout.face is not None
        return ("A face is found." if found else "No face is found here."), found
    said = recognised(agreement)
    if said is None:
        return "No face is found any more.", False
    if not said.same:
        return f"{said.words}.", False
    if agreement.landmark_error is not None and agreement.landmark_error > SAME_PLACE:
        return f"{said.words}, with features somewhat moved.", True
    return f"{said.words}, every feature in its place.", True


def as_json(view: View) -> dict[str, Any]:
    """A view as JSON."""
    from hsc.vision.segmentation import PERSON

    face, agreement = view.readout.face, view.agreement
    read = None
    if face is not None:
        read = {
            "box": [round(float(edge), 4) for edge in face.box],
            "landmarks": face.landmarks.round(4).tolist(),
            "age": round(face.age, 1),
            "expressions": {name: round(p, 3) for name, p in face.expressions.items()},
            "yaw": round(face.yaw, 1),
            "pitch": round(face.pitch, 1),
        }
    return {
        "picture": view.name,
        "label": view.label,
        "bytes": view.bytes,
        "person_area": round(float((view.readout.mask >= PERSON).mean()), 4),
        "face": read,
        "agreement": agreement
        and {
            "same_person": agreement.same_person,
            "identity_l2": agreement.identity_l2,
            "faceres_l2": agreement.faceres_l2,
            "landmark_error": agreement.landmark_error,
            "mask_overlap": agreement.mask_overlap,
            "age_change": agreement.age_change,
            "same_expression": agreement.same_expression,
        },
        "verdict": verdict(view)[0],
    }
