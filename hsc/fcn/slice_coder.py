"""The FCN latent to bytes and back, slice by slice, in exact arithmetic."""

from collections.abc import Callable

import torch
from torch import Tensor

from hsc.bitstream.rans import MAX_SYMBOL, CdfTables, SymbolReader, encode_symbols
from hsc.entropy.exact import exact_copy, snap
from hsc.entropy.exact_synthesis import ExactSynthesis
from hsc.entropy.gains import log2_gain_at
from hsc.entropy.gaussian import scale_index
from hsc.fcn.feature_codec import FeatureCodec
from hsc.fcn.prior import SLICES
from hsc.fcn.transforms import LATENT_CHANNELS, LATENT_PX
from hsc.generator.synthesis import Synthesis

NUM_SYMBOLS = LATENT_CHANNELS * LATENT_PX**2

SymbolsOf = Callable[[slice, Tensor, Tensor, Tensor], Tensor]
"""Called with a slice's channel range, mean, gain and scale rungs; gives its int64 symbols."""


class SliceCoder:
    """Entropy coder of the latent, given the decoded semantics.

    Encoder and decoder take the same walk over the slices and differ only in where a slice's
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
            y: (1, 96, 16, 16) float64 on the CPU.
            w_plus_hat: S^ as ``SemanticCodec.decompress`` gives it.
        """
        coded: list[tuple[Tensor, Tensor]] = []

        def quantise(part: slice, mean: Tensor, gain: Tensor, rungs: Tensor) -> Tensor:
            symbols = torch.round((y[:, part] - mean) * gain).clamp(-MAX_SYMBOL, MAX_SYMBOL).long()
            coded.append((symbols.flatten(), rungs.flatten()))
            return symbols

        self.walk(w_plus_hat, level, quantise)
        symbols, rungs = (torch.cat(column).numpy() for column in zip(*coded))
        return encode_symbols(symbols, rungs, self.tables)

    def decompress(self, data: bytes, w_plus_hat: Tensor, level: float) -> Tensor:
        """y_hat, (1, 96, 16, 16) float64 on the CPU: the same bits on every machine.

        Raises:
            BitstreamError: the bytes hold impossible symbols.
        """
        reader = SymbolReader(data, self.tables, NUM_SYMBOLS)

        def read(part: slice, mean: Tensor, gain: Tensor, rungs: Tensor) -> Tensor:
            return torch.from_numpy(reader.read(rungs.numpy())).long()

        return self.walk(w_plus_hat, level, read)

    @torch.no_grad()
    def walk(self, w_plus_hat: Tensor, level: float, symbols_of: SymbolsOf) -> Tensor:
        """Visit the slices in coding order; both directions and every measurement of bits do.

        Args:
            symbols_of: gives a slice's symbols, from its place, mean, gain and tables.

        Returns:
            y_hat, (1, 96, 16, 16) float64.
        """
        log2_gain = log2_gain_at(self.log2_gain, level)[:, None, None]
        # exp2 may differ in its last bit between libraries: the grids absorb it
        gain, step = snap(torch.exp2(log2_gain), 20), snap(torch.exp2(-log2_gain), 20)
        reduced = self.prior.context.exact(self.synthesis.feature(w_plus_hat))  # (1, 96, 16, 16)
        decoded: list[Tensor] = []
        start = 0
        for channels, network in zip(SLICES, self.prior.slices):
            part = slice(start, start + channels)
            inputs = snap(self.prior.inputs(reduced, decoded, level))  # (1, 96 + start + 1, 16, 16)
            mean, log2_scale = network.exact(inputs)  # (1, channels, 16, 16) twice
            rungs = scale_index(log2_scale + log2_gain[part])
            symbols = symbols_of(part, mean, gain[part], rungs)
            decoded.append(snap(symbols.double() * step[part] + mean))
            start += channels
        return torch.cat(decoded, 1)
