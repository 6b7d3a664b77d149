"""Variants of the entropy model of F: told of the semantics or not, in slices or in one piece.

The transforms stay as they are shipped, so every variant codes the same latents and the pictures
are the same up to the rounding of a symbol: what differs is bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hsc.bitstream.rans import MAX_SYMBOL, CdfTables, encode_symbols
from hsc.latent_codecs.feature_slices.model import FeatureCodec
from hsc.latent_codecs.feature_slices.prior import (
    CHECKERED,
    SLICES,
    Context,
    PassParameters,
    passes,
)
from hsc.latent_codecs.feature_slices.transforms import LATENT_CHANNELS, level_map
from hsc.latent_codecs.gaussian import bits, scale_index
from hsc.research.ablation.samples import Coded

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
    Variant("without slices", True, (LATENT_CHANNELS,), 0),
    Variant("without context or slices", False, (LATENT_CHANNELS,), 0),
)


class VariantPrior(nn.Module):
    """As ``hsc.latent_codecs.feature_slices.prior.Prior``, with the variant's slices; without context it sees zeros.

    ::

        [G_16(S^) -> context | 0], passes before, level -> mean, log2 scale of each pass
    """

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        self.variant = variant
        self.context = Context() if variant.context else None
        self.passes = passes(variant.slices, variant.checkered)
        self.networks = nn.ModuleList([PassParameters(p.known, p.width) for p in self.passes])

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
        if self.context is None:
            reduced = y.new_zeros(len(y), 96, *y.shape[-2:])
        else:
            reduced = self.context(context)  # (B, 96, 16, 16)
        gains = log2_gain[:, None, None]
        gain = torch.exp2(gains)
        symbols = scales = known = y[:, :0]
        for now, network in zip(self.passes, self.networks):
            part = now.channels
            inputs = torch.cat([reduced, known, level_map(level, reduced)], 1)
            mean, log2_scale = network(inputs)
            scaled = (y[:, part] - mean) * gain[part]
            rounded = scaled + (torch.round(scaled) - scaled).detach()
            symbols = now.put(symbols, rounded)
            scales = now.put(scales, log2_scale + gains[part])
            known = now.put(known, rounded / gain[part] + mean)
        return symbols, scales, known


def train(variant: Variant, fcn: FeatureCodec, faces: Sequence[Coded], steps: int) -> VariantPrior:
    """Fit a variant to latents, for the fewest bits; the same batches for every variant."""
    torch.manual_seed(0)
    prior = VariantPrior(variant)
    optimiser = torch.optim.Adam(prior.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    chosen = torch.Generator().manual_seed(1)
    for step in range(steps):
        coded = faces[step % len(faces)]
        index = torch.randint(len(coded.y), (BATCH,), generator=chosen)
        gain = fcn.gain(coded.level).detach().cpu().float()
        context, y = coded.context[index].float(), coded.y[index]
        symbols, log2_scale, _ = prior(context, y, gain, coded.level)
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
    prior: VariantPrior, fcn: FeatureCodec, coded: Coded, tables: CdfTables
) -> tuple[Tensor, Tensor]:
    """Code latents for real.

    Returns:
        Bytes of the FCN layer (N,), and y^ (N, 128, 16, 16).
    """
    gain = fcn.gain(coded.level).detach().cpu().float()
    found, decoded = [], []
    for index in range(len(coded.y)):
        part = slice(index, index + 1)
        context = coded.context[part].float()
        symbols, log2_scale, y_hat = prior(context, coded.y[part], gain, coded.level)
        symbols = symbols.round().clamp(-MAX_SYMBOL, MAX_SYMBOL).long()
        scale_indexes = scale_index(log2_scale.double())
        found.append(len(encode_symbols(symbols.numpy(), scale_indexes.numpy(), tables)))
        decoded.append(y_hat)
    return torch.tensor(found, dtype=torch.float32), torch.cat(decoded)
