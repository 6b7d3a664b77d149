"""The latent space as a map: where faces lie along chosen axes, and which face lies at a place."""

from __future__ import annotations

import re
from collections.abc import Mapping as Amounts
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from hsc.config import FACE_1024
from hsc.decoder import Decoder
from hsc.editing.table import PRINCIPAL_GROUP, Edit, EditTable
from hsc.errors import HscError
from hsc.generators.base import MappingNetwork
from hsc.images.tensors import to_picture

AXES = 6
"""Principal axes that are offered."""
SAMPLES = 4096
ABOUT = 0.6
"""Correlation over faces from which a principal axis is said to be about what an edit does."""
TRUNCATION = 0.7
"""Of the faces on the map: what ``Codec.random_face`` draws."""


@dataclass(frozen=True)
class Axis:
    """A direction of the map.

    Attributes:
        name: ``axis1``, ``axis2``, ... or the name of an edit.
        label, unit: what a person reads; a principal axis counts standard deviations of W.
        low, high: what is worth showing.
        measure: (23, 512); a face's place is its product with what the face differs from the mean.
        step: (23, 512), what a move of 1 adds to w+; ``measure`` of it is 1.
    """

    name: str
    label: str
    unit: str
    low: float
    high: float
    measure: Tensor
    step: Tensor


class LatentMap:
    """Places of faces along principal axes of W and along edits.

    Principal axes come from W, the latent before it is repeated for the 23 styles; a face whose
    styles differ lies where their mean does. An edit's axis sees its own styles only, so that an
    edit by some amount moves a face by just that amount.

    Args:
        mapping: of the generator; its samples define the principal axes.
        edits: those that are offered as axes.
    """

    def __init__(self, mapping: MappingNetwork, edits: EditTable) -> None:
        device = mapping.w_mean.device
        self.mapping = mapping
        self.edits = edits
        self.mean = mapping.w_mean.detach().expand(1, FACE_1024.styles, -1).cpu()  # (1, 23, 512)
        with torch.no_grad():
            z = torch.randn(
                SAMPLES, FACE_1024.style_dim, generator=torch.Generator().manual_seed(0)
            )
            w = mapping(z.to(device)).cpu().double()  # (N, 512)
        centred = w - w.mean(0)
        variance, vectors = torch.linalg.eigh(centred.T @ centred / len(w))  # rising
        variance, vectors = variance.flip(0), vectors.flip(1).T  # (512,), rows
        # which end is which is arbitrary: the largest entry is made positive
        largest = vectors.gather(1, vectors.abs().argmax(1, keepdim=True))
        vectors = vectors * largest.sign()
        for number, vector in enumerate(vectors[:AXES], start=1):
            if any(edit.name == f"pc{number}" for edit in edits.edits):
                # ... unless the edit along nearly this axis, without what it does to skin, has one
                vector *= (edits.direction(f"pc{number}").sum(0).double() @ vector).sign()
        self.explained: list[float] = (variance / variance.sum())[:AXES].tolist()
        of_edits = [
            _along(edit, edits.direction(edit.name)) for edit in without_principal(edits.edits)
        ]
        # how the samples spread along the edits says what a principal axis is mostly about
        seen = torch.stack([axis.measure.sum(0) for axis in of_edits], 1)  # (512, edits)
        spread = centred @ seen.double()  # (N, edits)
        spread = spread / spread.std(0)
        of_w = []
        for number in range(AXES):
            deviation = float(variance[number].sqrt())
            along = (centred @ vectors[number]) / deviation  # (N,)
            likeness = (along[:, None] * spread).mean(0).tolist()
            strongest = max(range(len(of_edits)), key=lambda i: abs(likeness[i]))
            about = of_edits[strongest].label if abs(likeness[strongest]) >= ABOUT else None
            of_w.append(_principal(number, vectors[number].float(), deviation, about))
        self.axes = {axis.name: axis for axis in (*of_w, *of_edits)}

    def axis(self, name: str) -> Axis:
        """The axis of that name; ``pc1`` is what ``axis1`` was called in older links and calls.

        Raises:
            HscError: no such axis.
        """
        name = re.sub(r"^pc(?=\d+$)", "axis", name)
        if name not in self.axes:
            raise HscError(f"expected an axis out of {', '.join(self.axes)}, got {name!r}.")
        return self.axes[name]

    def generated(self, seeds: Sequence[int]) -> Tensor:
        """The faces that ``Codec.random_face`` draws from seeds: (N, 23, 512) on the CPU."""
        z = torch.cat(
            [
                torch.randn(1, FACE_1024.style_dim, generator=torch.Generator().manual_seed(s))
                for s in seeds
            ]
        )
        with torch.no_grad():
            w = self.mapping(z.to(self.mapping.w_mean.device), TRUNCATION).cpu()  # (N, 512)
        return w[:, None].expand(-1, FACE_1024.styles, -1)

    def places(self, w_plus: Tensor, x: str, y: str) -> Tensor:
        """Where faces lie.

        Args:
            w_plus: (N, 23, 512).
            x, y: names of axes.

        Returns:
            (N, 2).
        """
        offset = w_plus.detach().cpu().float() - self.mean
        measures = torch.stack([self.axis(name).measure for name in (x, y)])  # (2, 23, 512)
        return offset.flatten(1) @ measures.flatten(1).T

    def face_at(self, place: tuple[float, float], x: str, y: str, start: Tensor) -> Tensor:
        """The face at a place: another one, moved along the two axes until it lies there.

        Args:
            place: coordinates on the axes ``x`` and ``y``.
            start: w+ of the face that is moved, (1, 23, 512).

        Returns:
            (1, 23, 512) on the CPU.

        Raises:
            HscError: no such axis, or both are the same.
        """
        a, b = self.axis(x), self.axis(y)
        if a is b:
            raise HscError(f"expected two different axes, got {x!r} twice.")
        # a step along one axis may be seen by the other: both amounts are solved for together
        seen = torch.stack(
            [torch.stack([(m.measure * s.step).sum() for s in (a, b)]) for m in (a, b)]
        )  # (2, 2)
        missing = torch.tensor(place, dtype=torch.float32) - self.places(start, x, y)[0]
        amounts = torch.linalg.solve(seen, missing)
        return start.detach().cpu().float() + amounts[0] * a.step + amounts[1] * b.step

    def edited(self, w_plus: Tensor, amounts: Amounts[str, float]) -> Tensor:
        """The same faces after edits, (N, 23, 512). Raises HscError as ``EditTable.offset``."""
        return w_plus.detach().cpu().float() + self.edits.offset(amounts)


def without_principal(edits: Sequence[Edit]) -> list[Edit]:
    """Edits that are about something, without those along principal directions."""
    return [edit for edit in edits if edit.group != PRINCIPAL_GROUP]


def _along(edit: Edit, step: Tensor) -> Axis:
    """The axis of an edit whose amount of 1 adds ``step``, (23, 512)."""
    span = 1.5 * max(abs(edit.low), abs(edit.high))
    return Axis(edit.name, edit.label, edit.unit, -span, span, step / step.square().sum(), step)


def _principal(number: int, vector: Tensor, deviation: float, about: str | None) -> Axis:
    step = (vector * deviation).expand(FACE_1024.styles, -1)  # (23, 512)
    label = f"Axis {number + 1}" + (f", mostly {about.lower()}" if about else "")
    return Axis(f"axis{number + 1}", label, "σ", -3.0, 3.0, step / step.square().sum(), step)


@torch.no_grad()
def render_w_plus(decoder: Decoder, w_plus: Tensor, *, small: bool = False) -> Image.Image:
    """The face of a w+ alone, without a feature layer.

    Args:
        w_plus: (1, 23, 512).
        small: 256 x 256, quickly, instead of 1024 x 1024.
    """
    w_plus = w_plus.to(decoder.networks.device)
    feature = decoder.networks.synthesis.feature(w_plus)
    return to_picture(decoder.render(feature, w_plus, semantics_alone=True, preview=small))
