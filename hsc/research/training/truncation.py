"""Stage "truncation": chooses how far the last style is moved to its mean, on full pictures.

The losses of the other stages render through the 256-px exit, which barely depends on the style of
the layer that makes the 1024-px picture. That style drifts in training, visible as a shift of
brightness and hue. This stage tries a few truncations of that style on real faces and keeps the
best.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from hsc.generators.base import SynthesisNetwork
from hsc.inversion.encoder import InversionEncoder


@dataclass(frozen=True)
class TruncationConfig:
    """``configs/truncation.yaml``."""

    faces: int
    candidates: tuple[float, ...]


@torch.no_grad()
def best_truncation(
    encoder: InversionEncoder,
    synthesis: SynthesisNetwork,
    images: Tensor,
    candidates: Sequence[float],
) -> tuple[float, dict[float, float]]:
    """Try the candidates.

    Args:
        encoder: whose last truncation is taken to be 1.
        images: (N, 3, 256, 256) in [-1, 1].

    Returns:
        The best candidate, and the PSNR in dB at 256 px of each.
    """
    errors = dict.fromkeys(candidates, 0.0)
    spec, input_px = synthesis.spec, images.shape[-1]
    for image in images.split(1):
        inversion = encoder(image, synthesis)
        w_plus, mean = inversion.w_plus, encoder.semantic_head.w_mean
        # (1, 64, 512, 512)
        last = synthesis.run(inversion.feature, w_plus, spec.feature_px, spec.block_px[-1])
        for candidate in candidates:
            style = mean + candidate * (w_plus[:, -1] - mean)
            rendered = synthesis.to_image(last, style).clamp(-1, 1)
            error = F.interpolate(rendered, size=input_px, mode="area") - image
            errors[candidate] += error.square().mean().item() / len(images)
    decibels = {c: 10 * torch.log10(torch.tensor(4 / e)).item() for c, e in errors.items()}
    return max(decibels, key=decibels.__getitem__), decibels
