"""A frame given the one before: S^ and the latent of F^ by their differences.

    S(t)  -> SCN's g_a -> x gain -> round, minus the symbols of S^(t-1) --------------> rANS
    F(t)  -> FCN's g_a, given G_F(S^(t)) -> y(t) - y^(t-1), x gain, round ------------> rANS

    y^(t) = y^(t-1) + symbols / gain;   F^(t) = G_F(S^(t)) + g_s(y^(t))

The encoder keeps the same y^ as the decoder, so errors do not add up: a predicted frame is as near
to its original as a still would be, within the margin below which a difference is left.

Everything up to y^ is exact, as in a ``.hsc`` file: y^ lies on a binary grid, and which table codes
a symbol is decided by symbols alone, those of the frame before and of the channels before
(:class:`Expected`), in arithmetic that has one result everywhere.

Moving the latent along with the face (``g_a`` of the detail warped by the motion between the two
frames' G_F(S^)) was tried: it saved 1% of a frame's bytes on one clip and nothing on another, and
would have made y^ a result of floating point.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hsc.bitstream.rans import MAX_SYMBOL, CdfTables, IntArray, SymbolReader, encode_symbols
from hsc.errors import BitstreamError
from hsc.latent_codecs.feature_slices.prior import SLICES
from hsc.latent_codecs.gains import STEP_BITS, log2_gain_at
from hsc.networks import Networks
from hsc.numerics.exact import snap
from hsc.types import DecodedLatents, Inversion

FloatArray = npt.NDArray[np.float64]
SCALE_STEPS = 2
"""Steps of the table, quarter octaves, by which a frame's byte moves all of a layer's scales."""
SHIFTS = 16
"""Values of that byte; a frame that moves more has larger differences everywhere."""
S_SHIFT, F_SHIFT = -24, -8
"""The least shift of each layer, in quarter octaves."""
S_DEAD, F_DEAD = 0.3, 0.25
"""By how much a difference must exceed half a step before it is coded. It saves what would be coded
one way in one frame and back in the next, and keeps still parts still: a third to a half of a
frame's bytes, for a tenth more error in F."""
FIRST = 1 / 32
"""Mean magnitude that a channel's symbols are expected to have in the frame after a key frame."""
NEAR = 4
"""Weight of what the channels before have at a place against what the frame before had there."""


@dataclass(frozen=True)
class State:
    """What a frame leaves for the next one, in the encoder and in the decoder alike.

    Attributes:
        symbols: of SCN, (K,) int64: those that S^ is made of.
        y_hat: latent of F^, (128, 16, 16) float64, the same bits on every machine.
        latents: S^, G_F(S^) and F^.
        means: expected magnitude of each channel's symbols, (128,).
        activity: sum over channels of the magnitudes of the frame's symbols, (16, 16); zero after a
            key frame.
    """

    symbols: Tensor
    y_hat: Tensor
    latents: DecodedLatents
    means: FloatArray
    activity: FloatArray


class Expected:
    """Which table codes a symbol, from symbols that both sides know, the same everywhere.

    Whole numbers and single operations of IEEE 754 on them: addition, multiplication, division and
    square root have one result on every machine.

    Args:
        tables: of the ladder of scales.
    """

    def __init__(self, tables: CdfTables) -> None:
        means = []
        for cdf, offset in zip(tables.cdfs, tables.offsets):
            freq = np.diff(np.array(cdf, dtype=np.int64))[:-1]  # without the escape
            magnitude = np.abs(np.arange(len(freq)) + offset)
            means.append(int((freq * magnitude).sum()) / 65536)
        self.tables = tables
        self.means = np.array(means)  # mean magnitude of each table's symbols
        self._between = np.sqrt(self.means[1:] * self.means[:-1])

    def index(self, magnitude: FloatArray, shift: int) -> IntArray:
        """The table of symbols with an expected magnitude, moved by quarter octaves."""
        index = np.searchsorted(self._between, magnitude) + shift
        return np.clip(index, 0, len(self.tables) - 1)

    def bits(self, symbols: IntArray, index: IntArray) -> float:
        """Roughly the bits of symbols, to choose between shifts: those of a Laplacian."""
        scale = self.means[index] + 1e-9
        p = scale / (1 + scale)  # of one more
        return float(-(np.abs(symbols) * np.log2(p) + np.log2(1 - p)).sum())


def around(values: FloatArray) -> FloatArray:
    """The sum of 3 x 3 places, borders repeated: (H, W) of whole numbers."""
    padded = np.pad(values, 1, mode="edge")
    height, width = values.shape
    return np.asarray(
        sum(padded[i : i + height, j : j + width] for i in range(3) for j in range(3))
    )


def quantised(difference: Tensor, dead: float) -> Tensor:
    """Differences in steps to whole numbers; those that hardly exceed half a step to zero."""
    magnitude = difference.abs()
    margin = torch.where(magnitude < 1, dead, 0.0)
    whole = torch.floor(magnitude + 0.5 - margin).clamp(0, MAX_SYMBOL)
    return (whole * difference.sign()).long()


class TemporalCodec:
    """Key and predicted frames to layers and back.

    Args:
        networks: of the model.
        level: of the sequence.
    """

    def __init__(self, networks: Networks, level: float) -> None:
        self.networks, self.level = networks, level
        self.expected = Expected(networks.tables)
        # exp2 may differ in its last bit between libraries: the grid absorbs it
        log2_gain = log2_gain_at(networks.fcn.coder.log2_gain, level)[:, None, None]
        self.step = snap(torch.exp2(-log2_gain), STEP_BITS)
        self.gain = snap(torch.exp2(log2_gain), STEP_BITS)
        self.scn_index: IntArray = networks.scn.scale_indexes(level)

    @torch.no_grad()
    def encode_key(self, latents: Inversion) -> tuple[bytes, bytes, State]:
        """The layers of a ``.hsc`` file, and what they leave for the next frame."""
        n = self.networks
        scn = n.scn.compress(latents.w_plus, self.level)
        w_plus = n.scn.decompress(scn, self.level)
        feature_s = n.synthesis.feature(w_plus.to(latents.w_plus))
        fcn = n.fcn.compress(latents.feature, self.level, n.semantics(w_plus, feature_s))
        return scn, fcn, self.decode_key(scn, fcn)

    @torch.no_grad()
    def decode_key(self, scn: bytes, fcn: bytes) -> State:
        """Read a key frame. Raises BitstreamError for impossible symbols."""
        n = self.networks
        symbols = torch.from_numpy(n.scn.read_symbols(scn, self.level)).long()
        exact = n.scn.dequantise(symbols, self.level)
        w_plus = exact.to(n.device, torch.float32)
        feature_s = n.synthesis.feature(w_plus)
        semantics = n.semantics(exact, feature_s)
        y_hat = n.fcn.coder.decompress(fcn, semantics.context, self.level)
        feature = n.fcn.restore(y_hat, feature_s, self.level)
        channels, *shape = y_hat.shape[1:]
        return State(
            symbols,
            y_hat[0],
            DecodedLatents(w_plus, feature_s, feature, "scn+fcn"),
            np.full(channels, FIRST),
            np.zeros(shape),
        )

    @torch.no_grad()
    def encode(self, latents: Inversion, before: State) -> tuple[bytes, bytes, State]:
        """The layers of a predicted frame, and what they leave for the next one."""
        n = self.networks
        y_s = n.scn.analysis(latents.w_plus)[0].double().cpu()
        gain_s = torch.exp2(log2_gain_at(n.scn.exact.log2_gain, self.level))
        changes = quantised(y_s * gain_s - before.symbols, S_DEAD)
        changes = (before.symbols + changes).clamp(-MAX_SYMBOL, MAX_SYMBOL) - before.symbols
        changes = changes.clamp(-MAX_SYMBOL, MAX_SYMBOL)
        scn = self._write(changes.numpy(), self.scn_index, S_SHIFT)

        feature_s, w_plus = self._semantics(before, changes)
        y = n.fcn.latent(latents.feature, feature_s, self.level)[0]
        symbols = quantised((y - before.y_hat) * self.gain, F_DEAD)
        fcn = self._write_feature(symbols.numpy(), before)
        return scn, fcn, self._next(before, changes, symbols, w_plus, feature_s)

    @torch.no_grad()
    def decode(self, scn: bytes, fcn: bytes, before: State) -> State:
        """Read a predicted frame. Raises BitstreamError for impossible symbols."""
        changes = torch.from_numpy(self._read(scn, self.scn_index, S_SHIFT)).long()
        if (before.symbols + changes).abs().max() > MAX_SYMBOL:
            raise BitstreamError(
                "A frame decodes to impossible values: the file is damaged or was made by another "
                "model; get the file again."
            )
        symbols = torch.from_numpy(self._read_feature(fcn, before)).long()
        feature_s, w_plus = self._semantics(before, changes)
        return self._next(before, changes, symbols, w_plus, feature_s)

    def _semantics(self, before: State, changes: Tensor) -> tuple[Tensor, Tensor]:
        """G_F(S^) and S^ of the frame: those of the one before where no symbol changed."""
        n = self.networks
        if not changes.any():
            return before.latents.feature_s, before.latents.w_plus
        exact = n.scn.dequantise(before.symbols + changes, self.level)
        w_plus = exact.to(n.device, torch.float32)
        return n.synthesis.feature(w_plus), w_plus

    def _next(
        self,
        before: State,
        changes: Tensor,
        symbols: Tensor,
        w_plus: Tensor,
        feature_s: Tensor,
    ) -> State:
        y_hat = snap(before.y_hat + symbols.double() * self.step)
        feature = self.networks.fcn.restore(y_hat[None], feature_s, self.level)
        magnitude = np.abs(symbols.numpy())
        total = magnitude.sum(axis=(1, 2))
        places = magnitude[0].size
        means = 0.5 * before.means + 0.5 * ((total + 0.5) / places)
        return State(
            before.symbols + changes,
            y_hat,
            replace(before.latents, w_plus=w_plus, feature_s=feature_s, feature=feature),
            means,
            magnitude.sum(axis=0).astype(np.float64),
        )

    def _write(self, symbols: IntArray, index: IntArray, least: int) -> bytes:
        """A byte for the shift, then the symbols; nothing where all are zero."""
        if not symbols.any():
            return b""
        best = min(range(SHIFTS), key=lambda s: self._cost(symbols, index, least, s))
        moved = self._moved(index, least, best)
        return bytes([best]) + encode_symbols(symbols, moved, self.expected.tables)

    def _read(self, data: bytes, index: IntArray, least: int) -> IntArray:
        """What ``_write`` wrote, in the shape of the index."""
        if not data:
            return np.zeros(index.shape, np.int64)
        moved = self._moved(index, least, _shift_of(data))
        return SymbolReader(data[1:], self.expected.tables, index.size).read(moved)

    def _moved(self, index: IntArray, least: int, shift: int) -> IntArray:
        moved = index + (least + SCALE_STEPS * shift)
        return np.clip(moved, 0, len(self.expected.tables) - 1)

    def _cost(self, symbols: IntArray, index: IntArray, least: int, shift: int) -> float:
        return self.expected.bits(symbols, self._moved(index, least, shift))

    def _write_feature(self, symbols: IntArray, before: State) -> bytes:
        """As ``_write``, for the latent: each slice's scales depend on the slices before."""
        if not symbols.any():
            return b""
        index = []
        done = np.zeros(symbols.shape[1:])
        for part in _slices():
            index.append(self.expected.index(self._magnitude(before, part, done), 0))
            done = done + np.abs(symbols[part]).sum(axis=0)
        return self._write(symbols, np.concatenate(index), F_SHIFT)

    def _read_feature(self, data: bytes, before: State) -> IntArray:
        """What ``_write_feature`` wrote, (128, 16, 16)."""
        shape = tuple(before.y_hat.shape)
        if not data:
            return np.zeros(shape, np.int64)
        shift = _shift_of(data)
        reader = SymbolReader(data[1:], self.expected.tables, before.y_hat.numel())
        read = []
        done = np.zeros(shape[1:])
        for part in _slices():
            index = self.expected.index(self._magnitude(before, part, done), 0)
            read.append(reader.read(self._moved(index, F_SHIFT, shift)))
            done = done + np.abs(read[-1]).sum(axis=0)
        return np.concatenate(read)

    @staticmethod
    def _magnitude(before: State, part: slice, done: FloatArray) -> FloatArray:
        """Expected magnitude of the symbols of a slice, (C, 16, 16).

        The channel's mean in the frames before, spread over places as the magnitudes near each
        were in the frame before and are in the channels that are there already.
        """
        near = 1 + around(before.activity) + NEAR * around(done)
        share = near * near.size / near.sum()
        return np.asarray(before.means[part, None, None] * share)


def _slices() -> list[slice]:
    found, start = [], 0
    for width in SLICES:
        found.append(slice(start, start + width))
        start += width
    return found


def _shift_of(data: bytes) -> int:
    if data[0] >= SHIFTS:
        raise BitstreamError(
            "The file is damaged: a frame has impossible scales; get the file again."
        )
    return data[0]
