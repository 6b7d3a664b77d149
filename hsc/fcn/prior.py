"""The FCN prior: mean and scale of each slice from the semantics and the slices before it.

Source: channel-wise auto-regression of Minnen & Singh 2020 (arXiv 2007.08739); the context in
place of a hyper-latent is that of Li et al. 2025 (arXiv 2502.16799).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.entropy.exact import exact_conv, snap
from hsc.fcn.transforms import LATENT_CHANNELS, level_map
from hsc.generator.synthesis import CHANNELS

SLICES = (8, 12, 16, 24, 36)
"""Channels of each slice: the first ones are small because everything after leans on them."""
SLOPE = 0.25
"""Slope of the leaky ReLUs: a power of two, exact on a binary grid."""
assert sum(SLICES) == LATENT_CHANNELS


class Context(nn.Module):
    """What the semantics say about the latent: G's own 16-px features of S^, reduced.

    ::

        G_16(S^) (512 x 16 x 16) -> 1x1 -> leaky -> 3x3 -> leaky -> context (96 x 16 x 16)
    """

    def __init__(self, width: int = 96) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(CHANNELS[16], width, 1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, feature: Tensor) -> Tensor:
        h = F.leaky_relu(self.conv1(feature), SLOPE)
        return F.leaky_relu(self.conv2(h), SLOPE)

    def exact(self, feature: Tensor) -> Tensor:
        h = snap(F.leaky_relu(exact_conv(feature, self.conv1), SLOPE))
        return snap(F.leaky_relu(exact_conv(h, self.conv2), SLOPE))


class SliceParameters(nn.Module):
    """Mean and log2 scale of one slice.

    ::

        context, slices before, level -> 3x3 -> leaky -> 1x1 -> leaky -> 3x3 -> mean, log2 scale
    """

    def __init__(self, before: int, channels: int, context: int = 96, width: int = 96) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(context + before + 1, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 1)
        self.conv3 = nn.Conv2d(width, 2 * channels, 3, padding=1)
        nn.init.zeros_(self.conv3.weight)
        nn.init.zeros_(self.conv3.bias)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = F.leaky_relu(self.conv1(x), SLOPE)
        h = F.leaky_relu(self.conv2(h), SLOPE)
        mean, log2_scale = self.conv3(h).chunk(2, 1)
        return mean, log2_scale  # (B, C, 16, 16) twice

    def exact(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = snap(F.leaky_relu(exact_conv(x, self.conv1), SLOPE))
        h = snap(F.leaky_relu(exact_conv(h, self.conv2), SLOPE))
        mean, log2_scale = exact_conv(h, self.conv3).chunk(2, 1)
        return mean, log2_scale


class Prior(nn.Module):
    """Context and one parameter network a slice."""

    def __init__(self) -> None:
        super().__init__()
        self.context = Context()
        before = [sum(SLICES[:i]) for i in range(len(SLICES))]
        self.slices = nn.ModuleList([SliceParameters(b, c) for b, c in zip(before, SLICES)])

    def inputs(self, context: Tensor, decoded: list[Tensor], level: float) -> Tensor:
        """What a slice's network sees: (B, 96 + before + 1, 16, 16)."""
        return torch.cat([context, *decoded, level_map(level, context)], 1)
