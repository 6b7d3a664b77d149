"""Synthesis network of StyleGAN2, config F: w+ to a picture.

Source: Karras et al. 2020 (arXiv 1912.04958): weight demodulation (section 2.2), output skips
(section 3.1) and, from StyleGAN and Zhang 2019 (arXiv 1904.11486), the resampling filter 1 3 3 1.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.config import GeneratorSpec
from hsc.generators.base import Corner, SynthesisNetwork

COLOURS = 3
"""Channels of the picture so far, the last ones of an activation."""
GAIN = 2**0.5
"""After a leaky ReLU, so that activations keep their variance."""
EPSILON = 1e-8


def smooth(x: Tensor) -> Tensor:
    """The filter 1 3 3 1 with a gain of 2 a side: (..., 2H + 1, 2W + 1) -> (..., 2H, 2W).

    What a transposed convolution of stride 2 leaves is so brought to twice the resolution.
    """
    x = F.pad(x, (1, 1, 1, 1))
    x = (x[..., :-3] + x[..., 3:] + 3 * (x[..., 1:-2] + x[..., 2:-1])) / 4
    rows = x[..., :-3, :] + x[..., 3:, :] + 3 * (x[..., 1:-2, :] + x[..., 2:-1, :])
    return rows / 4


def enlarge(x: Tensor) -> Tensor:
    """Twice the resolution by the same filter, zero beyond the border: (B, C, 2H, 2W)."""
    b, c, h, w = x.shape
    padded = F.pad(x, (1, 1))  # (B, C, H, W + 2)
    halves = (3 * x + padded[..., :-2]) / 4, (3 * x + padded[..., 2:]) / 4
    x = torch.stack(halves, -1).reshape(b, c, h, 2 * w)
    padded = F.pad(x, (0, 0, 1, 1))
    halves = (3 * x + padded[..., :-2, :]) / 4, (3 * x + padded[..., 2:, :]) / 4
    return torch.stack(halves, 3).reshape(b, c, 2 * h, 2 * w)


class ModulatedConv(nn.Module):
    """Convolution whose weights are scaled by a style, and normalised.

    ::

        weights of output channel o:  W[o] s / |W[o] s|      s = affine(style), one number a channel
        computed as                   conv(x s, W) / |W[o] s|

    Args:
        kernel: 3 or 1.
        up: to twice the resolution, by a transposed convolution and :func:`smooth`.
        demodulate: normalise; without, as for pictures, W keeps its own scale.
    """

    def __init__(
        self,
        c_in: int,
        c_out: int,
        style_dim: int,
        kernel: int = 3,
        up: bool = False,
        demodulate: bool = True,
    ) -> None:
        super().__init__()
        self.up, self.demodulate = up, demodulate
        self.weight = nn.Parameter(torch.randn(c_out, c_in, kernel, kernel))
        self.affine = nn.Linear(style_dim, c_in)
        nn.init.normal_(self.affine.weight, std=style_dim**-0.5)
        nn.init.ones_(self.affine.bias)

    def convolved(self, x: Tensor) -> Tensor:
        """The convolution alone, with the weights as they are."""
        if self.up:
            return F.conv_transpose2d(x, self.weight.transpose(0, 1), stride=2)
        return F.conv2d(x, self.weight, padding=self.weight.shape[-1] // 2)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Args: x (B, C_in, h, w), style (B, style_dim). Returns (B, C_out, h, w) or twice that."""
        s: Tensor = self.affine(style)  # (B, C_in)
        y = self.convolved(x * s[:, :, None, None])
        if self.up:
            y = smooth(y)
        if not self.demodulate:
            return y
        wide = torch.promote_types(s.dtype, torch.float32)  # squares need more than half precision
        with torch.autocast(x.device.type, enabled=False):
            power = self.weight.to(wide).square().sum((2, 3))  # (C_out, C_in)
            norm = torch.rsqrt(s.to(wide).square() @ power.T + EPSILON)  # (B, C_out)
        return y * norm.to(y.dtype)[:, :, None, None]


class StyledConv(nn.Module):
    """Modulated convolution, fixed noise, bias, leaky ReLU.

    The noise map is a constant of the checkpoint: the same styles always give the same picture.
    """

    def __init__(self, c_in: int, c_out: int, px: int, style_dim: int, up: bool = False) -> None:
        super().__init__()
        self.conv = ModulatedConv(c_in, c_out, style_dim, up=up)
        self.bias = nn.Parameter(torch.zeros(c_out))
        self.strength = nn.Parameter(torch.zeros(()))
        self.noise: Tensor
        self.register_buffer("noise", torch.randn(1, 1, px, px))

    def forward(self, x: Tensor, style: Tensor, corner: Corner = (0, 0)) -> Tensor:
        """Args: x (B, C_in, h, w), a whole map or a part; ``corner``: of the result, if a part."""
        y = self.conv(x, style)  # (B, C_out, h', w')
        (top, left), (h, w) = corner, y.shape[-2:]
        noise = self.noise[:, :, top : top + h, left : left + w] * self.strength
        return F.leaky_relu(y + noise + self.bias[:, None, None], 0.2) * GAIN


class ToRgb(nn.Module):
    """An activation's part of the picture: 1x1, modulated, not normalised."""

    def __init__(self, c_in: int, style_dim: int) -> None:
        super().__init__()
        self.conv = ModulatedConv(c_in, COLOURS, style_dim, kernel=1, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(COLOURS))
        nn.init.normal_(self.conv.weight, std=c_in**-0.5)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        return self.conv(x, style) + self.bias[:, None, None]


class Block(nn.Module):
    """A block that doubles the resolution; it reads two styles.

    ::

        activation = x, picture so far
        x -> to RGB (style 0) -> + picture so far -> 1 3 3 1, x2 ----------------> picture so far
        x -> convolution x2 (style 0) -> convolution (style 1) ------------------> x

    An output skip reads the same style as the next convolution, so it is computed with that: an
    activation then depends on no style above its own, and has all that is needed to go on.
    """

    def __init__(self, c_in: int, c_out: int, px: int, style_dim: int) -> None:
        super().__init__()
        self.to_rgb = ToRgb(c_in, style_dim)
        self.conv0 = StyledConv(c_in, c_out, px, style_dim, up=True)
        self.conv1 = StyledConv(c_out, c_out, px, style_dim)

    def forward(self, activation: Tensor, styles: Tensor, corner: Corner = (0, 0)) -> Tensor:
        """Args: (B, C_in + 3, h, w), styles (B, 2, style_dim). Returns (B, C_out + 3, 2h, 2w).

        ``corner``: row and column, at twice the resolution, where a part of a map begins.
        """
        x, picture = activation[:, :-COLOURS], activation[:, -COLOURS:]
        picture = enlarge(picture + self.to_rgb(x, styles[:, 0]))
        x = self.conv0(x, styles[:, 0], corner)
        x = self.conv1(x, styles[:, 1], corner)
        return torch.cat([x, picture.to(x.dtype)], 1)


class Synthesis(SynthesisNetwork):
    """G: w+ -> picture, with an activation that can be read and replaced on the way.

    ::

        const 4x4 -> conv1 -> B8 -> B16 -> B32 --F--> B64 -> ... -> B1024 -> to RGB -> picture
        style  .       0      1-2   3-4    5-6        7-8           15-16      17

    F has the picture so far in its last three channels: what F does not say, nothing above knows.
    """

    conv1: StyledConv

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__(spec)
        dim = spec.style_dim
        channels = {px: count - COLOURS for px, count in spec.channels.items()}
        first = min(channels)
        self.const = nn.Parameter(torch.randn(1, channels[first], first, first))
        self.conv1 = StyledConv(channels[first], channels[first], first, dim)
        self.blocks = nn.ModuleDict(
            {str(px): Block(channels[px // 2], channels[px], px, dim) for px in spec.block_px}
        )
        self.to_rgb = ToRgb(channels[spec.image_px], dim)

    def block(self, px: int) -> Block:
        """The block with output resolution ``px``."""
        return cast(Block, self.blocks[str(px)])

    def start(self, w_plus: Tensor) -> Tensor:
        """As :meth:`SynthesisNetwork.start`."""
        x = self.conv1(self.const.expand(len(w_plus), -1, -1, -1), w_plus[:, 0])
        return F.pad(x, (0, 0, 0, 0, 0, COLOURS))  # there is no picture yet

    def to_image(self, x: Tensor, style: Tensor) -> Tensor:
        """As :meth:`SynthesisNetwork.to_image`: (B, C + 3, h, w) -> (B, 3, h, w)."""
        picture: Tensor = x[:, -COLOURS:] + self.to_rgb(x[:, :-COLOURS], style)
        return picture

    def style_layers(self) -> list[nn.Linear]:
        """As :meth:`SynthesisNetwork.style_layers`, of convolutions where to RGB reads it too."""
        readers = [self.conv1.conv]
        for block in map(self.block, self.spec.block_px):
            readers += [block.conv0.conv, block.conv1.conv]
        return [reader.affine for reader in (*readers, self.to_rgb.conv)]
