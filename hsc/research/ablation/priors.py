"""Variants of the entropy model of F: with and without semantic context, slices, a checkerboard.

The transforms stay as they are shipped, so every variant codes the same latents and the pictures
are the same up to the rounding of a symbol: what differs is bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hsc.bitstream.rans import MAX_SYMBOL, CdfTables, encode_symbols
from hsc.latent_codecs.base import round_ste
from hsc.latent_codecs.feature_slices.model import FeatureCodec
from hsc.latent_codecs.feature_slices.prior import (
    CHECKERED,
    CONTEXT_WIDTH,
    SLICES,
    Context,
    Pass,
    Prior,
    passes,
)
from hsc.latent_codecs.gaussian import bits, scale_index
from hsc.research.ablation.samples import CodedFaces

LEARNING_RATE = 1e-3
BATCH = 8


@dataclass(frozen=True)
class Variant:
    """An entropy model to try.

    Attributes:
        context: whether it sees G_16(S^).
        slices: channels of each slice.
        checkered: how many of them, from the first, are coded in two halves.
    """

    title: str
    context: bool
    slices: tuple[int, ...]
    checkered: int


VARIANTS = (
    Variant("as the codec has it", True, SLICES, CHECKERED),
    Variant("without semantic context", False, SLICES, CHECKERED),
    Variant("without the checkerboard", True, SLICES, 0),
    Variant("without slices", True, (sum(SLICES),), 0),
    Variant("without context or slices", False, (sum(SLICES),), 0),
)


class NoContext(nn.Module):
    """Zeros in place of the output of ``Context``."""

    def forward(self, feature: Tensor) -> Tensor:
        return feature.new_zeros(len(feature), CONTEXT_WIDTH, *feature.shape[-2:])


class VariantPrior(Prior):
    """The codec's prior, with the variant's passes and with or without its context."""

    def __init__(self, variant: Variant) -> None:
        context = Context() if variant.context else NoContext()
        super().__init__(passes(variant.slices, variant.checkered), context)

    def forward(
        self, context: Tensor, y: Tensor, log2_gain: Tensor, level: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Quantise with the straight-through estimator.

        Args:
            context: (B, 512, 16, 16).
            y: (B, 128, 16, 16).
            log2_gain: (128,).

        Returns:
            Symbols, log2 of their scales in symbols, and y^: (B, 128, 16, 16) each.
        """
        log2_gain = log2_gain[:, None, None]
        gain = torch.exp2(log2_gain)
        symbols = scales = y[:, :0]

        def code(now: Pass, mean: Tensor, log2_scale: Tensor) -> Tensor:
            nonlocal symbols, scales
            rounded = round_ste((y[:, now.channels] - mean) * gain[now.channels])
            symbols, scales = now.put(symbols, rounded), now.put(scales, log2_scale)
            return rounded / gain[now.channels] + mean

        y_hat = self.walk(context, level, log2_gain, code)
        return symbols, scales, y_hat


def train(
    variant: Variant, fcn: FeatureCodec, faces: Sequence[CodedFaces], steps: int
) -> VariantPrior:
    """Fit a variant to latents, for the fewest bits; the same batches for every variant."""
    torch.manual_seed(0)
    prior = VariantPrior(variant)
    optimiser = torch.optim.Adam(prior.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    chosen = torch.Generator().manual_seed(1)
    for step in range(steps):
        coded = faces[step % len(faces)]
        index = torch.randint(len(coded.y), (BATCH,), generator=chosen)
        log2_gain = fcn.log2_gain_of(coded.level).detach().cpu().float()
        context, y = coded.context[index].float(), coded.y[index]
        symbols, log2_scale, _ = prior(context, y, log2_gain, coded.level)
        noisy = symbols + torch.rand_like(symbols) - 0.5 if step % 2 else symbols
        loss = bits(noisy, log2_scale).sum() / len(y) / 8000
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(prior.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    return prior.eval()


@torch.no_grad()
def sizes(
    prior: VariantPrior, fcn: FeatureCodec, coded: CodedFaces, tables: CdfTables
) -> tuple[Tensor, Tensor]:
    """Code latents for real.

    Returns:
        Bytes of the FCN layer (N,), and y^ (N, 128, 16, 16).
    """
    log2_gain = fcn.log2_gain_of(coded.level).detach().cpu().float()
    found, decoded = [], []
    for index in range(len(coded.y)):
        part = slice(index, index + 1)
        context = coded.context[part].float()
        symbols, log2_scale, y_hat = prior(context, coded.y[part], log2_gain, coded.level)
        symbols = symbols.round().clamp(-MAX_SYMBOL, MAX_SYMBOL).long()
        scale_indexes = scale_index(log2_scale.double())
        found.append(len(encode_symbols(symbols.numpy(), scale_indexes.numpy(), tables)))
        decoded.append(y_hat)
    return torch.tensor(found, dtype=torch.float32), torch.cat(decoded)
