"""SCN, semantic compression network: w+ in some tens of bytes.

Source: the role is that of Li et al. 2025 (arXiv 2502.16799); the transform is our own. Theirs
reshapes w+ into a picture whose neighbourhoods have no meaning; here it is a Karhunen-Loeve
transform under a metric of what the generator does with each style.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from hsc.bitstream.rans import CdfTables, IntArray, SymbolReader, encode_symbols
from hsc.config import SHIPPED, CodecConfig
from hsc.latent_codecs.base import LatentCodec, NotUpdatedError
from hsc.latent_codecs.fine_styles import FineStyles
from hsc.latent_codecs.gains import (
    coded_components,
    dequantised_components,
    log2_gain_at,
    rounded,
)
from hsc.latent_codecs.gaussian import scale_index
from hsc.levels import LEVELS
from hsc.numerics.exact import WEIGHT_BITS, WEIGHT_LIMIT, snap


@dataclass(frozen=True)
class _Exact:
    """The tensors that decoding needs, float64 on the CPU.

    g_s, (styles x style_dim, K), and mean are on the grid of weights; log2_gain, (6, K), is as
    trained.
    """

    g_s: Tensor
    mean: Tensor
    log2_gain: Tensor
    tables: CdfTables


class SemanticCodec(nn.Module, LatentCodec[None]):
    """Transform coder of w+ with one gain a component and level.

    ::

        w+ - mean -> g_a (K x 11776) -> y, unit variance -> x gain(level) -> round -> rANS
        w+^ = mean + g_s (11776 x K) . (symbols / gain(level))

    A component's symbols are Gaussian with standard deviation gain(level): components whose gain
    is small are zero and take almost no bits, so a level also determines the bit allocation.
    The layer ends with the :class:`FineStyles` of the picture of S alone, which are no part of S^.

    Args:
        components: K; None: as many as the configuration says.
        config: whose generator gives w+ its shape.
    """

    def __init__(self, components: int | None = None, config: CodecConfig = SHIPPED) -> None:
        super().__init__()
        components = components or config.components
        shape = config.generator.w_plus_shape
        size = shape[0] * shape[1]
        self.g_a = nn.Parameter(torch.zeros(components, size))
        self.g_s = nn.Parameter(torch.zeros(size, components))
        self.mean = nn.Parameter(torch.zeros(shape))
        self.log2_gain = nn.Parameter(torch.zeros(len(LEVELS), components))
        self.components = components
        self.fine = FineStyles(config)
        self._exact: _Exact | None = None

    def analysis(self, w_plus: Tensor) -> Tensor:
        """(B, 23, 512) -> y (B, K)."""
        return (w_plus - self.mean).flatten(1) @ self.g_a.T

    def synthesis(self, y_hat: Tensor) -> Tensor:
        """(B, K) -> (B, 23, 512)."""
        return self.mean + (y_hat @ self.g_s.T).reshape(-1, *self.mean.shape)

    def forward(self, w_plus: Tensor, level: float, side: None = None) -> tuple[Tensor, Tensor]:
        """Code with rounding that passes gradients straight through.

        Args:
            w_plus: (B, 23, 512).

        Returns:
            w_plus_hat (B, 23, 512) and the ideal bits of each picture (B,).
        """
        y_hat, cost = coded_components(self.analysis(w_plus), self.log2_gain, level)
        return self.synthesis(y_hat), cost

    def update(self, tables: CdfTables) -> None:
        """Freeze the synthesis side in exact arithmetic; the analysis stays float, on any device.

        Args:
            tables: of the ladder of scales, see ``hsc.latent_codecs.gaussian``.
        """
        g_s, mean, log2_gain = (
            p.detach().double().cpu() for p in (self.g_s, self.mean, self.log2_gain)
        )
        g_s, mean = (snap(p, WEIGHT_BITS, WEIGHT_LIMIT) for p in (g_s, mean))
        self._exact = _Exact(g_s, mean, log2_gain, tables)
        self.fine.update()

    def compress(
        self, w_plus: Tensor, level: float, side: None = None, fine: Tensor | None = None
    ) -> bytes:
        """The bytes of the layer: w_plus (1, 23, 512), on the device of the analysis.

        Args:
            fine: latent of the fine styles of S alone, (1, K); None: zero.
        """
        symbols = [self.quantise(w_plus, level).numpy(), self.fine.quantise(fine, level)]
        both = np.concatenate(symbols)
        return encode_symbols(both, self.scale_indexes(level), self.exact.tables)

    def decompress(self, data: bytes, level: float, side: None = None) -> Tensor:
        """w+^, (1, 23, 512) float64 on the CPU: the same bits on every machine.

        Raises:
            BitstreamError: the bytes hold impossible symbols.
        """
        return self.dequantise(torch.from_numpy(self.read_symbols(data, level)), level)

    def read_symbols(self, data: bytes, level: float, fine: bool = True) -> IntArray:
        """The integers of a layer: K of S, then those of its fine styles.

        Args:
            fine: the layer has fine styles.

        Raises:
            BitstreamError: as ``decompress``.
        """
        indexes = self.scale_indexes(level, fine)
        return SymbolReader(data, self.exact.tables, len(indexes)).read(indexes)

    def scale_indexes(self, level: float, fine: bool = True) -> IntArray:
        """Which table codes each symbol of a layer, in the order of ``read_symbols``."""
        of_s: IntArray = scale_index(self._exact_gain(level)).numpy()
        if not fine:
            return of_s
        return np.concatenate([of_s, self.fine.scale_indexes(level)])

    @torch.no_grad()
    def quantise(self, w_plus: Tensor, level: float) -> Tensor:
        """One w+, (1, 23, 512), to symbols, (K,) int64."""
        y = self.analysis(w_plus)[0].double().cpu()
        return rounded(y * torch.exp2(self._exact_gain(level)))

    @torch.no_grad()
    def dequantise(self, symbols: Tensor, level: float) -> Tensor:
        """Symbols to w+^, exactly.

        Args:
            symbols: of S, (K,) integers; those of fine styles may follow.

        Returns:
            (1, 23, 512) float64 on the CPU, snapped.
        """
        y_hat = dequantised_components(symbols[: self.components], self._exact_gain(level))
        w_plus = snap(self.exact.mean.flatten() + self.exact.g_s @ y_hat)
        return w_plus.reshape(1, *self.mean.shape)

    def decoded(self, w_plus: Tensor, level: float) -> Tensor:
        """What ``decompress`` gives of the bytes of one w+, (1, 23, 512), without making them."""
        return self.dequantise(self.quantise(w_plus, level), level)

    def fine_latent(self, symbols: IntArray, level: float) -> Tensor:
        """The latent of the fine styles of S alone, (1, K), from the symbols of a layer."""
        return self.fine.dequantise(symbols[self.components :], level)

    @property
    def exact(self) -> _Exact:
        """What ``update`` made. Raises NotUpdatedError."""
        if self._exact is None:
            raise NotUpdatedError
        return self._exact

    def _exact_gain(self, level: float) -> Tensor:
        """log2 of the gains on a grid of 1/64, float64 on the CPU: (K,)."""
        return log2_gain_at(self.exact.log2_gain, level)
