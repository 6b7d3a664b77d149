"""The blocks above F, rearranged to render fast on a CPU; nearly all of the time is spent there."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.generators.base import Backend
from hsc.generators.mobilestylegan.synthesis import Block, Modulation, StyledConv, Synthesis

HAAR = 0.5 * torch.tensor([[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]])
"""Inverse transform. Rows: a 2x2 block in reading order; columns: ll, lh, hl, hh."""


class CpuSynthesis(Backend):
    """G computed with the operations of :class:`Synthesis` in an order that is fast on a CPU.

    ::

        F, sub-bands side by side -> x style -> additions -> depthwise 3x3, style folded in
            -> pointwise 1x1 -> + noise -> leaky 0.2 -> depthwise 3x3 ... -> next block
        last: 1x1 to 12 channels, style and inverse Haar folded in -> pixel shuffle

    Activations are channels-last, which makes depthwise kernels twenty times as fast. Styles are
    multiplied into those small kernels instead of the activations. The four sub-bands of an
    activation are stored side by side, so that the inverse Haar transform is a few additions.

    Pictures of a batch are rendered one by one, because a kernel that contains a style serves one
    picture.

    Args:
        synthesis: the generator, on the CPU.
        dtype: of the activations above 32 px: float32 or bfloat16.
    """

    def __init__(self, synthesis: Synthesis, dtype: torch.dtype = torch.float32) -> None:
        super().__init__(synthesis)
        self.to_img = synthesis.to_img
        self.dtype = dtype
        self.blocks = {
            px: _CpuBlock(synthesis.block(px), dtype, last=px == self.spec.block_px[-1])
            for px in self.spec.block_px
            if px > self.spec.feature_px
        }
        conv = self.to_img.conv
        self.pixel_weight = _fold_haar(conv.weight.detach())  # (12, 64, 1, 1)
        self.pixel_bias = _fold_haar(_bias(conv)).to(dtype)  # (12,)

    def run_above(self, x: Tensor, w_plus: Tensor, to_px: int) -> Tensor:
        x = torch.cat([self._run_blocks(*one, to_px) for one in zip(x.split(1), w_plus.split(1))])
        # the last block keeps the order of channels: no inverse Haar transform follows it
        return (
            x if to_px == self.spec.block_px[-1] else x[:, _bands(x.shape[1]).argsort()]
        ).float()

    def image_of(self, feature: Tensor, w_plus: Tensor) -> Tensor:
        return torch.cat([self._image(*one) for one in zip(feature.split(1), w_plus.split(1))])

    def _image(self, feature: Tensor, w_plus: Tensor) -> Tensor:
        x = self._run_blocks(feature, w_plus, self.spec.block_px[-1])  # (1, 64, 512, 512)
        style = self.to_img.modulation(w_plus[:, -1])  # (1, 64, 1, 1)
        weight = (self.pixel_weight * style).to(self.dtype)  # (12, 64, 1, 1)
        x = _pointwise(
            _channels_last(x), _channels_last(weight), self.pixel_bias
        )  # (1, 12, 512, 512)
        return F.pixel_shuffle(x.contiguous().float(), 2)  # (1, 3, 1024, 1024)

    def _run_blocks(self, x: Tensor, w_plus: Tensor, to_px: int) -> Tensor:
        """From an activation in the network's channel order to one with its bands side by side."""
        after_px = x.shape[-1]
        x = _channels_last(
            (x[:, _bands(x.shape[1])] if after_px < self.spec.block_px[-1] else x).to(self.dtype)
        )
        for px in self.spec.block_px:
            if after_px < px <= to_px:
                x = self.blocks[px](x, w_plus[:, self.spec.styles_of_block(px)])
        return x


class _CpuBlock:
    """One block; input and output have their sub-bands side by side."""

    def __init__(self, block: Block, dtype: torch.dtype, last: bool) -> None:
        self.modulation = block.up
        self.bands = _bands(block.up.affine.out_features)
        self.conv1 = _Styled.of(block.conv1, dtype)
        out = slice(None) if last else _bands(block.conv2.conv.out_channels)
        self.conv2 = _Styled.of(block.conv2, dtype, out)

    def __call__(self, x: Tensor, styles: Tensor) -> Tensor:
        """Args: x (1, C_in, px/2, px/2), styles (1, 3, 512). Returns (1, C_out, px, px)."""
        style = 0.5 * self.modulation(styles[:, 0])[:, self.bands]  # (1, C_in, 1, 1)
        x = _inverse_haar(x * style.to(x.dtype))  # (1, C_in/4, px, px)
        x = self.conv1(x, styles[:, 1])  # (1, C_out, px, px)
        return self.conv2(x, styles[:, 2])


@dataclass(frozen=True)
class _Styled:
    """A styled convolution. Its depthwise kernel stays float32 until a style is folded in."""

    modulation: Modulation
    depthwise: Tensor  # (C_in, 1, 3, 3)
    weight: Tensor  # (C_out, C_in, 1, 1)
    bias: Tensor  # (C_out,)
    noise: Tensor  # (1, 1, px, px)

    @classmethod
    def of(
        cls, conv: StyledConv, dtype: torch.dtype, out: Tensor | slice = slice(None)
    ) -> "_Styled":
        """Copy the constants, the output channels in the order ``out``."""
        if conv.depthwise is None:
            raise ValueError("expected a depthwise convolution, as every block has them.")
        weight, bias = conv.conv.weight.detach()[out], _bias(conv.conv)[out]
        return cls(
            conv.modulation,
            conv.depthwise.weight.detach(),
            _channels_last(weight.to(dtype)),
            bias.to(dtype),
            conv.noise.to(dtype),
        )

    def __call__(self, x: Tensor, style: Tensor) -> Tensor:
        kernel = self.depthwise * self.modulation(style)[0][:, None]  # (C_in, 1, 3, 3)
        x = F.conv2d(x, kernel.to(x.dtype), padding=1, groups=len(kernel))
        x = _pointwise(x, self.weight, self.bias)  # (1, C_out, px, px)
        return F.leaky_relu_(x.add_(self.noise), 0.2)


def _bias(conv: nn.Conv2d) -> Tensor:
    if conv.bias is None:
        raise ValueError("expected a convolution with a bias.")
    return conv.bias.detach()


def _pointwise(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """A 1x1 convolution by oneDNN, which PyTorch does not use for one picture on one thread."""
    if not torch.backends.mkldnn.is_available():
        return F.conv2d(x, weight, bias)
    return torch.mkldnn_convolution(x, weight, bias, (0, 0), (1, 1), (1, 1), 1)


def _inverse_haar(x: Tensor) -> Tensor:
    """(1, 4C, H, W), halved, with its bands side by side -> (1, C, 2H, 2W)."""
    _, c4, h, w = x.shape
    ll, lh, hl, hh = x.permute(0, 2, 3, 1).view(h, w, 4, c4 // 4).unbind(2)  # 4 x (H, W, C)
    out = x.new_empty(h, 2, w, 2, c4 // 4)
    low, high = ll + lh, hl + hh
    torch.add(low, high, out=out[:, 0, :, 0])
    torch.sub(low, high, out=out[:, 0, :, 1])
    torch.sub(ll, lh, out=low)
    torch.sub(hl, hh, out=high)
    torch.add(low, high, out=out[:, 1, :, 0])
    torch.sub(low, high, out=out[:, 1, :, 1])
    return out.view(1, 2 * h, 2 * w, c4 // 4).permute(0, 3, 1, 2)


def _fold_haar(coefficients: Tensor) -> Tensor:
    """(12, ...) Haar coefficients of three colours to 2x2 blocks, as pixel_shuffle takes them."""
    banded = coefficients[_bands(len(coefficients))].unflatten(0, (4, -1))  # (4, 3, ...)
    return torch.einsum("pk,kc...->cp...", HAAR, banded).flatten(0, 1)


def _bands(channels: int) -> Tensor:
    """Order of the network's channels (ll, then triples) as ll, lh, hl, hh."""
    low = torch.arange(channels // 4)
    return torch.cat([low, *(channels // 4 + 3 * low + k for k in range(3))])


def _channels_last(x: Tensor) -> Tensor:
    """The same values in the channels-last memory format."""
    return x.contiguous(memory_format=torch.channels_last)
