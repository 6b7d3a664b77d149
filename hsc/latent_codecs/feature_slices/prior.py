"""The FCN prior: mean and scale of each pass from the semantics and what was coded before it.

Source: channel-wise auto-regression of Minnen & Singh 2020 (arXiv 2007.08739), the checkerboard
of He et al. 2021 (arXiv 2103.15306); the context in place of a hyper-latent is that of Li et al.
2025 (arXiv 2502.16799).

That context is G_16(S^), the generator's activations computed exactly on both sides. The ablation
(``hsc ablate``) finds that it saves no bytes at equal LPIPS; it stays, because existing files
depend on it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.config import SHIPPED, CodecConfig
from hsc.latent_codecs.feature_slices.transforms import level_map
from hsc.layers import zeroed
from hsc.numerics.exact import GridModule

SLICES = (8, 12, 20, 32, 56)
"""Channels of each slice: the first ones are small because everything after leans on them."""
CHECKERED = 2
"""Slices coded in two halves. Their channels hold what varies slowly over the picture: of the
first one's variance four neighbours explain 60 to 80%, of later ones' hardly any."""
SLOPE = 0.25
"""Slope of the leaky ReLUs: a power of two, exact on a binary grid."""
CONTEXT_WIDTH = 96
assert sum(SLICES) == SHIPPED.latent_channels


@dataclass(frozen=True)
class Pass:
    """Symbols that are coded together, given all those of the passes before.

    Attributes:
        channels: of the latent, those of one slice.
        parity: which half of the checkerboard, 0 or 1; None for both.
        px: side of the latent.
    """

    channels: slice[int, int, None]
    parity: int | None
    px: int = SHIPPED.latent_px

    @property
    def known(self) -> int:
        """Channels of which something is known: earlier ones, and its own in the second half."""
        return self.channels.stop if self.parity == 1 else self.channels.start

    @property
    def width(self) -> int:
        """Channels of its slice."""
        return self.channels.stop - self.channels.start

    @property
    def cells(self) -> Tensor:
        """Positions of its symbols, (16, 16) bool."""
        if self.parity is None:
            return torch.ones(self.px, self.px, dtype=torch.bool)
        row = torch.arange(self.px)
        return (row[:, None] + row) % 2 == self.parity

    def of(self, x: Tensor) -> Tensor:
        """Its part of something shaped like the latent, (B, 128, 16, 16): (B, C, n)."""
        return x[:, self.channels][..., self.cells.to(x.device)]

    def put(self, known: Tensor, values: Tensor) -> Tensor:
        """The values known after this pass.

        Args:
            known: (B, self.known, 16, 16), zero where nothing is known yet.
            values: (B, C, 16, 16); only those at its cells are used.

        Returns:
            (B, self.channels.stop, 16, 16).
        """
        new = torch.where(self.cells.to(values.device), values, 0.0)
        if self.parity == 1:
            new = new + known[:, self.channels]
        return torch.cat([known[:, : self.channels.start], new], 1)


def passes(
    slices: tuple[int, ...], checkered: int, px: int = SHIPPED.latent_px
) -> tuple[Pass, ...]:
    """The order of coding.

    Args:
        slices: channels of each slice.
        checkered: how many slices, from the first, are coded in two halves.
        px: side of the latent.
    """
    found: list[Pass] = []
    start = 0
    for index, channels in enumerate(slices):
        part = slice(start, start + channels)
        found += [Pass(part, p, px) for p in ((0, 1) if index < checkered else (None,))]
        start += channels
    return tuple(found)


PASSES = passes(SLICES, CHECKERED)


class Context(GridModule):
    """The context of the prior: G's 16-px features of S^, with fewer channels.

    ::

        G_16(S^) (512 x 16 x 16) -> 1x1 -> leaky -> 3x3 -> leaky -> context (96 x 16 x 16)
    """

    def __init__(self, config: CodecConfig = SHIPPED, width: int = CONTEXT_WIDTH) -> None:
        super().__init__()
        generator = config.generator
        self.conv1 = nn.Conv2d(generator.channels[config.context_px], width, 1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, feature: Tensor) -> Tensor:
        h = self.grid(F.leaky_relu(self.grid(self.conv1(feature)), SLOPE))
        return self.grid(F.leaky_relu(self.grid(self.conv2(h)), SLOPE))


class PassNetwork(GridModule):
    """What the entropy model says of a pass, given what is known.

    ::

        context, what is known, level -> 3x3 -> leaky -> 1x1 -> leaky -> 3x3 -> outputs
    """

    def __init__(
        self, known: int, outputs: int, context: int = CONTEXT_WIDTH, width: int = 96
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(context + known + 1, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 1)
        self.conv3 = zeroed(nn.Conv2d(width, outputs, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        h = self.grid(F.leaky_relu(self.grid(self.conv1(self.grid(x))), SLOPE))
        h = self.grid(F.leaky_relu(self.grid(self.conv2(h)), SLOPE))
        return self.grid(self.conv3(h))  # (B, outputs, 16, 16)


CodePass = Callable[[Pass, Tensor, Tensor], Tensor]
"""Called with a pass, its means (B, C, 16, 16) and log2 of its scales, counted in symbols, of the
same shape; gives the decoded values, likewise. Only the pass's cells count."""


class Prior(nn.Module):
    """Context, one parameter network a pass, and the order of coding.

    Args:
        order: the passes.
        context: reduces G_16(S^) to 96 channels.
    """

    def __init__(self, order: tuple[Pass, ...] = PASSES, context: nn.Module | None = None) -> None:
        super().__init__()
        self.order = order
        self.context = context or Context()
        self.networks = nn.ModuleList([PassNetwork(p.known, 2 * p.width) for p in order])

    def walk(self, feature: Tensor, level: float, log2_gain: Tensor, code: CodePass) -> Tensor:
        """Visit the passes in coding order: the one loop of training, encoding and decoding.

        Args:
            feature: G_16(S^), (B, 512, 16, 16); of exact arithmetic in an ``exact_copy``.
            log2_gain: of each channel at this level, (128, 1, 1).
            code: codes a pass.

        Returns:
            y_hat, (B, 128, 16, 16), with the type of ``log2_gain``.
        """
        reduced = self.context(feature)  # (B, 96, 16, 16)
        level_channel = level_map(level, reduced)  # (B, 1, 16, 16)
        y_hat = log2_gain.new_zeros(len(feature), 0, *reduced.shape[-2:])
        for now, network in zip(self.order, self.networks):
            known = torch.cat([reduced, y_hat, level_channel], 1)  # (B, 96 + known + 1, 16, 16)
            mean, log2_scale = network(known).to(log2_gain).chunk(2, 1)  # (B, C, 16, 16) twice
            y_hat = now.put(y_hat, code(now, mean, log2_scale + log2_gain[now.channels]))
        return y_hat
