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


@dataclass(frozen=True)
class KnownPictures:
    """Photographs, or windows of them, and what LPIPS sees in them.

    Attributes:
        pictures: (B, 3, H, H) in [-1, 1].
        quarter: the same at a quarter of the size.
        px: the side that each photograph has itself, see :mod:`hsc.images.bandwidth`.
        features: of LPIPS, at full size, a half and a quarter of it.
    """

    pictures: Tensor
    quarter: Tensor
    px: Sequence[int]
    lpips: Lpips
    features: list[list[Tensor]]

    @classmethod
    @torch.no_grad()
    def of(cls, pictures: Tensor, px: Sequence[int], lpips: Lpips) -> KnownPictures:
        """Computed once for all levels and steps, because it takes as long as rendering."""
        sizes = _sizes(pictures)
        with gradient_autocast(pictures.device):
            features = [lpips.features(x) for x in sizes]
        return cls(pictures, sizes[-1], px, lpips, features)

    def distance(self, rendered: Tensor) -> Tensor:
        """How far pictures (B, 3, H, H) are from the photographs: (B,)."""
        sizes = _sizes(rendered)
        perceptual = sum(
            weight * self.lpips.distance(self.lpips.features(x), known)
            for weight, x, known in zip(LPIPS_WEIGHTS, sizes, self.features, strict=True)
        )
        colour = (sizes[-1] - self.quarter).square().mean((1, 2, 3))
        pixels = (rendered - self.pictures).abs().mean((1, 2, 3))
        return perceptual + COLOUR * colour + PIXELS * pixels


def _sizes(pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    half = F.avg_pool2d(pictures, 2)
    return pictures, half, F.avg_pool2d(half, 2)


def picture_distance(
    renderer: SynthesisNetwork, known: KnownPictures, feature_hat: Tensor, styles: Tensor
) -> Tensor:
    """How far the picture of F^ (1, 512, 32, 32), drawn with styles (1, 23, 512), is from the
    photograph."""
    x = feature_hat.to(renderer.dtype).contiguous(memory_format=torch.channels_last)
    with gradient_autocast(feature_hat.device):
        drawn = renderer.image(x, styles.to(renderer.dtype)).float()
        limited = all_band_limited(drawn, known.px, renderer.spec.image_px)
        return known.distance(limited).sum()
