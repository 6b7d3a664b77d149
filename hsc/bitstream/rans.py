"""Integer symbols to bytes and back with a rANS coder, guarded.

The coder is CompressAI's, or our own of the same streams (see ``loading``). Both trust their
arguments: a bad index, a short or a hostile stream makes CompressAI's read or write outside its
buffers. Everything they are handed is therefore checked or padded here. They cannot notice a wrong
stream, so the file's checksums come first (see ``container``).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from hsc.bitstream.loading import import_coder
from hsc.errors import BitstreamError

IntArray = npt.NDArray[np.integer[Any]]

MAX_SYMBOL = 2**15  # largest magnitude of a symbol or an offset
CDF_TOTAL = 2**16  # a table runs from 0 to this: 16-bit probabilities
# The coder reserves one 32-bit word a symbol, and 1 or 2 symbols can need 3.
_MIN_SYMBOLS = 3
# The coder holds a probability in 16 bits, where 65536 is 0, and divides by it: so no table has
# a single entry.
_MIN_TABLE = 3
_STATE_BYTES = 8


@dataclass(frozen=True)
class CdfTables:
    """Probability tables in the layout that the coder wants, built and checked once.

    Table i gives symbol ``offsets[i] + k`` the probability ``(cdf[k + 1] - cdf[k]) / 65536``; its
    last entry stands for every symbol out of range, which is then written out in plain bits.

    Attributes:
        cdfs: for each table, its values, rising from 0 to 65536.
        sizes: for each table, ``len(cdf)``.
        offsets: for each table, the symbol of its first entry.

    Raises:
        ValueError: the tables would make the coder misbehave.
    """

    cdfs: list[list[int]]
    sizes: list[int]
    offsets: list[int]

    def __post_init__(self) -> None:
        if not len(self.cdfs) == len(self.sizes) == len(self.offsets) > 0:
            raise ValueError(
                "Expected as many sizes and offsets as tables and at least one, got "
                f"{len(self.cdfs)} tables, {len(self.sizes)} sizes, {len(self.offsets)} offsets."
            )
        rows = zip(self.cdfs, self.sizes, self.offsets)
        for number, (cdf, size, offset) in enumerate(rows):
            complete = len(cdf) == size >= _MIN_TABLE and cdf[0] == 0 and cdf[-1] == CDF_TOTAL
            if not complete or any(a >= b for a, b in pairwise(cdf)):
                raise ValueError(
                    f"Table {number} must have {size} (at least {_MIN_TABLE}) values that "
                    f"rise from 0 to {CDF_TOTAL}."
                )
            if abs(offset) > MAX_SYMBOL:
                raise ValueError(f"Table {number} has the offset {offset}, beyond {MAX_SYMBOL}.")

    @classmethod
    def from_arrays(cls, cdfs: IntArray, sizes: IntArray, offsets: IntArray) -> CdfTables:
        """From the padded arrays of CompressAI's entropy models.

        Args:
            cdfs: (tables, longest), ``_quantized_cdf``.
            sizes: (tables,), ``_cdf_length``.
            offsets: (tables,), ``_offset``.
        """
        rows = _integers(cdfs, "cdfs")
        lengths = _integers(sizes, "sizes").ravel().tolist()
        return cls(
            cdfs=[row[:length].tolist() for row, length in zip(rows, lengths)],
            sizes=lengths,
            offsets=_integers(offsets, "offsets").ravel().tolist(),
        )

    def __len__(self) -> int:
        return len(self.cdfs)


def encode_symbols(symbols: IntArray, indexes: IntArray, tables: CdfTables) -> bytes:
    """All symbols in one stream.

    Args:
        symbols: any shape, magnitudes up to 2**15.
        indexes: the same shape; which table codes each symbol.
        tables: see ``CdfTables``.

    Returns:
        The stream; ``b""`` for no symbols.

    Raises:
        ValueError: shapes differ, or a value is out of range.
    """
    symbols = _integers(symbols, "symbols")
    indexes = _checked_indexes(indexes, tables)
    if symbols.shape != indexes.shape:
        raise ValueError(f"Expected one index a symbol, got {indexes.shape} for {symbols.shape}.")
    if symbols.size == 0:
        return b""
    low, high = int(symbols.min()), int(symbols.max())
    if low < -MAX_SYMBOL or high > MAX_SYMBOL:
        raise ValueError(
            f"Symbols must lie within -{MAX_SYMBOL}..{MAX_SYMBOL}, got {low}..{high}; clamp them."
        )
    symbols, indexes = symbols.ravel().tolist(), indexes.ravel().tolist()
    filler = max(0, _MIN_SYMBOLS - len(symbols))  # never read back
    encoder = import_coder().BufferedRansEncoder()
    encoder.encode_with_indexes(
        symbols + symbols[-1:] * filler,
        indexes + indexes[-1:] * filler,
        tables.cdfs,
        tables.sizes,
        tables.offsets,
    )
    return _without_top_zeros(encoder.flush())


class SymbolReader:
    """Reads a stream of ``encode_symbols`` in as many steps as the caller likes.

    Args:
        data: the stream.
        tables: those it was encoded with.
        max_symbols: how many symbols the stream holds.

    Raises:
        BitstreamError: the stream is too short to be one.
    """

    def __init__(self, data: bytes, tables: CdfTables, max_symbols: int) -> None:
        self.remaining = max_symbols
        self._tables = tables
        self._decoder = None
        if data and max_symbols:
            self._decoder = import_coder().RansDecoder()
            self._decoder.set_stream(
                _with_top_zeros(bytes(data)) + bytes(_overrun(len(data), max_symbols))
            )

    def read(self, indexes: IntArray) -> npt.NDArray[np.int32]:
        """The next ``indexes.size`` symbols.

        Args:
            indexes: any shape; which table decodes each symbol.

        Returns:
            Symbols in the shape of ``indexes``.

        Raises:
            BitstreamError: the stream is empty, or holds symbols that no encoder writes.
            ValueError: an index has no table, or more is asked for than ``max_symbols``.
        """
        indexes = _checked_indexes(indexes, self._tables)
        if indexes.size == 0:
            return np.zeros(indexes.shape, np.int32)
        if indexes.size > self.remaining:
            raise ValueError(
                f"Only {self.remaining} symbols are left in the stream, {indexes.size} wanted."
            )
        if self._decoder is None:
            raise BitstreamError(
                f"A layer is empty where {self.remaining} symbols were expected; "
                "encode the picture again."
            )
        self.remaining -= indexes.size
        tables = self._tables
        symbols = np.array(
            self._decoder.decode_stream(
                indexes.ravel().tolist(), tables.cdfs, tables.sizes, tables.offsets
            ),
            np.int32,
        )
        # As int64: the magnitude of the least int32 is no int32.
        if np.abs(symbols.astype(np.int64)).max() > MAX_SYMBOL:
            raise BitstreamError(
                "A layer decodes to impossible values: the file is damaged or was made by another "
                "model; get the file again."
            )
        return symbols.reshape(indexes.shape)


def _without_top_zeros(stream: bytes) -> bytes:
    """Drop up to three zero bytes from the top of the coder's state, 1.5 on average.

    A stream begins with the state, 64 bits little-endian, of which 32 to 63 are in use. The coder
    writes whole 32-bit words, so the length that remains tells how many bytes were dropped.
    """
    state = stream[:_STATE_BYTES]
    used = max(len(state.rstrip(b"\0")), _STATE_BYTES - 3)
    return state[:used] + stream[_STATE_BYTES:]


def _with_top_zeros(stream: bytes) -> bytes:
    dropped = -len(stream) % 4
    used = _STATE_BYTES - dropped
    if len(stream) < used:
        raise BitstreamError(
            f"A layer of {len(stream)} bytes is too short to hold any symbol; "
            "encode the picture again."
        )
    return stream[:used] + bytes(dropped) + stream[used:]


def _overrun(data_bytes: int, symbols: int) -> int:
    """How far the decoder can read past the end of any stream, so that zeros can be put there.

    An out-of-range symbol is a count in nibbles, 15 meaning "and more", then as many nibbles. A
    hostile stream of 15s asks for up to 15 times its own length. Past its end one symbol finds at
    most 16 nibbles of 15 in the 64-bit state: 256 nibbles more, one 32-bit word every 8, and a
    few words for the state itself.
    """
    return 16 * data_bytes + 144 * symbols + 256


def _integers(values: IntArray, name: str) -> IntArray:
    values = np.asarray(values)
    if values.dtype.kind not in "iu":
        if values.size == 0:
            return values.astype(np.int32)  # an empty list has no integer type of its own
        raise ValueError(f"Expected integer {name}, got {values.dtype}.")
    return values


def _checked_indexes(indexes: IntArray, tables: CdfTables) -> IntArray:
    indexes = _integers(indexes, "indexes")
    if indexes.size and not 0 <= int(indexes.min()) <= int(indexes.max()) < len(tables):
        raise ValueError(
            f"Indexes must lie within 0..{len(tables) - 1}, got {indexes.min()}..{indexes.max()}."
        )
    return indexes
