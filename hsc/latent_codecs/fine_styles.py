"""Fine styles: a change of the styles beyond S^, in some tens of bytes.

SCN's transform codes what GIE says of the styles, which is less than they can do. Gradient steps
through the generator find better ones for each picture (:mod:`hsc.inversion.fine_styles`), and most
of what they gain lies in a few dozen directions. A file has two such latents: one in SCN's layer,
for the picture of S alone, which changes all styles, and one in FCN's layer, for the picture of S
and F, which changes those above F: they set colour, light and texture. FCN is given G_F(S^) without
either, so nothing else depends on them.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.bitstream.rans import IntArray
from hsc.config import SHIPPED, CodecConfig
from hsc.latent_codecs.base import NotUpdatedError
from hsc.latent_codecs.gains import (
    coded_components,
    dequantised_components,
    log2_gain_at,
    rounded,
)
from hsc.latent_codecs.gaussian import MIN_LOG2, scale_index
from hsc.levels import LEVELS


class FineStyles(nn.Module):
    """Linear transform and entropy model of a change of w+.

    ::

        y, unit variance -> x gain(level) -> round -> rANS, mean 0, standard deviation gain(level)
        change of w+ = sum of y^ x basis, from the first style that it changes on; 0 before

    Args:
        config: ``fine_components`` is K; 0 in models that have none.
        first: of the styles that it changes; all that follow are changed too.

    Attributes:
        basis: (K, 23 - first, 512): what a standard deviation of each component changes.
        log2_gain: (6, K).
        curvature: second derivative of a picture's distance from the photograph with respect to
            each component, as it usually is, (K,). Only encoders need it.
    """

    def __init__(self, config: CodecConfig = SHIPPED, first: int = 0) -> None:
        super().__init__()
        spec, self.first = config.generator, first
        self.components = config.fine_components
        self.basis: Tensor
        self.log2_gain: Tensor
        self.curvature: Tensor
        shape = (self.components, spec.styles - self.first, spec.style_dim)
        kept = self.components > 0
        self.register_buffer("basis", torch.zeros(shape), persistent=kept)
        gains = torch.full((len(LEVELS), self.components), MIN_LOG2)  # no symbol takes a bit
        self.register_buffer("log2_gain", gains, persistent=kept)
        self.register_buffer("curvature", torch.ones(self.components), persistent=kept)
        self._exact: Tensor | None = None

    def change(self, y: Tensor) -> Tensor:
        """What y (B, K) adds to w+: (B, 23, 512)."""
        # gradients are sensitive to the rounding of autocast
        with torch.autocast(y.device.type, enabled=False):
            changed = torch.einsum("bk,ksd->bsd", y, self.basis.to(y))  # (B, 23 - first, 512)
        return F.pad(changed, (0, 0, self.first, 0))

    def add(self, w_plus: Tensor, y: Tensor | None) -> Tensor:
        """The styles to draw with, (B, 23, 512): w+ with the fine styles y (B, K) or without."""
        return w_plus if y is None else w_plus + self.change(y)

    def forward(self, y: Tensor, level: float) -> tuple[Tensor, Tensor]:
        """y_hat (B, K), rounded with a gradient that passes straight through, and bits (B,)."""
        return coded_components(y, self.log2_gain, level)

    def update(self) -> None:
        """Keep the gains that bytes depend on: float64 on the CPU."""
        self._exact = self.log2_gain.detach().double().cpu()

    def scale_indexes(self, level: float) -> IntArray:
        """Which table codes each component, (K,)."""
        return scale_index(self._exact_gain(level)).numpy()

    def quantise(self, y: Tensor | None, level: float) -> IntArray:
        """The symbols of y (1, K), (K,) int64; zeros where there is none."""
        if y is None:
            return np.zeros(self.components, np.int64)
        scaled = y[0].double().cpu() * torch.exp2(self._exact_gain(level))
        return rounded(scaled).numpy()

    def dequantise(self, symbols: IntArray, level: float) -> Tensor:
        """y_hat (1, K) of symbols (K,): float32 on the device of the basis, the same everywhere."""
        y_hat = dequantised_components(torch.from_numpy(symbols), self._exact_gain(level))
        return y_hat.float()[None].to(self.basis.device)

    def _exact_gain(self, level: float) -> Tensor:
        """log2 of the gains on a grid of 1/64, float64 on the CPU: (K,)."""
        if self._exact is None:
            raise NotUpdatedError
        return log2_gain_at(self._exact, level)
