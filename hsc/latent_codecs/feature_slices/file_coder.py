"""FCN's layer of a file: the base slices, above level 5 the enhancement slice, the fine styles."""

from collections.abc import Callable

import torch
from torch import Tensor

from hsc.bitstream.rans import CdfTables, IntArray, SymbolReader
from hsc.latent_codecs.feature_slices.coder import (
    Coded,
    SliceCoder,
    SymbolsOf,
    joined,
    quantiser,
    symbols_from,
)
from hsc.latent_codecs.feature_slices.enhancement import ABOVE, EnhancementSlice, base_level
from hsc.latent_codecs.feature_slices.prior import Pass
from hsc.latent_codecs.fine_styles import FineStyles
from hsc.latent_codecs.gains import STEP_BITS
from hsc.latent_codecs.gaussian import scale_index
from hsc.numerics.exact import exact_copy, snap

LatentOf = Callable[[Tensor], Tensor]


class FileCoder:
    """Entropy coder of y, in exact arithmetic; one stream holds all slices.

    Args:
        base: of the base slices; it takes the level that :func:`base_level` gives.
        enhancement: the slice of a ``FeatureCodec``, None in a model without it.
        fine: the fine styles of pictures of S and F.
    """

    def __init__(
        self,
        base: SliceCoder,
        enhancement: EnhancementSlice | None,
        fine: FineStyles,
    ) -> None:
        self.base, self.fine = base, fine
        self.enhancement = None if enhancement is None else exact_copy(enhancement)
        if enhancement is not None and self.enhancement is not None:
            # used as it is, not on the grid of weights
            self.enhancement.log2_gain = enhancement.log2_gain.detach().double().cpu()

    @property
    def tables(self) -> CdfTables:
        """Of the ladder of scales."""
        return self.base.tables

    @property
    def px(self) -> int:
        """Side of the latent."""
        return self.base.prior.order[0].px

    def base_level(self, level: float) -> float:
        """The level of the base slices in a file of a level."""
        return level if self.enhancement is None else base_level(level)

    def enhances(self, level: float) -> bool:
        """Whether files of a level have the enhancement slice."""
        return self.enhancement is not None and level > ABOVE

    @torch.no_grad()
    def quantise(
        self,
        y: Tensor,
        context: Tensor,
        level: float,
        more: LatentOf | None = None,
        fine: Tensor | None = None,
    ) -> tuple[IntArray, IntArray]:
        """The symbols of the layer and the table of each, in coding order.

        Args:
            y: of the base slices, (1, 128, 16, 16) float64 on the CPU.
            context: G_16(S^), (1, 512, 16, 16), of exact arithmetic.
            more: y of the enhancement slice, given y_hat of the base slices; None: zero.
            fine: latent of the fine styles, (1, K); None: zero.
        """
        coded: Coded = []
        y_hat = self.base.walk(context, self.base_level(level), quantiser(y, coded))
        if self.enhances(level):
            y_more = torch.zeros_like(y_hat) if more is None else more(y_hat)
            of_slice = quantiser(torch.cat([y_hat, y_more], 1), coded)
            self._enhance(context, y_hat, level, of_slice)
        of_fine = self.fine.quantise(fine, level), self.fine.scale_indexes(level)
        coded.append((torch.from_numpy(of_fine[0]), torch.from_numpy(of_fine[1])))
        return joined(coded)

    def decompress(self, data: bytes, context: Tensor, level: float) -> tuple[Tensor, Tensor]:
        """y_hat, (1, C, 16, 16) float64 on the CPU, and the latent of the fine styles, (1, K): the
        same bits on every machine.

        Raises:
            BitstreamError: the bytes hold impossible symbols.
        """
        reader = self.reader(data, level)
        y_hat = self.walk(context, level, symbols_from(reader))
        return y_hat, self.read_fine(reader, level)

    def read_fine(self, reader: SymbolReader, level: float) -> Tensor:
        """The latent of the fine styles, (1, K), which follow the passes."""
        return self.fine.dequantise(reader.read(self.fine.scale_indexes(level)), level)

    def reader(self, data: bytes, level: float) -> SymbolReader:
        """Reads the symbols of a layer. Raises BitstreamError for too short a one."""
        count = self.base.num_symbols
        if self.enhancement is not None and self.enhances(level):
            count += self.enhancement.channels * self.px**2
        count += self.fine.components
        return SymbolReader(data, self.tables, count)

    @torch.no_grad()
    def walk(self, context: Tensor, level: float, symbols_of: SymbolsOf) -> Tensor:
        """Visit the passes in coding order: used for encoding, decoding and measuring bits.

        Returns:
            y_hat, (1, C, 16, 16) float64.
        """
        y_hat = self.base.walk(context, self.base_level(level), symbols_of)
        if not self.enhances(level):
            return y_hat
        return torch.cat([y_hat, self._enhance(context, y_hat, level, symbols_of)], 1)

    def _enhance(
        self, context: Tensor, y_hat: Tensor, level: float, symbols_of: SymbolsOf
    ) -> Tensor:
        """The pass of the enhancement slice, given y_hat of the others: its own, (1, C, 16, 16)."""
        assert self.enhancement is not None
        slice_, known = self.enhancement, y_hat.shape[1]
        reduced = self.base.prior.context(context)  # (1, 96, 16, 16)
        scale_indexes = scale_index(slice_.log2_scale(reduced, y_hat, level).flatten(2))
        log2_gain = slice_.log2_gain_of(level)[:, None]
        # exp2 may differ in its last bit between libraries: the grids absorb it
        gain, step = (snap(torch.exp2(x), STEP_BITS) for x in (log2_gain, -log2_gain))
        last = Pass(slice(known, known + len(gain)), None, self.px)
        mean = torch.zeros(scale_indexes.shape, dtype=torch.float64)
        symbols = symbols_of(last, mean, gain, scale_indexes)
        return snap(symbols.double() * step).unflatten(2, y_hat.shape[2:])
