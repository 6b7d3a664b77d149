"""How far a picture is from the photograph: what gradient steps of an encoder make smaller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from hsc.generators.base import SynthesisNetwork
from hsc.images.bandwidth import all_band_limited
from hsc.metrics.lpips import Lpips
from hsc.numerics.precision import gradient_autocast

LPIPS_WEIGHTS, COLOUR, PIXELS = (1.0, 0.5, 1.0), 4.0, 0.3
"""Weights of LPIPS at full size, a half and a quarter of it, of the squared error at a quarter
and of the mean absolute error."""
HALF_LPIPS_WEIGHTS = (1.0, 1.0)
"""Of LPIPS at a half and a quarter of the size, where nothing is compared at full size."""


@dataclass(frozen=True)
class KnownPictures:
    """Photographs, or windows of them, and what LPIPS sees in them.

    Attributes:
        pyramid: the pictures in [-1, 1], (B, 3, H, H), at a half and at a quarter of the size.
        px: the side that each photograph has itself, see :mod:`hsc.images.bandwidth`.
        features: of LPIPS, at each size.
    """

    pyramid: tuple[Tensor, ...]
    px: Sequence[int]
    lpips: Lpips
    features: list[list[Tensor]]

    @classmethod
    @torch.no_grad()
    def of(cls, pictures: Tensor, px: Sequence[int], lpips: Lpips) -> KnownPictures:
        """Computed once for all levels and steps, because it takes as long as rendering."""
        half = F.avg_pool2d(pictures, 2)
        pyramid = pictures, half, F.avg_pool2d(half, 2)
        with gradient_autocast(pictures.device):
            features = [lpips.features(x) for x in pyramid]
        return cls(pyramid, px, lpips, features)

    def distance(self, rendered: Tensor) -> Tensor:
        """How far pictures (B, 3, H, H), or half as large ones, are from the photographs: (B,)."""
        first = 0 if rendered.shape[-1] == self.pyramid[0].shape[-1] else 1
        weights = HALF_LPIPS_WEIGHTS if first else LPIPS_WEIGHTS
        pyramid = [rendered]
        for _ in self.pyramid[first + 1 :]:
            pyramid.append(F.avg_pool2d(pyramid[-1], 2))
        perceptual = sum(
            weight * self.lpips.distance(self.lpips.features(x), known)
            for weight, x, known in zip(weights, pyramid, self.features[first:], strict=True)
        )
        colour = (pyramid[-1] - self.pyramid[-1]).square().mean((1, 2, 3))
        pixels = (rendered - self.pyramid[first]).abs().mean((1, 2, 3))
        return perceptual + COLOUR * colour + PIXELS * pixels


def picture_distance(
    renderer: SynthesisNetwork,
    known: KnownPictures,
    feature_hat: Tensor,
    styles: Tensor,
    half: bool = False,
) -> Tensor:
    """How far a picture is from the photograph.

    Args:
        feature_hat, styles: F^ (1, 512, 32, 32) and what it is drawn with, (1, 23, 512).
        half: compare at half the size: its gradient takes two thirds of the time.
    """
    x = feature_hat.to(renderer.dtype).contiguous(memory_format=torch.channels_last)
    with gradient_autocast(feature_hat.device):
        drawn = renderer.image(x, styles.to(renderer.dtype)).float()
        if half:
            drawn = F.avg_pool2d(drawn, 2)
        limited = all_band_limited(drawn, known.px, drawn.shape[-1])
        return known.distance(limited).sum()
