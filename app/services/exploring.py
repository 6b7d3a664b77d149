"""The map of the latent space: where faces lie, where a photo went, and the face at any place."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image

from app.cache import Cache, SharedCache
from app.executor import one_core
from app.protocols import FaceCodec
from app.results import Prepared
from app.services.compression import Compression
from hsc.errors import HscError
from hsc.images import marks
from hsc.weights.model_id import FACES

if TYPE_CHECKING:  # imported where it is used: it brings PyTorch, for which the page does not wait
    from torch import Tensor

    from hsc.analysis.latent_map import Axis, LatentMap
    from hsc.types import DecodedLatents

GENERATED = 240
"""Generated faces on the map, of seeds 0, 1, ..."""
BEYOND = 1.5
"""How far past the shown ends of an axis a place may lie, in parts of the half axis."""


@dataclass(frozen=True)
class AxisInfo:
    """An axis with its label, unit and range."""

    name: str
    label: str
    unit: str
    low: float
    high: float


@dataclass(frozen=True)
class FaceMap:
    """Two axes and the generated faces on them, (x, y) by seed.

    Attributes:
        portraits: whether the sheet that ships shows these faces: not those of another model.
    """

    x: AxisInfo
    y: AxisInfo
    faces: tuple[tuple[float, float], ...]
    portraits: bool = True


@dataclass(frozen=True)
class OnMap:
    """Where a photo lies.

    Attributes:
        before: of S, as the encoder finds it.
        after: of S^, as the file has it.
        edits: name, label, amount, and the place after the edit.
    """

    before: tuple[float, float]
    after: tuple[float, float]
    edits: tuple[tuple[str, str, float, tuple[float, float]], ...]


@dataclass(frozen=True)
class Place:
    """Which face to render: of a seed, of the photo before or after, edited, or at a place.

    Attributes:
        seed: of a generated face; it decides when it is given.
        edit: name and amount of an edit of the photo's S^.
        stage: "before" or "after", the photo itself.
        at: on the axes ``x`` and ``y``, reached from the photo's S^ or from the mean face.
    """

    seed: int | None = None
    edit: tuple[str, float] | None = None
    stage: str | None = None
    at: tuple[float, float] | None = None
    x: str = "axis1"
    y: str = "axis2"
    from_photo: bool = False


class Explorer:
    """Places and faces of the latent space; the last faces are cached."""

    def __init__(self, compression: Compression, cache: SharedCache) -> None:
        self.compression = compression
        self.executor = compression.executor
        self._turn = threading.Lock()
        self._map: LatentMap | None = None
        self._generated: Tensor
        self._pictures: Cache[Image.Image] = Cache(cache)

    @property
    def latent_map(self) -> LatentMap:
        """Built on first use."""
        with self._turn, one_core():
            if self._map is None:
                from hsc.analysis.latent_map import LatentMap
                from hsc.generators.pretrained import load_mapping

                # on the CPU whatever the codec runs on: the same map everywhere, made beside calls
                made = LatentMap(load_mapping(), self.executor.codec.networks.edits)
                self._generated = made.generated(range(GENERATED))
                self._map = made
            return self._map

    def axes(self) -> list[AxisInfo]:
        """Every axis there is."""
        return [_info(axis) for axis in self.latent_map.axes.values()]

    def face_map(self, x: str, y: str) -> FaceMap:
        """The generated faces on two axes. Raises HscError for axes that are none, or alike."""
        latent_map = self.latent_map
        if latent_map.axis(x) is latent_map.axis(y):
            raise HscError("Choose two different axes: both are the same.")
        places = latent_map.places(self._generated, x, y).tolist()
        return FaceMap(
            _info(latent_map.axis(x)),
            _info(latent_map.axis(y)),
            tuple((across, up) for across, up in places),
            portraits=self.compression.model == FACES,
        )

    def on_map(self, prepared: Prepared, level: float, x: str, y: str) -> OnMap:
        """Where a photo lies on two axes, before and after compression, and under each edit."""
        from hsc.analysis.latent_map import without_principal

        latent_map = self.latent_map
        before = self._photo(prepared, level, "before")
        after = self._photo(prepared, level, "after")

        def edited(name: str, amount: float) -> tuple[float, float]:
            return _place(latent_map, latent_map.edited(after, {name: amount}), x, y)

        edits = tuple(
            (edit.name, edit.label, edit.high, edited(edit.name, edit.high))
            for edit in without_principal(self.executor.codec.networks.edits.edits)
        )
        return OnMap(_place(latent_map, before, x, y), _place(latent_map, after, x, y), edits)

    def face(
        self,
        place: Place,
        prepared: Prepared | None = None,
        level: float = 3,
        *,
        small: bool = False,
    ) -> Image.Image:
        """Render the face of a place.

        Args:
            prepared, level: the photo of ``edit``, ``stage`` and ``from_photo``.
            small: a preview of 256 px instead of full size.

        Raises:
            HscError: there is no photo where one is needed, or the place is off the map.
        """
        key = (place, prepared and prepared.key, level, small)
        return self._pictures.get_or_make(
            key, lambda: self._rendered(place, prepared, level, small)
        )

    def is_cached(self, place: Place, prepared: Prepared | None = None, level: float = 3) -> bool:
        """Whether `face` would answer at once."""
        return (place, prepared and prepared.key, level, False) in self._pictures

    def where(
        self, place: Place, x: str, y: str, prepared: Prepared | None = None, level: float = 3
    ) -> tuple[float, float]:
        """Where the face of a place lies on two axes, which need not be those it was chosen on."""
        return _place(self.latent_map, self._w_plus(place, prepared, level), x, y)

    def _rendered(
        self, place: Place, prepared: Prepared | None, level: float, small: bool
    ) -> Image.Image:
        w_plus = self._w_plus(place, prepared, level)
        if prepared is not None and (place.edit or place.stage or place.from_photo):
            # places are of S, pictures have the fine styles of the file besides
            change = self._opened(prepared, level).change
            w_plus = w_plus if change is None else w_plus + change.to(w_plus)
        picture = self.executor.run(_render, w_plus, small)
        if prepared is None:  # nobody's photograph is in it
            at: dict[str, Any] = {"seed": place.seed, "at": place.at and list(place.at)}
            marks.put(picture, marks.Mark(marks.TRAINED, at))
        return picture

    def _w_plus(self, place: Place, prepared: Prepared | None, level: float) -> Tensor:
        latent_map = self.latent_map
        if place.seed is not None:
            return latent_map.generated([place.seed])
        if place.edit or place.stage or place.from_photo:
            if prepared is None:
                raise HscError("Choose a photo first: this face is made from it.")
            if place.stage:
                return self._photo(prepared, level, place.stage)
            after = self._photo(prepared, level, "after")
            if place.edit:
                return latent_map.edited(after, dict([place.edit]))
            start = after
        else:
            start = latent_map.mean
        if place.at is None:
            return start
        for value, name in zip(place.at, (place.x, place.y), strict=True):
            _check(value, latent_map.axis(name))
        return latent_map.face_at(place.at, place.x, place.y, start)

    def _photo(self, prepared: Prepared, level: float, stage: str) -> Tensor:
        """w+ of a photo, (1, 23, 512): from the encoder, or from the file."""
        if stage == "before":
            return self.compression.inversion(prepared).w_plus
        return self._opened(prepared, level).semantics

    def _opened(self, prepared: Prepared, level: float) -> DecodedLatents:
        """A photo's file, its semantics alone."""
        return self.compression.decoding.open(self.compression.file(prepared, level), "scn")


def _place(latent_map: LatentMap, w_plus: Tensor, x: str, y: str) -> tuple[float, float]:
    """Where the first of some faces lies."""
    across, up = latent_map.places(w_plus, x, y)[0].tolist()
    return across, up


def _render(codec: FaceCodec, w_plus: Tensor, small: bool) -> Image.Image:
    from hsc.analysis.latent_map import render_w_plus

    return render_w_plus(codec.decoder, w_plus, small=small)


def _check(value: float, axis: Axis) -> None:
    middle, half = (axis.low + axis.high) / 2, (axis.high - axis.low) / 2
    if not abs(value - middle) <= BEYOND * half:  # false for NaN too
        low, high = middle - BEYOND * half, middle + BEYOND * half
        raise HscError(
            f"On the axis {axis.label} choose a place from {low:g} to {high:g}: beyond, there are "
            "no faces."
        )


def _info(axis: Axis) -> AxisInfo:
    return AxisInfo(axis.name, axis.label, axis.unit, axis.low, axis.high)
