"""A frame given the one before: S^ and the latent of F^ by their differences.

    S(t)  -> SCN's g_a -> x gain -> round, minus the symbols of S^(t-1) --------------> rANS
    F(t)  -> FCN's g_a, given G_F(S^(t)) -> y(t) - y^(t-1), x gain, round ------------> rANS

    y^(t) = y^(t-1) + symbols / gain;   F^(t) = G_F(S^(t)) + g_s(y^(t))

The encoder keeps the same y^ as the decoder, so errors do not add up: a difference that is left in
one frame is there to be coded in the next. Which differences are coded is a matter of their price,
see ``quantise``; the format does not know it.

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
import torch
from torch import Tensor

from hsc.bitstream.rans import MAX_SYMBOL, CdfTables, IntArray, SymbolReader, encode_symbols
from hsc.errors import BitstreamError
from hsc.latent_codecs.feature_slices.prior import SLICES
from hsc.latent_codecs.gains import STEP_BITS, log2_gain_at
from hsc.networks import Networks
from hsc.numerics.exact import snap
from hsc.sequence.channels import USUAL
from hsc.sequence.container import VERSION
from hsc.sequence.quantise import FloatArray, choose, table_bits
from hsc.types import DecodedLatents, Inversion

SCALE_STEPS = {1: 2, 2: 1}
"""By the file's version: steps of the table, quarter octaves, by which a frame's byte moves all of
a layer's scales."""
SHIFTS = {1: 16, 2: 32}
"""Values of that byte; a frame that moves more has larger differences everywhere."""
S_SHIFT, F_SHIFT = -24, -8
"""The least shift of each layer, in quarter octaves."""
S_USUAL = 8
"""Quarter octaves above the least shift that changes of S are priced with."""
PRICE = 0.15
"""Squared steps that a bit is worth where no rate is asked for."""
FIRST = 1 / 32
"""Mean magnitude that a channel's symbols are expected to have after a key frame, in files of
version 1; in later ones it is the channel's own, of ``channels.USUAL``."""
USUAL_WEIGHT = 0.25
"""What the usual mean of a channel weighs against that of a frame."""
CUT = 1.0
"""How far F of two frames is apart at least where they show different scenes: nothing of the first
one helps to code the second, and nothing is interpolated between them."""
NEAR = 4
"""Weight of what the channels before have at a place against what the frame before had there."""


@dataclass(frozen=True)
class Carried:
    """What F's symbols are coded against, in the encoder and in the decoder alike.

    Attributes:
        y_hat: latent of F^, (128, 16, 16) float64, the same bits on every machine.
        means: expected magnitude of each channel's symbols, (128,).
        activity: sum over channels of the magnitudes of the frame's symbols, (16, 16); zero after a
            key frame.
    """

    y_hat: Tensor
    means: FloatArray
    activity: FloatArray


@dataclass(frozen=True)
class State(Carried):
    """What a frame leaves for the next one.

    Attributes:
        symbols: of SCN, (K,) int64: those that S^ is made of.
        latents: S^, G_F(S^) and F^.
    """

    symbols: Tensor
    latents: DecodedLatents


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


def apart(one: Tensor, other: Tensor) -> float:
    """Mean squared difference of F of two frames, each channel over its standard deviation."""
    return float((one - other).square().mean())


def around(values: FloatArray) -> FloatArray:
    """The sum of 3 x 3 places, borders repeated: (H, W) of whole numbers."""
    padded = np.pad(values, 1, mode="edge")
    height, width = values.shape
    return np.asarray(
        sum(padded[i : i + height, j : j + width] for i in range(3) for j in range(3))
    )


class TemporalCodec:
    """Key and predicted frames to layers and back.

    Args:
        networks: of the model.
        level: of the sequence.
        price: squared steps that a bit is worth to the encoder; 0 rounds to the nearest.
        version: of the file.
    """

    def __init__(
        self, networks: Networks, level: float, price: float = PRICE, version: int = VERSION
    ) -> None:
        self.networks, self.level, self.price, self.version = networks, level, price, version
        self.scale_steps, self.shifts = SCALE_STEPS[version], SHIFTS[version]
        channels = networks.config.latent_channels
        self.usual = np.full(channels, FIRST) if version == 1 else np.array(USUAL) / 65536
        self.bits = table_bits(networks.tables)
        self.expected = Expected(networks.tables)
        # exp2 may differ in its last bit between libraries: the grid absorbs it
        log2_gain = log2_gain_at(networks.fcn.coder.log2_gain, level)[:, None, None]
        self.step = snap(torch.exp2(-log2_gain), STEP_BITS)
        self.gain = snap(torch.exp2(log2_gain), STEP_BITS)
        self.scn_index: IntArray = networks.scn.scale_indexes(level)
        self.scn_gain = torch.exp2(log2_gain_at(networks.scn.exact.log2_gain, level))

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
        latents = DecodedLatents(w_plus, feature_s, feature, "scn+fcn")
        return State(y_hat[0], self.usual, np.zeros(y_hat.shape[2:]), symbols, latents)

    def encode(self, latents: Inversion, before: State) -> tuple[bytes, bytes, State]:
        """The layers of a predicted frame, and what they leave for the next one."""
        changes = self.changes(self.components(latents)[None], before.symbols)
        semantics = self.semantics(before, changes)
        y = self.latent(latents, semantics.latents.feature_s)
        symbols, fcn = self.quantised(y[None], before)
        state = self.restored(semantics, self.carried(before, symbols))
        return self.write_changes(changes), fcn, state

    def lost(self, latents: Inversion, state: State) -> float:
        """The squared error of the latent of a coded frame, in steps."""
        y = self.latent(latents, state.latents.feature_s)
        return float(np.square((y - state.y_hat.numpy()) * self.gain.numpy()).sum())

    def cost(self, scn: bytes, fcn: bytes, latents: Inversion, state: State) -> float:
        """Of a coded frame: what is lost, and the price of its bits."""
        return self.lost(latents, state) + 8 * self.price * (len(scn) + len(fcn))

    @torch.no_grad()
    def components(self, latents: Inversion) -> FloatArray:
        """S as SCN's components in steps, (K,)."""
        y = self.networks.scn.analysis(latents.w_plus)[0].double().cpu()
        return np.asarray((y * self.scn_gain).numpy())

    def latent(self, latents: Inversion, feature_s: Tensor) -> FloatArray:
        """F as FCN's latent, given G_F(S^): (128, 16, 16)."""
        y = self.networks.fcn.latent(latents.feature, feature_s, self.level)
        return np.asarray(y[0].numpy())

    def changes(self, components: FloatArray, before: Tensor) -> Tensor:
        """The changes of S's symbols, (K,) int64.

        Args:
            components: of this frame and of those ahead, (1 + n, K).
            before: the symbols of the frame before.
        """
        index = self._moved(self.scn_index, S_SHIFT, S_USUAL // self.scale_steps)
        wanted = components - before.numpy()
        changes = torch.from_numpy(choose(wanted, index, self.bits, self.price))
        changes = (before + changes).clamp(-MAX_SYMBOL, MAX_SYMBOL) - before
        return changes.clamp(-MAX_SYMBOL, MAX_SYMBOL)

    def write_changes(self, changes: Tensor) -> bytes:
        """The SCN layer of a predicted frame."""
        return self._write(changes.numpy(), self.scn_index, S_SHIFT)

    def quantised(self, y: FloatArray, before: Carried) -> tuple[Tensor, bytes]:
        """The symbols of F's latent, (128, 16, 16) int64, and the FCN layer that holds them.

        Args:
            y: latents of this frame and of those ahead, (1 + n, 128, 16, 16).
        """
        wanted = (y - before.y_hat.numpy()) * self.gain.numpy()
        # the shift of the scales that what is rounded would take: what is chosen then takes one
        # near to it
        rounded = np.where(np.abs(wanted[0]) > 0.75, np.rint(wanted[0]), 0).astype(np.int64)
        index, done = self._indexes(rounded, before), np.zeros(rounded.shape[1:])
        shift, parts = self._best_shift(rounded, index, F_SHIFT), []
        for part in _slices():
            tables = self.expected.index(self._magnitude(before, part, done), 0)
            tables = self._moved(tables, F_SHIFT, shift)
            parts.append(choose(wanted[:, part], tables, self.bits, self.price))
            done = done + np.abs(parts[-1]).sum(axis=0)
        symbols = np.concatenate(parts)
        layer = b""
        if symbols.any():
            layer = self._write(symbols, self._indexes(symbols, before), F_SHIFT)
        return torch.from_numpy(symbols), layer

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
        return self.restored(self.semantics(before, changes), self.carried(before, symbols))

    @torch.no_grad()
    def semantics(self, before: State, changes: Tensor) -> State:
        """The frame before with the S^ and G_F(S^) of this one; its F^ is still the old one."""
        n, latents = self.networks, before.latents
        if not changes.any():
            return before
        symbols = before.symbols + changes
        exact = n.scn.dequantise(symbols, self.level)
        w_plus = exact.to(n.device, torch.float32)
        feature_s = n.synthesis.feature(w_plus)
        latents = replace(latents, w_plus=w_plus, feature_s=feature_s)
        return replace(before, symbols=symbols, latents=latents)

    @torch.no_grad()
    def restored(self, semantics: State, carried: Carried) -> State:
        """What a frame leaves: F^ of its latent, given its semantics."""
        latents = semantics.latents
        feature = self.networks.fcn.restore(carried.y_hat[None], latents.feature_s, self.level)
        return State(
            carried.y_hat,
            carried.means,
            carried.activity,
            semantics.symbols,
            replace(latents, feature=feature),
        )

    def carried(self, before: Carried, symbols: Tensor) -> Carried:
        """What the symbols of F leave for those of the next frame."""
        magnitude = np.abs(symbols.numpy())
        total, places = magnitude.sum(axis=(1, 2)), magnitude[0].size
        if self.version == 1:
            seen = (total + 0.5) / places
        else:
            seen = (total / places + USUAL_WEIGHT * self.usual) / (1 + USUAL_WEIGHT)
        return Carried(
            snap(before.y_hat + symbols.double() * self.step),
            0.5 * before.means + 0.5 * seen,
            magnitude.sum(axis=0).astype(np.float64),
        )

    def _write(self, symbols: IntArray, index: IntArray, least: int) -> bytes:
        """A byte for the shift, then the symbols; nothing where all are zero."""
        if not symbols.any():
            return b""
        best = self._best_shift(symbols, index, least)
        moved = self._moved(index, least, best)
        return bytes([best]) + encode_symbols(symbols, moved, self.expected.tables)

    def _read(self, data: bytes, index: IntArray, least: int) -> IntArray:
        """What ``_write`` wrote, in the shape of the index."""
        if not data:
            return np.zeros(index.shape, np.int64)
        moved = self._moved(index, least, _shift_of(data, self.shifts))
        return SymbolReader(data[1:], self.expected.tables, index.size).read(moved)

    def _moved(self, index: IntArray, least: int, shift: int) -> IntArray:
        moved = index + (least + self.scale_steps * shift)
        return np.clip(moved, 0, len(self.expected.tables) - 1)

    def _best_shift(self, symbols: IntArray, index: IntArray, least: int) -> int:
        """The shift that takes the fewest bits, those of Laplacians: all are near to the tables."""
        tables = len(self.expected.tables)
        many = np.bincount(index.ravel(), minlength=tables)
        large = np.bincount(index.ravel(), np.abs(symbols).ravel(), minlength=tables)
        scale = self.expected.means + 1e-9
        more = scale / (1 + scale)  # probability of one more

        def cost(shift: int) -> float:
            p = more[self._moved(np.arange(tables), least, shift)]
            return -float((large * np.log2(p) + many * np.log2(1 - p)).sum())

        return min(range(self.shifts), key=cost)

    def _indexes(self, symbols: IntArray, before: Carried) -> IntArray:
        """The tables of F's symbols without a shift: a slice's depend on the slices before."""
        index, done = [], np.zeros(symbols.shape[1:])
        for part in _slices():
            index.append(self.expected.index(self._magnitude(before, part, done), 0))
            done = done + np.abs(symbols[part]).sum(axis=0)
        return np.concatenate(index)

    def _read_feature(self, data: bytes, before: Carried) -> IntArray:
        """The symbols of F's latent, (128, 16, 16)."""
        shape = tuple(before.y_hat.shape)
        if not data:
            return np.zeros(shape, np.int64)
        shift = _shift_of(data, self.shifts)
        reader = SymbolReader(data[1:], self.expected.tables, before.y_hat.numel())
        read = []
        done = np.zeros(shape[1:])
        for part in _slices():
            index = self.expected.index(self._magnitude(before, part, done), 0)
            read.append(reader.read(self._moved(index, F_SHIFT, shift)))
            done = done + np.abs(read[-1]).sum(axis=0)
        return np.concatenate(read)

    @staticmethod
    def _magnitude(before: Carried, part: slice, done: FloatArray) -> FloatArray:
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


def _shift_of(data: bytes, shifts: int) -> int:
    if data[0] >= shifts:
        raise BitstreamError(
            "The file is damaged: a frame has impossible scales; get the file again."
        )
    return data[0]
