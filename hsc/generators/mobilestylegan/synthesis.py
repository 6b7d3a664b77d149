"""Synthesis network of the generator: w+ styles to a 1024 x 1024 picture.

Source: MobileStyleGAN (Belousov 2021, arXiv 2104.04767), distilled from StyleGAN2-FFHQ.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.config import FACE_1024, GeneratorSpec
from hsc.generators.base import Corner, SynthesisNetwork
from hsc.generators.haar import inverse_haar


class Modulation(nn.Module):
    """One style vector to one multiplier per channel: (B, 512) -> (B, C, 1, 1)."""

    def __init__(self, channels: int, style_dim: int) -> None:
        super().__init__()
        self.affine = nn.Linear(style_dim, channels)

    def forward(self, style: Tensor) -> Tensor:
        return self.affine(style)[:, :, None, None]


class StyledConv(nn.Module):
    """Modulated convolution with a fixed noise map.

    ::

        x -> x style -> [depthwise 3x3 -> pointwise | full 3x3] -> + noise -> + bias -> leaky 0.2

    Demodulation and the 1/sqrt(fan-in) constants were folded into the weights on import. The
    noise map is a constant of the checkpoint: the same styles always give the same picture.
    """

    def __init__(
        self, c_in: int, c_out: int, px: int, style_dim: int, depthwise: bool = True
    ) -> None:
        super().__init__()
        self.modulation = Modulation(c_in, style_dim)
        self.depthwise = (
            nn.Conv2d(c_in, c_in, 3, padding=1, groups=c_in, bias=False) if depthwise else None
        )
        kernel = 1 if depthwise else 3
        self.conv = nn.Conv2d(c_in, c_out, kernel, padding=kernel // 2)
        self.noise: Tensor
        self.register_buffer("noise", torch.zeros(1, 1, px, px))

    def forward(self, x: Tensor, style: Tensor, corner: Corner = (0, 0)) -> Tensor:
        """Args: x (B, C_in, h, w), a whole map or the part of one from ``corner`` on."""
        x = x * self.modulation(style)  # (B, C_in, h, w)
        if self.depthwise is not None:
            x = self.depthwise(x)
        (top, left), (h, w) = corner, x.shape[-2:]
        noise = self.noise[:, :, top : top + h, left : left + w]
        return F.leaky_relu(self.conv(x) + noise, 0.2)  # (B, C_out, h, w)


class Block(nn.Module):
    """A block that doubles the resolution; it reads three styles.

    ::

        x -> x style -> inverse Haar -> StyledConv -> StyledConv
    """

    def __init__(self, c_in: int, c_out: int, px: int, style_dim: int) -> None:
        super().__init__()
        self.up = Modulation(c_in, style_dim)
        self.conv1 = StyledConv(c_in // 4, c_out, px, style_dim)
        self.conv2 = StyledConv(c_out, c_out, px, style_dim)

    def forward(self, x: Tensor, styles: Tensor, corner: Corner = (0, 0)) -> Tensor:
        """Args: x (B, C_in, h, w), styles (B, 3, 512). Returns (B, C_out, 2h, 2w).

        ``corner``: row and column, at twice the resolution, where a part of a map begins.
        """
        x = inverse_haar(x * self.up(styles[:, 0]))  # (B, C_in/4, 2h, 2w)
        x = self.conv1(x, styles[:, 1], corner)  # (B, C_out, 2h, 2w)
        return self.conv2(x, styles[:, 2], corner)  # (B, C_out, 2h, 2w)


class ToImage(nn.Module):
    """512-px features to the 1024-px picture through Haar coefficients; one style."""

    def __init__(self, c_in: int, style_dim: int) -> None:
        super().__init__()
        self.modulation = Modulation(c_in, style_dim)
        self.conv = nn.Conv2d(c_in, 12, 1)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        return inverse_haar(self.conv(x * self.modulation(style)))  # (B, 3, 2H, 2W)


class Synthesis(SynthesisNetwork):
    """G: w+ -> picture, with a feature map that can be read and replaced on the way.

    ::

        const 4x4 -> conv1 -> B8 -> B16 -> B32 --F--> B64 -> B128 -> B256 -> B512 -> to_img -> 1024
        style  .       0      1-3   4-6    7-9        10-12  13-15   16-18   19-21     22

    ``feature`` runs the left part, ``image`` the right part; ``forward`` is both.
    """

    conv1: StyledConv

    def __init__(self, spec: GeneratorSpec = FACE_1024) -> None:
        super().__init__(spec)
        channels, dim = spec.channels, spec.style_dim
        first, last = min(channels), spec.block_px[-1]
        self.const = nn.Parameter(torch.zeros(1, channels[first], first, first))
        self.conv1 = StyledConv(channels[first], channels[first], first, dim, depthwise=False)
        self.blocks = nn.ModuleDict(
            {str(px): Block(channels[px // 2], channels[px], px, dim) for px in spec.block_px}
        )
        self.to_img = ToImage(channels[last], dim)

    def block(self, px: int) -> Block:
        """The block with output resolution ``px``."""
        return cast(Block, self.blocks[str(px)])

    def start(self, w_plus: Tensor) -> Tensor:
        """As :meth:`SynthesisNetwork.start`: (B, 512, 4, 4)."""
        return self.conv1(self.const.expand(len(w_plus), -1, -1, -1), w_plus[:, 0])

    def to_image(self, x: Tensor, style: Tensor) -> Tensor:
        """As :meth:`SynthesisNetwork.to_image`: (B, 64, h, w) -> (B, 3, 2h, 2w)."""
        return self.to_img(x, style)

    def style_layers(self) -> list[nn.Linear]:
        """As :meth:`SynthesisNetwork.style_layers`."""
        readers = [self.conv1.modulation]
        for block in map(self.block, self.spec.block_px):
            readers += [block.up, block.conv1.modulation, block.conv2.modulation]
        return [reader.affine for reader in (*readers, self.to_img.modulation)]
