"""Variants of the entropy model of F: told of the semantics or not, in slices or in one piece.

The transforms stay as they are shipped, so every variant codes the same latents and the pictures
are the same up to the rounding of a symbol: what differs is bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hsc.bitstream.rans import MAX_SYMBOL, CdfTables, encode_symbols
from hsc.entropy.gaussian import bits, scale_index
from hsc.evaluation.ablation.samples import Coded
from hsc.fcn.feature_codec import FeatureCodec
from hsc.fcn.prior import SLICES, Context, SliceParameters
from hsc.fcn.transforms import LATENT_CHANNELS, level_map

LEARNING_RATE = 1e-3
BATCH = 8


@dataclass(frozen=True)
class Variant:
    """An entropy model to try.

    Attributes:
        context: whether it sees G_16(S^).
        slices: channels of each slice.
    """

    title: str
    context: bool
    slices: tuple[int, ...]


VARIANTS = (
    Variant("as the codec has it", True, SLICES),
    Variant("without semantic context", False, SLICES),
    Variant("without slices", True, (LATENT_CHANNELS,)),
    Variant("without either", False, (LATENT_CHANNELS,)),
)


class VariantPrior(nn.Module):
    """As ``hsc.fcn.prior.Prior``, with the variant's slices; without context it sees zeros.

    ::

        [G_16(S^) -> context | 0], slices before, level -> mean, log2 scale of each slice
    """

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        self.variant = variant
        self.context = Context() if variant.context else None
        before = [sum(variant.slices[:i]) for i in range(len(variant.slices))]
        self.slices = nn.ModuleList(
            [SliceParameters(b, c) for b, c in zip(before, variant.slices)]
        )

    def forward(
        self, context: Tensor, y: Tensor, log2_gain: Tensor, level: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Quantise with the straight-through estimator.

        Args:
            context: (B, 512, 16, 16).
            y: (B, 96, 16, 16).
            log2_gain: (96,).

        Returns:
            Symbols, log2 of their scales in symbols, and y^: (B, 96, 16, 16) each.
        """
        if self.context is None:
            reduced = y.new_zeros(len(y), 96, *y.shape[-2:])
        else:
            reduced = self.context(context)  # (B, 96, 16, 16)
        gains = log2_gain[:, None, None]
        gain = torch.exp2(gains)
        columns: list[tuple[Tensor, Tensor, Tensor]] = []
        start = 0
        for channels, network in zip(self.variant.slices, self.slices):
            part = slice(start, start + channels)
            decoded = [y_hat for _, _, y_hat in columns]
            inputs = torch.cat([reduced, *decoded, level_map(level, reduced)], 1)
            mean, log2_scale = network(inputs)
            scaled = (y[:, part] - mean) * gain[part]
            symbols = scaled + (torch.round(scaled) - scaled).detach()
            columns.append((symbols, log2_scale + gains[part], symbols / gain[part] + mean))
            start += channels
        return tuple(torch.cat(column, 1) for column in zip(*columns))


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
        Bytes of the FCN layer (N,), and y^ (N, 96, 16, 16).
    """
    gain = fcn.gain(coded.level).detach().cpu().float()
    found, decoded = [], []
    for index in range(len(coded.y)):
        part = slice(index, index + 1)
        context = coded.context[part].float()
        symbols, log2_scale, y_hat = prior(context, coded.y[part], gain, coded.level)
        symbols = symbols.round().clamp(-MAX_SYMBOL, MAX_SYMBOL).long()
        rungs = scale_index(log2_scale.double())
        found.append(len(encode_symbols(symbols.numpy(), rungs.numpy(), tables)))
        decoded.append(y_hat)
    return torch.tensor(found, dtype=torch.float32), torch.cat(decoded)
