"""Faces made of several: morphs, style mixes and averages. Pure functions of w+ tensors."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from hsc.errors import HscError
from hsc.generator.synthesis import NUM_STYLES, styles_through

COARSE_PX, MIDDLE_PX = 8, 32
LAYERS = {
    "coarse": slice(0, styles_through(COARSE_PX)),
    "middle": slice(styles_through(COARSE_PX), styles_through(MIDDLE_PX)),
    "fine": slice(styles_through(MIDDLE_PX), NUM_STYLES),
}
"""Styles of w+ by what they draw: pose and shape; features and hair; colour and texture."""


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
