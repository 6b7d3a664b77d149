"""The latent space as a map: coordinates of faces on chosen axes, and the face at a place."""

from __future__ import annotations

import re
from collections.abc import Mapping as Amounts
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from hsc.decoder import Decoder
from hsc.editing.table import PRINCIPAL_GROUP, Edit, EditTable
from hsc.errors import HscError
from hsc.generators.base import MappingNetwork
from hsc.images import marks
from hsc.images.tensors import to_picture

AXES = 6
"""Principal axes that are offered."""
SAMPLES = 4096
ABOUT = 0.6
"""Correlation over faces from which a principal axis is said to be about what an edit does."""
TRUNCATION = 0.7
"""Truncation of the faces on the map, as in ``Codec.random_face``."""


@dataclass(frozen=True)
class Axis:
    """A direction of the map.

    Attributes:
        name: ``axis1``, ``axis2``, ... or the name of an edit.
        label, unit: for display; the unit of a principal axis is a standard deviation of W.
        low, high: the range to show.
        measure: (23, 512); a face's coordinate is its inner product with w+ less the mean face.
        step: (23, 512), what a move by 1 adds to w+; its inner product with ``measure`` is 1.
    """

    name: str
    label: str
    unit: str
    low: float
    high: float
    measure: Tensor
    step: Tensor


class LatentMap:
    """Coordinates of faces along principal axes of W and along edits.

    Principal axes come from W, the latent before it is repeated for the 23 styles; the
    coordinate of a face whose styles differ is that of their mean. An edit's axis depends on the
    edit's own styles only, so that an edit by some amount moves a face by exactly that amount.

    Args:
        mapping: of the generator; its samples define the principal axes.
        edits: offered as axes.
    """

    def __init__(self, mapping: MappingNetwork, edits: EditTable) -> None:
        device = mapping.w_mean.device
        self.mapping = mapping
        self.edits = edits
        self.styles, style_dim = edits.shape
        self.mean = mapping.w_mean.detach().expand(1, self.styles, -1).cpu()  # (1, 23, 512)
        with torch.no_grad():
            z = torch.randn(SAMPLES, style_dim, generator=torch.Generator().manual_seed(0))
            w = mapping(z.to(device)).cpu().double()  # (N, 512)
        centred = w - w.mean(0)
        variance, vectors = torch.linalg.eigh(centred.T @ centred / len(w))  # rising
        variance, vectors = variance.flip(0), vectors.flip(1).T  # (512,), rows
        # the sign of an eigenvector is arbitrary: the largest entry is made positive
        largest = vectors.gather(1, vectors.abs().argmax(1, keepdim=True))
        vectors = vectors * largest.sign()
        for number, vector in enumerate(vectors[:AXES], start=1):
            if any(edit.name == f"pc{number}" for edit in edits.edits):
                # ... or it follows the principal edit along nearly this axis
                vector *= (edits.direction(f"pc{number}").sum(0).double() @ vector).sign()
        self.explained: list[float] = (variance / variance.sum())[:AXES].tolist()
        of_edits = [
            _along(edit, edits.direction(edit.name)) for edit in without_principal(edits.edits)
        ]
        # the edit with the largest correlation to a principal axis names it
        projections = torch.zeros(style_dim, 0)  # (512, edits)
        if of_edits:
            projections = torch.stack([axis.measure.sum(0) for axis in of_edits], 1)
        spread = centred @ projections.double()  # (N, edits)
        spread = spread / spread.std(0)
        of_w = []
        for number in range(AXES):
            deviation = float(variance[number].sqrt())
            along = (centred @ vectors[number]) / deviation  # (N,)
            likeness = (along[:, None] * spread).mean(0).tolist()
            near = [(abs(like), edit.label) for like, edit in zip(likeness, of_edits, strict=True)]
            strongest, label = max(near, key=lambda pair: pair[0], default=(0.0, ""))
            about = label if strongest >= ABOUT else None
            axis = (vectors[number].float() * deviation).expand(self.styles, -1)  # (23, 512)
            of_w.append(_principal(number, axis, about))
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
        """w+ of ``Codec.random_face`` for each seed: (N, 23, 512) on the CPU."""
        z = torch.cat(
            [
                torch.randn(1, self.edits.shape[1], generator=torch.Generator().manual_seed(s))
                for s in seeds
            ]
        )
        with torch.no_grad():
            w = self.mapping(z.to(self.mapping.w_mean.device), TRUNCATION).cpu()  # (N, 512)
        return w[:, None].expand(-1, self.styles, -1)

    def places(self, w_plus: Tensor, x: str, y: str) -> Tensor:
        """Coordinates of faces.

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
        """The face at a place: ``start``, moved along the two axes until it has these coordinates.

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
        # a step along one axis may change the other coordinate: both amounts are solved for jointly
        projections = torch.stack(
            [torch.stack([(m.measure * s.step).sum() for s in (a, b)]) for m in (a, b)]
        )  # (2, 2)
        missing = torch.tensor(place, dtype=torch.float32) - self.places(start, x, y)[0]
        amounts = torch.linalg.solve(projections, missing)
        return start.detach().cpu().float() + amounts[0] * a.step + amounts[1] * b.step

    def edited(self, w_plus: Tensor, amounts: Amounts[str, float]) -> Tensor:
        """The same faces after edits, (N, 23, 512). Raises HscError as ``EditTable.offset``."""
        return w_plus.detach().cpu().float() + self.edits.offset(amounts)


def without_principal(edits: Sequence[Edit]) -> list[Edit]:
    """The edits with a meaning: all but those along principal directions."""
    return [edit for edit in edits if edit.group != PRINCIPAL_GROUP]


def _along(edit: Edit, step: Tensor) -> Axis:
    """The axis of an edit whose amount of 1 adds ``step``, (23, 512)."""
    span = 1.5 * max(abs(edit.low), abs(edit.high))
    return Axis(edit.name, edit.label, edit.unit, -span, span, step / step.square().sum(), step)


def _principal(number: int, step: Tensor, about: str | None) -> Axis:
    label = f"Axis {number + 1}" + (f", mostly {about.lower()}" if about else "")
    return Axis(f"axis{number + 1}", label, "σ", -3.0, 3.0, step / step.square().sum(), step)


@torch.no_grad()
def render_w_plus(decoder: Decoder, w_plus: Tensor, *, small: bool = False) -> Image.Image:
    """Render a w+ without a feature layer. The picture is marked; see ``hsc.images.marks``.

    Args:
        w_plus: (1, 23, 512).
        small: a 256 x 256 preview instead of 1024 x 1024.
    """
    w_plus = w_plus.to(decoder.networks.device)
    feature = decoder.networks.synthesis.feature(w_plus)
    picture = to_picture(decoder.render(feature, w_plus, semantics_alone=True, preview=small))
    return marks.put(picture, marks.edited("scn"))
