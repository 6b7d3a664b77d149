"""Combine several files: interpolation, style mixing and averages, including feature maps."""

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from hsc.config import SHIPPED, GeneratorSpec
from hsc.editing.apply import carry_detail, local_rms
from hsc.errors import HscError
from hsc.types import DecodedLatents

COARSE_PX, MIDDLE_PX = 8, 32
MORPH_FALLOFF = 1.0
"""Change that motion does not explain, in standard deviations, at which 1/e of detail is kept."""


def style_layers(spec: GeneratorSpec) -> dict[str, slice]:
    """Styles of w+ by what they draw: pose and shape; features and hair; colour and texture."""
    coarse = spec.styles_through(COARSE_PX)
    middle = spec.styles_through(min(MIDDLE_PX, spec.feature_px))
    return {
        "coarse": slice(0, coarse),
        "middle": slice(coarse, middle),
        "fine": slice(middle, spec.styles),
    }


def interpolate(a: Tensor, b: Tensor, t: float) -> Tensor:
    """The face a part of the way between two: exactly ``a`` at 0 and ``b`` at 1.

    Args:
        a, b: (..., 23, 512).
        t: from 0 to 1.

    Raises:
        HscError: ``t`` is outside, or the shapes differ.
    """
    _check_shapes([a, b])
    if not 0 <= t <= 1:
        raise HscError(f"expected a place from 0 to 1 between two faces, got {t!r}.")
    return torch.lerp(a, b, float(t))


def mix(
    a: Tensor, b: Tensor, layers: str | Iterable[str], spec: GeneratorSpec = SHIPPED.generator
) -> Tensor:
    """The face ``a`` with some of its styles taken from ``b``.

    Args:
        a, b: (..., 23, 512).
        layers: which to take, one or several keys of :func:`style_layers`.
        spec: of their generator.

    Raises:
        HscError: an unknown layer, or the shapes differ.
    """
    _check_shapes([a, b])
    mixed, parts = a.clone(), style_layers(spec)
    for layer in [layers] if isinstance(layers, str) else layers:
        if layer not in parts:
            raise HscError(f"expected layers out of {', '.join(parts)}, got {layer!r}.")
        mixed[..., parts[layer], :] = b[..., parts[layer], :]
    return mixed


def average(faces: Sequence[Tensor]) -> Tensor:
    """The mean of any number of faces of shape (..., 23, 512). Raises HscError for none."""
    if not faces:
        raise HscError("expected at least one face to average, got none.")
    _check_shapes(faces)
    return torch.stack(list(faces)).mean(0)


def _check_shapes(faces: Sequence[Tensor]) -> None:
    shapes = {tuple(face.shape) for face in faces}
    if len(shapes) > 1:
        raise HscError(f"expected faces of one shape, got {sorted(shapes)}.")


class Blender:
    """Decoded latents of several files -> those of one face, to render, preview or edit.

    ::

        S_a, S_b --> between them --> S --> G_F(S) ------------------------------ + -> F
                                            |                                     |
        F_a - G_F(S_a) -- carried along by the motion from G_F(S_a) --- detail ---+
        F_b - G_F(S_b) -- carried along by the motion from G_F(S_b) --- detail ---+

    The sum of two people's details looks like a double exposure. So the face with the largest
    weight contributes its own detail, in proportion to its lead over the next one, and of the mean
    of all details only the part in which they agree is kept.

    Args:
        g_f: G_F, (1, 23, 512) -> (1, C, px, px).
        std: spread of each channel of it over faces, (C,).
        spec: sizes of the generator.
    """

    def __init__(self, g_f: Callable[[Tensor], Tensor], std: Tensor, spec: GeneratorSpec) -> None:
        self.g_f, self.spread, self.spec = g_f, std[:, None, None], spec

    @torch.no_grad()
    def morph(self, a: DecodedLatents, b: DecodedLatents, t: float) -> DecodedLatents:
        """A part of the way from one face to another: exactly ``a`` at 0 and ``b`` at 1.

        Raises:
            HscError: ``t`` is outside of 0 to 1.
        """
        w_plus = interpolate(a.w_plus, b.w_plus, t)
        if t in (0, 1):
            return b if t else a
        return self._compose(w_plus, {0: 1 - t, 1: t}, {0: 1 - t, 1: t}, [a, b])

    @torch.no_grad()
    def mix(
        self, a: DecodedLatents, b: DecodedLatents, layers: str | Iterable[str], t: float = 1.0
    ) -> DecodedLatents:
        """The face ``a`` with some layers of ``b``: ``coarse``, ``middle``, ``fine``.

        The detail of the feature map (facial features, hair) belongs to the middle layer.

        Args:
            t: how far on the way from ``a`` to that.

        Raises:
            HscError: an unknown layer, or ``t`` is outside of 0 to 1.
        """
        layers = {layers} if isinstance(layers, str) else set(layers)
        w_plus = interpolate(a.w_plus, mix(a.w_plus, b.w_plus, layers, self.spec), t)
        if not t:
            return a
        of_detail, of_fine = (
            {0: 1 - t, 1: t} if layer in layers else {0: 1.0} for layer in ("middle", "fine")
        )
        return self._compose(w_plus, of_detail, of_fine, [a, b])

    @torch.no_grad()
    def average(self, faces: Sequence[DecodedLatents]) -> DecodedLatents:
        """The mean of any number of faces. Raises HscError for none."""
        w_plus = average([face.w_plus for face in faces])
        weights = dict.fromkeys(range(len(faces)), 1 / len(faces))
        return self._compose(w_plus, weights, weights, faces)

    def _compose(
        self,
        w_plus: Tensor,
        weights: dict[int, float],
        fine_weights: dict[int, float],
        faces: Sequence[DecodedLatents],
    ) -> DecodedLatents:
        """The features of (1, 23, 512) with the detail of some faces, by weight.

        Args:
            fine_weights: of the faces' fine styles, which are in ``w_plus``. Those of S alone
                change all styles: where the others come from another face, S takes them in.
        """
        spread = self.spread
        feature_s = self.g_f(w_plus)
        after = feature_s / spread
        details = {}
        for index, weight in weights.items():
            face = faces[index]
            if weight and face.feature is not face.feature_s:
                own = (face.feature - face.feature_s) / spread
                details[index] = carry_detail(own, face.feature_s / spread, after, MORPH_FALLOFF)
        feature = feature_s
        if details:
            feature = feature_s + spread * _shared_detail(weights, details)
        fine = {
            name: _weighted(fine_weights, [getattr(face, name) for face in faces])
            for name in ("fine_s", "fine", "change")
        }
        return DecodedLatents(w_plus, feature_s, feature, faces[0].layers, **fine)


def _weighted(weights: dict[int, float], parts: Sequence[Tensor | None]) -> Tensor | None:
    """The sum of tensors by weight, None counting as zero; None where all are."""
    total: Tensor | None = None
    for index, weight in weights.items():
        part = parts[index]
        if part is not None:
            total = weight * part if total is None else total + weight * part
    return total


def _shared_detail(weights: dict[int, float], details: dict[int, Tensor]) -> Tensor:
    """Combine the details of several faces, each (1, C, px, px) in standard deviations."""
    leader, *others = sorted(weights, key=weights.__getitem__, reverse=True)
    lead = weights[leader] - max((weights[other] for other in others), default=0.0)
    weighted = (weights[index] * detail for index, detail in details.items())
    mean = sum(weighted, torch.zeros(()))
    if leader not in details:
        return (1 - lead) * mean * _agreement(mean, weights, details)
    if lead == 1:
        return details[leader]
    return lead * details[leader] + (1 - lead) * mean * _agreement(mean, weights, details)


def _agreement(mean: Tensor, weights: dict[int, float], details: dict[int, Tensor]) -> Tensor:
    """How much of a mean to keep: 1 where details are the same, 0 where they are unrelated."""
    power = sum(weights[index] * local_rms(detail) ** 2 for index, detail in details.items())
    common = local_rms(mean) ** 2
    # squared, so that weakly agreeing detail is suppressed: half a hat belongs to nobody
    return ((2 * common - power) / (common + 1e-9)).clamp(0, 1) ** 2  # (1, 1, px, px)
