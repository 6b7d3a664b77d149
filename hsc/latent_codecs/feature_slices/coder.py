"""The FCN latent to bytes and back, pass by pass, in exact arithmetic."""

from collections.abc import Callable

import torch
from torch import Tensor

from hsc.bitstream.rans import CdfTables, IntArray, SymbolReader, encode_symbols
from hsc.latent_codecs.feature_slices.prior import Pass, Prior
from hsc.latent_codecs.gains import STEP_BITS, log2_gain_at, rounded
from hsc.latent_codecs.gaussian import scale_index
from hsc.numerics.exact import exact_copy, snap

SymbolsOf = Callable[[Pass, Tensor, Tensor, Tensor], Tensor]
"""Called with a pass, its means (1, C, n), gains (C, 1) and scale indexes (1, C, n); gives its
int64 symbols, (1, C, n)."""
Coded = list[tuple[Tensor, Tensor]]
"""Symbols and the table of each, of every part of a layer in coding order."""


def quantiser(y: Tensor, coded: Coded) -> SymbolsOf:
    """Rounds y, (1, C, 16, 16), and adds the symbols to those that are coded."""

    def symbols_of(now: Pass, mean: Tensor, gain: Tensor, scale_indexes: Tensor) -> Tensor:
        symbols = rounded((now.of(y) - mean) * gain)
        coded.append((symbols.flatten(), scale_indexes.flatten()))
        return symbols

    return symbols_of


def symbols_from(reader: SymbolReader) -> SymbolsOf:
    """Reads them from a layer."""
    return lambda _, __, ___, scale_indexes: torch.from_numpy(
        reader.read(scale_indexes.numpy())
    ).long()


def joined(coded: Coded) -> tuple[IntArray, IntArray]:
    """All symbols and their tables."""
    symbols, indexes = (torch.cat(column).numpy() for column in zip(*coded))
    return symbols, indexes


class SliceCoder:
    """Entropy coder of the latent of the base slices, given the semantic context.

    Encoder and decoder visit the passes in the same order and differ only in the source of a pass's
    symbols: y, or the stream.

    Args:
        prior, log2_gain: those of a ``FeatureCodec``, copied to exact arithmetic.
        tables: of the ladder of scales.
    """

    def __init__(self, prior: Prior, log2_gain: Tensor, tables: CdfTables) -> None:
        self.prior = exact_copy(prior)
        self.log2_gain = log2_gain.detach().double().cpu()
        self.tables = tables
        self.num_symbols = sum(now.width * int(now.cells.sum()) for now in prior.order)

    def compress(self, y: Tensor, context: Tensor, level: float) -> bytes:
        """The bytes of the FCN layer.

        Args:
            y: (1, 128, 16, 16) float64 on the CPU.
            context: G_16(S^), (1, 512, 16, 16), of exact arithmetic.
        """
        symbols, indexes = self.quantise(y, context, level)
        return encode_symbols(symbols, indexes, self.tables)

    def quantise(self, y: Tensor, context: Tensor, level: float) -> tuple[IntArray, IntArray]:
        """The symbols and the table of each, in coding order; arguments as ``compress``."""
        coded: Coded = []
        self.walk(context, level, quantiser(y, coded))
        return joined(coded)

    def decompress(self, data: bytes, context: Tensor, level: float) -> Tensor:
        """y_hat, (1, 128, 16, 16) float64 on the CPU: the same bits on every machine.

        Raises:
            BitstreamError: the bytes hold impossible symbols.
        """
        return self.walk(context, level, symbols_from(self.reader(data)))

    def reader(self, data: bytes) -> SymbolReader:
        """Reads the symbols of a layer. Raises BitstreamError for too short a one."""
        return SymbolReader(data, self.tables, self.num_symbols)

    @torch.no_grad()
    def walk(self, context: Tensor, level: float, symbols_of: SymbolsOf) -> Tensor:
        """Visit the passes in coding order: used for encoding, decoding and measuring bits.

        Args:
            symbols_of: gives a pass's symbols, from its means, gains and tables.

        Returns:
            y_hat, (1, 128, 16, 16) float64.

        Raises:
            ValueError: the context is not of exact arithmetic: a decoder could not read the bytes.
        """
        if context.dtype != torch.float64:
            raise ValueError(
                f"expected a context of exact arithmetic, float64, got {context.dtype}."
            )
        log2_gain = log2_gain_at(self.log2_gain, level)[:, None, None]
        # exp2 may differ in its last bit between libraries: the grids absorb it
        gain, step = (snap(torch.exp2(x), STEP_BITS) for x in (log2_gain, -log2_gain))

        def code(now: Pass, mean: Tensor, log2_scale: Tensor) -> Tensor:
            part, cells = now.channels, now.cells
            scale_indexes = scale_index(log2_scale)[..., cells]  # (1, C, n)
            symbols = symbols_of(now, mean[..., cells], gain[part][..., 0], scale_indexes)
            mean[..., cells] += symbols.double() * step[part][..., 0]
            return snap(mean)

        return self.prior.walk(context, level, log2_gain, code)
