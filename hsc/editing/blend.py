"""Faces made of several files: morphs, style mixes and averages, feature maps included."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from hsc.config import FACE_1024
from hsc.editing.apply import carry_detail, size_of
from hsc.errors import HscError
from hsc.networks import Networks
from hsc.types import DecodedLatents

COARSE_PX, MIDDLE_PX = 8, 32
LAYERS = {
    "coarse": slice(0, FACE_1024.styles_through(COARSE_PX)),
    "middle": slice(FACE_1024.styles_through(COARSE_PX), FACE_1024.styles_through(MIDDLE_PX)),
    "fine": slice(FACE_1024.styles_through(MIDDLE_PX), FACE_1024.styles),
}
"""Styles of w+ by what they draw: pose and shape; features and hair; colour and texture."""
DETAIL_FALLOFF = 1.0
"""Change that motion does not explain, in standard deviations, at which 1/e of detail is kept."""


def interpolate(a: Tensor, b: Tensor, t: float) -> Tensor:
    """The face a part of the way between two: exactly ``a`` at 0 and ``b`` at 1.

    Args:
        a, b: (..., 23, 512).
        t: from 0 to 1.

    Raises:
        HscError: ``t`` is outside, or the shapes differ.
    """
    _alike([a, b])
    if not 0 <= t <= 1:
        raise HscError(f"expected a place from 0 to 1 between two faces, got {t!r}.")
    return torch.lerp(a, b, float(t))


def mix(a: Tensor, b: Tensor, layers: str | Iterable[str]) -> Tensor:
    """The face ``a`` with some of its styles taken from ``b``.

    Args:
        a, b: (..., 23, 512).
        layers: which to take, one or several keys of :data:`LAYERS`.

    Raises:
        HscError: an unknown layer, or the shapes differ.
    """
    _alike([a, b])
    mixed = a.clone()
    for layer in [layers] if isinstance(layers, str) else layers:
        if layer not in LAYERS:
            raise HscError(f"expected layers out of {', '.join(LAYERS)}, got {layer!r}.")
        mixed[..., LAYERS[layer], :] = b[..., LAYERS[layer], :]
    return mixed


def average(faces: Sequence[Tensor]) -> Tensor:
    """The mean of any number of faces of shape (..., 23, 512). Raises HscError for none."""
    if not faces:
        raise HscError("expected at least one face to average, got none.")
    _alike(faces)
    return torch.stack(list(faces)).mean(0)


def _alike(faces: Sequence[Tensor]) -> None:
    shapes = {tuple(face.shape) for face in faces}
    if len(shapes) > 1:
        raise HscError(f"expected faces of one shape, got {sorted(shapes)}.")


class Blender:
    """DecodedLatents files -> a face to draw, preview or edit like any opened file.

    ::

        S_a, S_b --> between them --> S --> G_F(S) ------------------------------ + -> F
                                            |                                     |
        F_a - G_F(S_a) -- carried along by the motion from G_F(S_a) --- detail ---+
        F_b - G_F(S_b) -- carried along by the motion from G_F(S_b) --- detail ---+

    Details of two people, added up, look exposed twice. So the face that has most say lends its
    own, by its lead over the next, and of the mean of all only that is kept in which they agree.
    """

    def __init__(self, networks: Networks) -> None:
        self.networks = networks

    @torch.no_grad()
    def morph(self, a: DecodedLatents, b: DecodedLatents, t: float) -> DecodedLatents:
        """A part of the way from one face to another: exactly ``a`` at 0 and ``b`` at 1.

        Raises:
            HscError: ``t`` is outside of 0 to 1.
        """
        w_plus = interpolate(a.w_plus, b.w_plus, t)
        if t in (0, 1):
            return b if t else a
        return self._face(w_plus, {0: 1 - t, 1: t}, [a, b])

    @torch.no_grad()
    def mix(
        self, a: DecodedLatents, b: DecodedLatents, layers: str | Iterable[str], t: float = 1.0
    ) -> DecodedLatents:
        """The face ``a`` with some layers of ``b``: ``coarse``, ``middle``, ``fine``.

        Detail of the feature map is features and hair: it comes with the middle layer.

        Args:
            t: how far on the way from ``a`` to that.

        Raises:
            HscError: an unknown layer, or ``t`` is outside of 0 to 1.
        """
        layers = {layers} if isinstance(layers, str) else set(layers)
        w_plus = interpolate(a.w_plus, mix(a.w_plus, b.w_plus, layers), t)
        if not t:
            return a
        return self._face(w_plus, {0: 1 - t, 1: t} if "middle" in layers else {0: 1.0}, [a, b])

    @torch.no_grad()
    def average(self, faces: Sequence[DecodedLatents]) -> DecodedLatents:
        """The mean of any number of faces. Raises HscError for none."""
        w_plus = average([face.w_plus for face in faces])
        return self._face(w_plus, dict.fromkeys(range(len(faces)), 1 / len(faces)), faces)

    def _face(
        self, w_plus: Tensor, weights: dict[int, float], faces: Sequence[DecodedLatents]
    ) -> DecodedLatents:
        """Draw the features of (1, 23, 512), and add what detail some faces lend, by weight."""
        n = self.networks
        spread = n.fcn.feature_std[:, None, None]
        feature_s = n.synthesis.feature(w_plus)
        after = feature_s / spread
        details = {}
        for index, weight in weights.items():
            face = faces[index]
            if weight and face.feature is not face.feature_s:
                own = (face.feature - face.feature_s) / spread
                details[index] = carry_detail(own, face.feature_s / spread, after, DETAIL_FALLOFF)
        if not details:
            return DecodedLatents(w_plus, feature_s, feature_s, faces[0].layers)
        lent = spread * _lent(weights, details)
        return DecodedLatents(w_plus, feature_s, feature_s + lent, faces[0].layers)


def _lent(weights: dict[int, float], details: dict[int, Tensor]) -> Tensor:
    """Detail out of those of several faces, each (1, C, px, px) in standard deviations."""
    leader, *others = sorted(weights, key=weights.__getitem__, reverse=True)
    lead = weights[leader] - max((weights[other] for other in others), default=0.0)
    mean = sum(weights[index] * detail for index, detail in details.items())
    if leader not in details:
        return (1 - lead) * mean * _agreed(mean, weights, details)
    if lead == 1:
        return details[leader]
    return lead * details[leader] + (1 - lead) * mean * _agreed(mean, weights, details)


def _agreed(mean: Tensor, weights: dict[int, float], details: dict[int, Tensor]) -> Tensor:
    """How much of a mean to keep: 1 where details are the same, 0 where they are unrelated."""
    power = sum(weights[index] * size_of(detail) ** 2 for index, detail in details.items())
    common = size_of(mean) ** 2
    # squared, for a little agreement is not yet a likeness: half of a hat is nobody's
    return ((2 * common - power) / (common + 1e-9)).clamp(0, 1) ** 2  # (1, 1, px, px)
