"""How the bits of a file are distributed over the styles of w+ and over the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hsc.bitstream import unpack
from hsc.bitstream.header import check_model
from hsc.bitstream.rans import CDF_TOTAL, CdfTables, IntArray
from hsc.latent_codecs.feature_slices.prior import Pass
from hsc.latent_codecs.styles_klt import SemanticCodec
from hsc.networks import Networks

FloatArray = npt.NDArray[np.float64]
_NIBBLE = 4
_MORE = 15


@dataclass(frozen=True)
class BitAllocation:
    """Bits of the symbols of one file, by the tables that coded them.

    Attributes:
        styles: (23,), bits of SCN. A component of SCN affects several styles; its bits are divided
            among them by how much each one's part matters to the generator.
        positions: (16, 16), those of F by place in the picture, top row first; None without FCN.
        fine: those of the fine styles of FCN, which have no place in the picture.
    """

    styles: FloatArray
    positions: FloatArray | None
    fine: float = 0.0

    @property
    def scn(self) -> float:
        """Bits of the SCN layer; the coder's own state adds a few bytes to the file."""
        return float(self.styles.sum())

    @property
    def fcn(self) -> float:
        """Bits of the FCN layer, likewise."""
        return 0.0 if self.positions is None else float(self.positions.sum()) + self.fine


def allocate_bits(networks: Networks, data: bytes) -> BitAllocation:
    """Read a file's symbols and sum up their code lengths.

    Args:
        networks: of the model that the file was made with.
        data: the whole file; only SCN is read where FCN was cut off.

    Raises:
        BitstreamError: the bytes are no readable file, or of another model.
    """
    container = unpack(data)
    check_model(container.model_id, networks.model.code)
    scn, tables = networks.scn, networks.tables
    scale_indexes = scn.scale_indexes(container.level)  # (K + 64,)
    symbols = scn.read_symbols(container.scn, container.level)  # (K + 64,)
    styles = code_length(symbols, scale_indexes, tables) @ style_shares(scn)  # (23,)
    if container.fcn is None:
        return BitAllocation(styles, None)
    w_plus = scn.dequantise(torch.from_numpy(symbols), container.level)  # (1, 23, 512)
    return BitAllocation(styles, *_of_fcn(networks, container.fcn, w_plus, container.level))


def code_length(symbols: IntArray, indexes: IntArray, tables: CdfTables) -> FloatArray:
    """Bits of each symbol under the coder's integer tables, escapes included.

    Args:
        symbols: any shape.
        indexes: the same shape; which table codes each symbol.
    """
    longest = max(tables.sizes)
    # (tables, longest): bits of a table's entries; the last entry of each stands for escapes
    costs = np.zeros((len(tables), longest))
    for row, cdf in zip(costs, tables.cdfs):
        row[: len(cdf) - 1] = -np.log2(np.diff(cdf) / CDF_TOTAL)
    last = np.array(tables.sizes)[indexes] - 2
    place = symbols.astype(np.int64) - np.array(tables.offsets)[indexes]
    escaped = (place < 0) | (place >= last)
    bits: FloatArray = costs[indexes, np.where(escaped, last, place)]
    # an escape: sign and distance as one number in nibbles, preceded by their count
    far = np.where(place < 0, -2 * place - 1, 2 * (place - last))[escaped]
    nibbles = np.array([-(-int(value).bit_length() // _NIBBLE) for value in far], dtype=np.int64)
    bits[escaped] += _NIBBLE * (nibbles // _MORE + 1 + nibbles)
    return bits


def style_shares(scn: SemanticCodec) -> FloatArray:
    """How much of each component of SCN lies in each style, its fine styles after the others.

    Rows sum to one: (K + 64, 23).

    g_a and g_s are each other's inverse under the metric of what the generator does with each
    style, so the products of their entries, summed over a style, are that style's part.
    """
    g_a, g_s = scn.g_a.detach().double().cpu(), scn.g_s.detach().double().cpu()
    parts = (g_a * g_s.T).reshape(-1, *scn.mean.shape).sum(2).clamp_min(0)  # (K, 23)
    fine = scn.fine.basis.detach().double().cpu().square().sum(2)  # (64, 23)
    parts = torch.cat([parts, fine])
    shares: FloatArray = (parts / parts.sum(1, keepdim=True).clamp_min(1e-12)).numpy()
    return shares


def _of_fcn(
    networks: Networks, fcn: bytes, w_plus: Tensor, level: float
) -> tuple[FloatArray, float]:
    """Bits of F by place, (16, 16), passes and channels summed; and those of the fine styles."""
    coder = networks.fcn.coder
    reader = coder.reader(fcn, level)
    positions = np.zeros((coder.px,) * 2)

    def read(now: Pass, mean: Tensor, gain: Tensor, scale_indexes: Tensor) -> Tensor:
        symbols = reader.read(scale_indexes.numpy())  # (1, C, n)
        lengths = code_length(symbols, scale_indexes.numpy(), coder.tables).sum((0, 1))
        positions[now.cells.numpy()] += lengths
        return torch.from_numpy(symbols).long()

    coder.walk(networks.context.feature(w_plus), level, read)
    indexes = coder.fine.scale_indexes(level)
    fine = code_length(reader.read(indexes), indexes, coder.tables)
    return positions, float(fine.sum())
