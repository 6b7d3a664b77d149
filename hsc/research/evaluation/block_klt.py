"""A linear transform of the generator's features for each resolution, fitted to the generator.

Source: the Karhunen-Loeve transform of blocks of features, as FCN's training starts from
(``hsc.research.training.klt``), here of differences between generated faces.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from hsc.generators.base import MappingNetwork, SynthesisNetwork
from hsc.research.training.pairs import sample_styles

GRID = 16
"""Vectors of a map along each side, whatever its resolution."""
DRAWN, BATCH, PLACES = 256, 8, 24
"""Pairs of faces, how many are rendered together, and vectors taken of each."""
MOVED = 0.5
"""How far each style of a face is moved towards that of another one."""
SPARE, ROUNDS = 32, 2
"""Dimensions beyond those kept, and power iterations, of the randomised decomposition."""


@dataclass(frozen=True)
class BlockKlt:
    """g_s at one resolution, where n = px / 16.

    ::

        y (B, K, 16, 16) -> basis -> blocks of C x n x n -> x std -> + F_S -> F (B, C, px, px)

    Attributes:
        px: the resolution.
        basis: (C n n, K), orthonormal columns, those of most variance first.
        std: of each channel of the features, (C,).
        spread: standard deviation of each component among the differences, (K,).
        explained: the components' share of the differences' variance.
    """

    px: int
    basis: Tensor
    std: Tensor
    spread: Tensor
    explained: float

    def restore(self, y: Tensor, feature_s: Tensor) -> Tensor:
        """Args: y (B, K, 16, 16), feature_s (B, C, px, px). Returns F as feature_s."""
        blocks = F.conv2d(y, self.basis[:, :, None, None].to(y))  # (B, C n n, 16, 16)
        residual = F.pixel_shuffle(blocks, self.px // GRID)  # (B, C, px, px)
        return feature_s + self.std[:, None, None].to(residual) * residual


@torch.no_grad()
def block_klts(
    mapping: MappingNetwork, synthesis: SynthesisNetwork, sizes: Sequence[int], components: int
) -> dict[int, BlockKlt]:
    """The transforms of several resolutions, of the same faces and places.

    Args:
        synthesis: in any precision.
        sizes: resolutions, multiples of 16, in ascending order.
        components: K, for all of them.
    """
    generator, kind = torch.Generator().manual_seed(0), next(synthesis.parameters()).dtype
    vectors: dict[int, list[Tensor]] = {px: [] for px in sizes}
    moments: dict[int, list[Tensor]] = {px: [] for px in sizes}
    for _ in range(max(1, DRAWN // BATCH)):
        first = sample_styles(mapping, BATCH, generator, synthesis.spec)  # (B, 23, 512)
        z = torch.randn(
            BATCH * synthesis.spec.styles, synthesis.spec.style_dim, generator=generator
        )
        other = mapping(z.to(mapping.w_mean)).cpu().view_as(first)
        pair = torch.cat([first, torch.lerp(first, other, MOVED)])
        pair = pair.to(mapping.w_mean.device, kind)  # (2 B, 23, 512)
        places = torch.rand(BATCH, GRID**2, generator=generator).argsort(1)[:, :PLACES]
        x, reached = synthesis.feature(pair, sizes[0]), sizes[0]
        for px in sizes:
            x, reached = synthesis.run(x, pair, reached, px), px
            a, b = x.float().contiguous().chunk(2)  # (B, C, px, px) each
            moments[px].append(torch.stack([a.mean((0, 2, 3)), a.square().mean((0, 2, 3))]))
            blocks = F.pixel_unshuffle(b - a, px // GRID).flatten(2)  # (B, C n n, 256)
            index = places[:, None].expand(-1, blocks.shape[1], -1).to(blocks.device)
            vectors[px].append(blocks.gather(2, index).transpose(1, 2).flatten(0, 1))
    return {px: _klt(px, vectors.pop(px), moments[px], components) for px in sizes}


def _klt(px: int, vectors: list[Tensor], moments: list[Tensor], components: int) -> BlockKlt:
    mean, square = torch.stack(moments).mean(0)  # (C,) each
    std = (square - mean.square()).clamp_min(1e-12).sqrt()
    matrix = torch.cat(vectors) / std.repeat_interleave((px // GRID) ** 2)  # (N, C n n)
    rank = min(components + SPARE, *matrix.shape)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        _, size, basis = torch.svd_lowrank(matrix, rank, niter=ROUNDS)
    spread = size[:components] / len(matrix) ** 0.5
    explained = size[:components].square().sum() / matrix.square().sum()
    return BlockKlt(px, basis[:, :components].contiguous(), std, spread, explained.item())
