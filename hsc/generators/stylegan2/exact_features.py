"""StyleGAN2's first blocks in exact arithmetic: the semantic context of the FCN prior."""

import torch
from torch import Tensor
from torch.nn import functional as F

from hsc.generators.stylegan2.synthesis import (
    COLOURS,
    EPSILON,
    GAIN,
    ModulatedConv,
    StyledConv,
    Synthesis,
    enlarge,
    smooth,
)
from hsc.numerics.exact import WEIGHT_BITS, exact_copy, snap

RAW_LIMIT = 2.0**24
"""Before they are normalised, sums are larger than activations."""


class ExactSynthesis:
    """An :class:`ExactFeatures`: ``Synthesis.feature`` with identical bits on every machine.

    Sums are of values on grids and so exact. Roots, quotients and products of two numbers are
    rounded by IEEE 754 alike everywhere, and the grids that follow them keep later sums exact.

    Args:
        synthesis: the generator, on any device.
        px: resolution of the features.
    """

    def __init__(self, synthesis: Synthesis, px: int) -> None:
        self.spec = synthesis.spec
        self.const = snap(synthesis.const.detach().double().cpu())
        self.conv1 = exact_copy(synthesis.conv1)
        self.blocks = {
            block_px: exact_copy(synthesis.block(block_px))
            for block_px in self.spec.block_px
            if block_px <= px
        }

    @torch.no_grad()
    def feature(self, w_plus: Tensor) -> Tensor:
        """As :meth:`ExactFeatures.feature`."""
        x = _styled_conv(self.const.expand(len(w_plus), -1, -1, -1), self.conv1, w_plus[:, 0])
        picture = x.new_zeros(len(x), COLOURS, *x.shape[-2:])
        for px, block in self.blocks.items():
            styles = w_plus[:, self.spec.styles_of_block(px)]
            rgb, style = block.to_rgb, snap(block.to_rgb.conv.affine(styles[:, 0]))
            seen = rgb.conv.convolved(snap(x * style[:, :, None, None]))
            picture = snap(enlarge(snap(picture + seen + rgb.bias[:, None, None])))
            x = _styled_conv(x, block.conv0, styles[:, 0])
            x = _styled_conv(x, block.conv1, styles[:, 1])
        return torch.cat([x, picture], 1)


def _styled_conv(x: Tensor, layer: StyledConv, style: Tensor) -> Tensor:
    s = snap(layer.conv.affine(style))  # (B, C_in)
    y = snap(layer.conv.convolved(snap(x * s[:, :, None, None])), WEIGHT_BITS, RAW_LIMIT)
    if layer.conv.up:
        y = smooth(y)
    y = snap(y / _norm(layer.conv, s)[:, :, None, None], 16)
    y = snap(y + snap(layer.noise * layer.strength, 16) + layer.bias[:, None, None], 16)
    # 0.2 and the gain are on no binary grid, but one product an element rounds alike everywhere
    return snap(F.leaky_relu(y, 0.2) * GAIN)


def _norm(conv: ModulatedConv, s: Tensor) -> Tensor:
    """|W[o] s| of each output channel, (B, C_out)."""
    power = snap(conv.weight.square().sum((2, 3)))  # (C_out, C_in)
    return torch.sqrt(snap(s.square()) @ power.T + EPSILON)
