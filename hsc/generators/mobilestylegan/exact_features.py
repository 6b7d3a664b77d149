"""The generator's first blocks in exact arithmetic: the semantic context of the FCN prior."""

import torch
from torch import Tensor
from torch.nn import functional as F

from hsc.config import SHIPPED
from hsc.generators.haar import inverse_haar
from hsc.generators.mobilestylegan.synthesis import Modulation, StyledConv, Synthesis
from hsc.numerics.exact import exact_copy, snap


class ExactSynthesis:
    """An :class:`ExactFeatures`: ``Synthesis.feature`` with identical bits on every machine.

    Its values lie within 3% of the float features; training uses those.

    Args:
        synthesis: the generator, on any device.
        px: resolution of the features.
    """

    def __init__(self, synthesis: Synthesis, px: int = SHIPPED.context_px) -> None:
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
        """As :meth:`ExactFeatures.feature`: (B, 23, 512) -> (B, 512, 16, 16)."""
        const = self.const.expand(len(w_plus), -1, -1, -1)
        x = _styled_conv(const, self.conv1, w_plus[:, 0])  # (B, 512, 4, 4)
        for px, block in self.blocks.items():
            styles = w_plus[:, self.spec.styles_of_block(px)]
            # half of a sum of grid values lies on a finer grid: snap again
            x = snap(inverse_haar(snap(x * _style(block.up, styles[:, 0]))))
            x = _styled_conv(x, block.conv1, styles[:, 1])
            x = _styled_conv(x, block.conv2, styles[:, 2])
        return x


def _style(modulation: Modulation, style: Tensor) -> Tensor:
    return snap(modulation(style))


def _styled_conv(x: Tensor, conv: StyledConv, style: Tensor) -> Tensor:
    x = snap(x * _style(conv.modulation, style))
    if conv.depthwise is not None:
        # a finer grid: depthwise kernels carry the small 1/sqrt(fan-in) constant
        x = snap(_depthwise(x, conv.depthwise.weight), 14)
    y = snap(conv.conv(x) + conv.noise, 16)
    # 0.2 is on no binary grid, but one product an element rounds the same way everywhere
    return snap(torch.where(y < 0, y * 0.2, y))


def _depthwise(x: Tensor, weight: Tensor) -> Tensor:
    """A 3x3 depthwise convolution, (B, C, H, W) by (C, 1, 3, 3), as nine shifted products.

    PyTorch computes float64 channels one by one, a third of a file's decoding time. Sums are exact,
    so this order gives the same bits.
    """
    height, width = x.shape[-2:]
    padded, out = F.pad(x, (1, 1, 1, 1)), torch.zeros_like(x)
    for row in range(3):
        for column in range(3):
            part = padded[..., row : row + height, column : column + width]
            out.addcmul_(part, weight[:, :, row, column, None])
    return out
