"""The enhancement slice: a last slice of FCN's latent, at the upper levels.

The base slices hold what varies most in F, and there they lose what a picture needs more. The
enhancement slice holds components of F that change the picture most, beyond the F^ of the base
slices. An encoder finds its latent by gradient steps (:mod:`hsc.inversion.enhancement`), not by an
analysis of F: what GIE says of F there is mostly nothing that anybody sees.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.config import SHIPPED, CodecConfig
from hsc.latent_codecs.feature_slices.prior import PassNetwork
from hsc.latent_codecs.feature_slices.transforms import level_map
from hsc.latent_codecs.gains import log2_gain_at
from hsc.levels import LEVELS

ABOVE = 5.0
"""The level above which files have the slice, and at which their base slices are coded."""


def base_level(level: float) -> float:
    """The level at which the base slices of a file are coded."""
    return min(level, ABOVE)


class EnhancementSlice(nn.Module):
    """Linear, orthonormal transforms and an entropy model of the slice.

    ::

        y = basis . (2 x 2 blocks of a change of F / std);   the change = basis^T . y^
        y x gain(level) -> round -> rANS, with mean 0 and a scale of ``scales``

    Attributes:
        basis: (128, 512, 2, 2), orthonormal rows.
        log2_gain: (6, 128).
    """

    def __init__(self, config: CodecConfig = SHIPPED) -> None:
        super().__init__()
        channels, features = config.enhancement_channels, config.generator.feature_channels
        self.channels = channels
        self.basis: Tensor
        self.log2_gain: Tensor
        self.register_buffer("basis", torch.zeros(channels, features, 2, 2))
        self.register_buffer("log2_gain", torch.zeros(len(LEVELS), channels))
        self.scales = PassNetwork(config.latent_channels, channels)

    def latent(self, change: Tensor) -> Tensor:
        """y of something like F / std: (B, 512, h, h) to (B, 128, h / 2, h / 2)."""
        return F.conv2d(change, self.basis.to(change), stride=2)

    def change(self, y: Tensor) -> Tensor:
        """The reverse of :meth:`latent`."""
        return F.conv_transpose2d(y, self.basis.to(y), stride=2)

    def log2_gain_of(self, level: float) -> Tensor:
        """log2 of each channel's gain, (128,)."""
        return log2_gain_at(self.log2_gain, level)

    def log2_scale(self, context: Tensor, y_hat: Tensor, level: float) -> Tensor:
        """log2 of the scales, counted in symbols: (B, 128, 16, 16).

        Args:
            context: of the prior, (B, 96, 16, 16).
            y_hat: of the base slices, (B, 128, 16, 16).
        """
        x = torch.cat([context, y_hat, level_map(level, y_hat)], 1)
        scales: Tensor = self.scales(x)
        return scales.to(y_hat) + self.log2_gain_of(level)[:, None, None].to(y_hat)
