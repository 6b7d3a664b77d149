"""w+ to bytes and back, in exact arithmetic."""

import torch
from torch import Tensor

from hsc.bitstream.rans import MAX_SYMBOL, CdfTables, SymbolReader, encode_symbols
from hsc.config import FACE_1024
from hsc.latent_codecs.gains import log2_gain_at
from hsc.latent_codecs.gaussian import scale_index
from hsc.latent_codecs.styles_klt.model import SemanticCodec
from hsc.numerics.exact import WEIGHT_BITS, WEIGHT_LIMIT, snap


class SemanticCoder:
    """Entropy coder of the semantics: decoding gives the same bits on every machine.

    Args:
        codec: its synthesis side is copied to exact arithmetic here; its analysis stays float, on
            whatever device it is moved to.
    """

    def __init__(self, codec: SemanticCodec) -> None:
        self.codec = codec
        self.log2_gain = codec.log2_gain.detach().double().cpu()
        self.g_s, self.mean = (
            snap(p.detach().double().cpu(), WEIGHT_BITS, WEIGHT_LIMIT)
            for p in (codec.g_s, codec.mean)
        )

    def gain(self, level: float) -> Tensor:
        """log2 of the gains on a grid of 1/64, float64 on the CPU: (K,)."""
        return log2_gain_at(self.log2_gain, level)

    @torch.no_grad()
    def symbols(self, w_plus: Tensor, level: float) -> Tensor:
        """Quantise one w+: (1, 23, 512) -> (K,) int64."""
        y = self.codec.analysis(w_plus)[0].double().cpu()
        symbols = torch.round(y * torch.exp2(self.gain(level)))
        return symbols.clamp(-MAX_SYMBOL, MAX_SYMBOL).long()

    @torch.no_grad()
    def dequantise(self, symbols: Tensor, level: float) -> Tensor:
        """Symbols to w+^, exactly.

        Args:
            symbols: (K,) integers.

        Returns:
            (1, 23, 512) float64 on the CPU, snapped.
        """
        # exp2 may differ in its last bit between libraries: the grid absorbs it
        step = snap(torch.exp2(-self.gain(level)), 20)
        y_hat = snap(symbols.double() * step, 12)
        w_plus = snap(self.mean.flatten() + self.g_s @ y_hat)
        return w_plus.reshape(1, *FACE_1024.w_plus_shape)

    def compress(self, w_plus: Tensor, level: float, tables: CdfTables) -> bytes:
        """(1, 23, 512) to the bytes of the SCN layer."""
        indexes = scale_index(self.gain(level)).numpy()
        return encode_symbols(self.symbols(w_plus, level).numpy(), indexes, tables)

    def decompress(self, data: bytes, level: float, tables: CdfTables) -> Tensor:
        """Bytes of the SCN layer to w+^: (1, 23, 512) float64, the same bits everywhere.

        Raises:
            BitstreamError: the bytes hold impossible symbols.
        """
        indexes = scale_index(self.gain(level)).numpy()
        reader = SymbolReader(data, tables, len(indexes))
        return self.dequantise(torch.from_numpy(reader.read(indexes)), level)
