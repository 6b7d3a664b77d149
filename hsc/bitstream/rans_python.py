"""rANS in plain Python: bit for bit the streams of CompressAI's coder, where that is not installed.

The algorithm is the 64-bit rANS of Giesen 2014 (arXiv 1402.3392): the state x lies in
[2**31, 2**63), probabilities have 16 bits, and a state that leaves the interval gives or takes one
32-bit word. ::

    encode s, with frequency f from c on:   x -> (x // f) << 16 | x % f + c
    decode:   c <= x & 0xFFFF < c + f finds s,   x -> f * (x >> 16) + (x & 0xFFFF) - c

Encoding runs from the last symbol to the first, so that decoding runs forwards. A table's last
entry is an escape: after it, how far the symbol lies outside follows in plain nibbles, their count
first. Arguments are trusted, as CompressAI trusts them: ``hsc.bitstream.rans`` guards both alike.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

_LOW = 1 << 31  # least state
_WORD = 0xFFFFFFFF
_CUT = 31 - 16 + 32  # a state of at least f << _CUT overflows when a symbol of frequency f is added
_NIBBLE_CUT = _CUT + 12  # likewise for a nibble, whose frequency is 2**12
_MORE = 15  # in a count of nibbles: 15, and more follow

Rows = Sequence[Sequence[int]]


class BufferedRansEncoder:
    """Encoder of one stream; the names are CompressAI's."""

    def encode_with_indexes(
        self,
        symbols: Sequence[int],
        indexes: Sequence[int],
        cdfs: Rows,
        sizes: Sequence[int],
        offsets: Sequence[int],
    ) -> None:
        """Take the symbols; ``flush`` gives the stream."""
        state = _LOW
        words: list[int] = []
        push = words.append
        for symbol, index in zip(reversed(symbols), reversed(indexes)):
            place, last = symbol - offsets[index], sizes[index] - 2
            if not 0 <= place < last:
                far = 2 * (place - last) if place >= 0 else -2 * place - 1
                place = last
                for nibble in reversed(_nibbles(far)):
                    if state >= 1 << _NIBBLE_CUT:
                        push(state & _WORD)
                        state >>= 32
                    state = state << 4 | nibble
            cdf = cdfs[index]
            start = cdf[place]
            frequency = cdf[place + 1] - start
            if state >= frequency << _CUT:
                push(state & _WORD)
                state >>= 32
            high, low = divmod(state, frequency)
            state = (high << 16) + low + start
        push(state >> 32)
        push(state & _WORD)
        self._words = words

    def flush(self) -> bytes:
        """The stream: the state, low word first, then the words in the order of decoding."""
        return b"".join(word.to_bytes(4, "little") for word in reversed(self._words))


class RansDecoder:
    """Decoder of one stream, in as many steps as the caller likes; the names are CompressAI's."""

    def set_stream(self, stream: bytes) -> None:
        """Begin; whoever calls sees to it that the stream is long enough for any symbols."""
        self._stream = stream
        self._state, self._at = int.from_bytes(stream[:8], "little"), 8

    def decode_stream(
        self, indexes: Sequence[int], cdfs: Rows, sizes: Sequence[int], offsets: Sequence[int]
    ) -> list[int]:
        """The next ``len(indexes)`` symbols, as 32-bit integers."""
        state, at, stream = self._state, self._at, self._stream
        symbols: list[int] = []
        push, find, take = symbols.append, bisect_right, int.from_bytes
        for index in indexes:
            cdf = cdfs[index]
            low = state & 0xFFFF
            place = find(cdf, low) - 1
            start = cdf[place]
            state = (cdf[place + 1] - start) * (state >> 16) + low - start
            if state < _LOW:
                state = state << 32 | take(stream[at : at + 4], "little")
                at += 4
            last = sizes[index] - 2
            if place != last:
                push(place + offsets[index])
                continue
            nibbles: list[int] = []
            count, counted = 0, False
            while not counted or len(nibbles) < count:
                nibble = state & 15
                state >>= 4
                if state < _LOW:
                    state = state << 32 | take(stream[at : at + 4], "little")
                    at += 4
                if counted:
                    nibbles.append(nibble)
                else:
                    count, counted = count + nibble, nibble != _MORE
            push(_int32(_escaped(nibbles, last) + offsets[index]))
        self._state, self._at = state, at
        return symbols


def _nibbles(far: int) -> list[int]:
    """An escape's nibbles in the order of decoding: their count, then the lowest first."""
    count = -(-far.bit_length() // 4)
    return [
        *([_MORE] * (count // _MORE)),
        count % _MORE,
        *(far >> 4 * at & 15 for at in range(count)),
    ]


def _escaped(nibbles: list[int], last: int) -> int:
    """The place that an escape stands for.

    More than 32 bits come from no encoder; CompressAI shifts them as processors do, modulo 32.
    """
    far = 0
    for at, nibble in enumerate(nibbles):
        far |= nibble << (4 * at & 31)
    far = _int32(far)
    return -(far >> 1) - 1 if far & 1 else (far >> 1) + last


def _int32(value: int) -> int:
    return (value + (1 << 31) & _WORD) - (1 << 31)
