"""The FCN latent to bytes and back, pass by pass, in exact arithmetic."""

from collections.abc import Callable

import torch
from torch import Tensor

from hsc.bitstream.rans import MAX_SYMBOL, CdfTables, SymbolReader, encode_symbols
from hsc.generators.mobilestylegan.exact_features import ExactSynthesis
from hsc.generators.mobilestylegan.synthesis import Synthesis
from hsc.latent_codecs.feature_slices.model import FeatureCodec
from hsc.latent_codecs.feature_slices.prior import PASSES, Pass
from hsc.latent_codecs.feature_slices.transforms import LATENT_CHANNELS, LATENT_PX
from hsc.latent_codecs.gains import log2_gain_at
from hsc.latent_codecs.gaussian import scale_index
from hsc.numerics.exact import exact_copy, snap

NUM_SYMBOLS = LATENT_CHANNELS * LATENT_PX**2

SymbolsOf = Callable[[Pass, Tensor, Tensor, Tensor], Tensor]
"""Called with a pass, its means (1, C, n), gains (C, 1) and scale scale_indexes (1, C, n); gives its int64
symbols, (1, C, n)."""


class SliceCoder:
    """Entropy coder of the latent, given the decoded semantics.

    Encoder and decoder take the same walk over the passes and differ only in where a pass's
    symbols come from: from y, or from the stream.

    Args:
        codec: whose prior and gains are used, copied to exact arithmetic.
        synthesis: the generator, for the semantic context.
    """

    def __init__(self, codec: FeatureCodec, synthesis: Synthesis, tables: CdfTables) -> None:
        self.prior = exact_copy(codec.prior)
        self.log2_gain = codec.log2_gain.detach().double().cpu()
        self.synthesis = ExactSynthesis(synthesis)
        self.tables = tables

    def compress(self, y: Tensor, w_plus_hat: Tensor, level: float) -> bytes:
        """The bytes of the FCN layer.

        Args:
            y: (1, 128, 16, 16) float64 on the CPU.
            w_plus_hat: S^ as ``SemanticCodec.decompress`` gives it.
        """
        coded: list[tuple[Tensor, Tensor]] = []

        def quantise(now: Pass, mean: Tensor, gain: Tensor, scale_indexes: Tensor) -> Tensor:
            symbols = torch.round((now.of(y) - mean) * gain).clamp(-MAX_SYMBOL, MAX_SYMBOL).long()
            coded.append((symbols.flatten(), scale_indexes.flatten()))
            return symbols

        self.walk(w_plus_hat, level, quantise)
        symbols, scale_indexes = (torch.cat(column).numpy() for column in zip(*coded))
        return encode_symbols(symbols, scale_indexes, self.tables)

    def decompress(self, data: bytes, w_plus_hat: Tensor, level: float) -> Tensor:
        """y_hat, (1, 128, 16, 16) float64 on the CPU: the same bits on every machine.

        Raises:
            BitstreamError: the bytes hold impossible symbols.
        """
        reader = SymbolReader(data, self.tables, NUM_SYMBOLS)

        def read(now: Pass, mean: Tensor, gain: Tensor, scale_indexes: Tensor) -> Tensor:
            return torch.from_numpy(reader.read(scale_indexes.numpy())).long()

        return self.walk(w_plus_hat, level, read)

    @torch.no_grad()
    def walk(self, w_plus_hat: Tensor, level: float, symbols_of: SymbolsOf) -> Tensor:
        """Visit the passes in coding order; both directions and every measurement of bits do.

        Args:
            symbols_of: gives a pass's symbols, from its means, gains and tables.

        Returns:
            y_hat, (1, 128, 16, 16) float64.
        """
        log2_gain = log2_gain_at(self.log2_gain, level)[:, None, None]
        # exp2 may differ in its last bit between libraries: the grids absorb it
        gain, step = snap(torch.exp2(log2_gain), 20), snap(torch.exp2(-log2_gain), 20)
        reduced = self.prior.context.exact(self.synthesis.feature(w_plus_hat))  # (1, 96, 16, 16)
        y_hat = reduced.new_zeros(1, 0, LATENT_PX, LATENT_PX)
        for now, network in zip(PASSES, self.prior.networks):
            part, cells = now.channels, now.cells
            inputs = snap(self.prior.inputs(reduced, y_hat, level))  # (1, 96 + known + 1, 16, 16)
            mean, log2_scale = network.exact(inputs)  # (1, C, 16, 16) twice
            scale_indexes = scale_index(log2_scale + log2_gain[part])[..., cells]  # (1, C, n)
            symbols = symbols_of(now, mean[..., cells], gain[part][..., 0], scale_indexes)  # (1, C, n)
            mean[..., cells] += symbols.double() * step[part][..., 0]
            y_hat = now.put(y_hat, snap(mean))
        return y_hat
