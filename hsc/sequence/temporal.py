"""A frame given the one before: S^ and the latent of F^ by their differences.

    S(t)  -> SCN's g_a -> x gain -> round, minus the symbols of S^(t-1) ---+--> rANS, one stream
    F(t)  -> FCN's g_a, given G_F(S^(t)) -> y(t) - y^(t-1), x gain, round -+

    y^(t) = y^(t-1) + symbols / gain;   F^(t) = G_F(S^(t)) + g_s(y^(t))

The encoder keeps the same y^ as the decoder, so errors do not add up: a difference that is left in
one frame is there to be coded in the next. Which differences are coded is a matter of their price,
see ``quantise``; the format does not know it.

Everything up to y^ is exact, as in a ``.hsc`` file: y^ lies on a binary grid, and which table codes
a symbol is decided by symbols alone, those of the frame before and of the channels before
(:class:`Expected`), in arithmetic that has one result everywhere. No frame has an enhancement
slice, which is for what gradient steps find in one picture.

Moving the latent along with the face (``g_a`` of the detail warped by the motion between the two
frames' G_F(S^)) was tried: it saved 1% of a frame's bytes on one clip and nothing on another, and
would have made y^ a result of floating point.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from hsc.bitstream.rans import MAX_SYMBOL, CdfTables, IntArray, SymbolReader, encode_symbols
from hsc.errors import BitstreamError
from hsc.latent_codecs.feature_slices.places import place_weights
from hsc.latent_codecs.feature_slices.prior import SLICES
from hsc.latent_codecs.gains import STEP_BITS, log2_gain_at
from hsc.networks import Networks
from hsc.numerics.exact import snap
from hsc.sequence.channels import USUAL
from hsc.sequence.quantise import LARGEST, FloatArray, choose, table_bits
from hsc.types import DecodedLatents, Inversion

SymbolsOf = Callable[[slice, IntArray], IntArray]
S_SMALLER, F_SMALLER = 14, 8
"""Quarter octaves by which the scales of a frame's changes lie below those of S and of F at least:
those of S always, those of F for the least shift."""
SHIFTS = 32
"""Values of a frame's shift, in quarter octaves: a frame that moves more has larger changes of F
everywhere."""
PRICE = 0.25
"""Squared steps that a bit is worth where no rate is asked for."""
LOOKED_AT = ((5, 9, 4, 12, 3.0), (9, 13, 5, 11, 6.0))
"""Eyes and mouth, and what a squared step is worth there, beside 1 elsewhere."""
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
        price: squared steps that a bit is worth to the encoder, where nobody looks; 0 rounds to the
            nearest.
    """

    def __init__(self, networks: Networks, level: float, price: float = PRICE) -> None:
        self.networks, self.level, self.price = networks, level, price
        self.usual = np.array(USUAL) / 65536
        self.bits = table_bits(networks.tables)
        self.weights = place_weights(networks.config, LOOKED_AT)
        self.expected = Expected(networks.tables)
        # exp2 may differ in its last bit between libraries: the grid absorbs it
        log2_gain = log2_gain_at(networks.fcn.coder.base.log2_gain, level)[:, None, None]
        self.step = snap(torch.exp2(-log2_gain), STEP_BITS)
        self.gain = snap(torch.exp2(log2_gain), STEP_BITS)
        self.key_scn_index = networks.scn.scale_indexes(level, fine=False)
        self.scn_index: IntArray = self._moved(self.key_scn_index, -S_SMALLER)
        self.scn_gain = torch.exp2(log2_gain_at(networks.scn.exact.log2_gain, level))

    @torch.no_grad()
    def encode_key(self, latents: Inversion) -> tuple[tuple[bytes, ...], State]:
        """The layers of a still, but for its enhancement slice and fine styles, and what they
        leave."""
        n = self.networks
        symbols = n.scn.quantise(latents.w_plus, self.level)
        scn = encode_symbols(symbols.numpy(), self.key_scn_index, n.tables)
        w_plus = n.scn.dequantise(symbols, self.level)
        feature_s = n.synthesis.feature(w_plus.to(latents.w_plus))
        y = n.fcn.base_latent(latents.feature, feature_s, self.level)
        context = n.semantics(w_plus, feature_s).context
        fcn = n.fcn.coder.base.compress(y, context, self.level)
        return (scn, fcn), self._decode_key(scn, fcn)

    def encode(self, latents: Inversion, before: State) -> tuple[tuple[bytes, ...], State]:
        """The layer of a predicted frame, and what it leaves for the next one."""
        changes = self.changes(self.components(latents)[None], before.symbols)
        semantics = self.semantics(before, changes)
        y = self.latent(latents, semantics.latents.feature_s)
        symbols = self.quantised(y[None], before)
        layer = self.write(changes, symbols, before)
        return (layer,), self.restored(semantics, self.carried(before, symbols))

    def decode(self, layers: tuple[bytes, ...], before: State | None) -> State:
        """Read a frame: of two layers a key frame, of one a predicted one.

        Raises:
            BitstreamError: impossible symbols, or nothing to predict from.
        """
        if len(layers) == 2:
            return self._decode_key(*layers)
        if before is None:
            raise BitstreamError("A frame needs the one before it: wait for a key frame.")
        return self._decode_changes(layers[0], before)

    @torch.no_grad()
    def _decode_key(self, scn: bytes, fcn: bytes) -> State:
        n = self.networks
        symbols = torch.from_numpy(n.scn.read_symbols(scn, self.level, fine=False)).long()
        exact = n.scn.dequantise(symbols, self.level)
        w_plus = exact.to(n.device, torch.float32)
        feature_s = n.synthesis.feature(w_plus)
        semantics = n.semantics(exact, feature_s)
        y_hat = n.fcn.coder.base.decompress(fcn, semantics.context, self.level)
        feature = n.fcn.base_restore(y_hat, feature_s, self.level)
        latents = DecodedLatents(w_plus, feature_s, feature, "scn+fcn")
        still = np.zeros(y_hat.shape[2:])
        return State(y_hat[0], self.usual, still, symbols, latents)

    def lost(self, latents: Inversion, state: State) -> float:
        """The squared error of the latent of a coded frame, in steps."""
        y = self.latent(latents, state.latents.feature_s)
        return float(np.square((y - state.y_hat.numpy()) * self.gain.numpy()).sum())

    def cost(self, layers: tuple[bytes, ...], latents: Inversion, state: State) -> float:
        """Of a coded frame: what is lost, and the price of its bits."""
        return self.lost(latents, state) + 8 * self.price * sum(map(len, layers))

    @torch.no_grad()
    def components(self, latents: Inversion) -> FloatArray:
        """S as SCN's components in steps, (K,)."""
        y = self.networks.scn.analysis(latents.w_plus)[0].double().cpu()
        return np.asarray((y * self.scn_gain).numpy())

    def latent(self, latents: Inversion, feature_s: Tensor) -> FloatArray:
        """F as FCN's latent, given G_F(S^): (128, 16, 16)."""
        y = self.networks.fcn.base_latent(latents.feature, feature_s, self.level)
        return np.asarray(y[0].numpy())

    def changes(self, components: FloatArray, before: Tensor) -> Tensor:
        """The changes of S's symbols, (K,) int64.

        Args:
            components: of this frame and of those ahead, (1 + n, K).
            before: the symbols of the frame before.
        """
        wanted = components - before.numpy()
        changes = torch.from_numpy(choose(wanted, self.scn_index, self.bits, self.price))
        changes = (before + changes).clamp(-MAX_SYMBOL, MAX_SYMBOL) - before
        return changes.clamp(-MAX_SYMBOL, MAX_SYMBOL)

    def quantised(self, y: FloatArray, before: Carried) -> Tensor:
        """The symbols of F's latent, (128, 16, 16) int64.

        Args:
            y: latents of this frame and of those ahead, (1 + n, 128, 16, 16).
        """
        wanted = (y - before.y_hat.numpy()) * self.gain.numpy()
        # the shift of the scales that what is rounded would take: what is chosen then takes one
        # near to it
        rounded = np.where(np.abs(wanted[0]) > 0.75, np.rint(wanted[0]), 0).astype(np.int64)
        shift = self._best_shift(rounded, self._indexes(rounded, before))

        def chosen(part: slice, index: IntArray) -> IntArray:
            tables = self._moved(index, shift - F_SMALLER)
            return choose(wanted[:, part], tables, self.bits, self.price / self.weights)

        return torch.from_numpy(self._walk(before, chosen))

    def write(self, changes: Tensor, symbols: Tensor, before: Carried) -> bytes:
        """The layer of a predicted frame; empty where nothing changes.

        Args:
            changes: of S's symbols, (K,) int64. symbols: of F's latent, (128, 16, 16) int64.
        """
        if not (changes.any() or symbols.any()):
            return b""
        of_f = symbols.numpy()
        index = self._indexes(of_f, before)
        shift = self._best_shift(of_f, index)
        tables = [self.scn_index, self._moved(index, shift - F_SMALLER).ravel()]
        both = np.concatenate([changes.numpy(), of_f.ravel()])
        return bytes([shift]) + encode_symbols(both, np.concatenate(tables), self.expected.tables)

    def scn_bits(self, layers: tuple[bytes, ...]) -> float:
        """What S takes of a frame's layers; raises BitstreamError for impossible symbols."""
        if len(layers) == 2 or not layers[0]:
            return 8.0 * len(layers[0])
        _, _, changes = self._opened(layers[0])
        magnitude = np.minimum(np.abs(changes.numpy()), LARGEST)
        return float(self.bits[self.scn_index, magnitude].sum())

    def _opened(self, layer: bytes) -> tuple[int, SymbolReader, Tensor]:
        """The shift, the reader of F's symbols, and the changes of S's, (K,) int64."""
        shift = layer[0]
        if shift >= SHIFTS:
            raise BitstreamError(
                "The file is damaged: a frame has impossible scales; get the file again."
            )
        count = self.scn_index.size + self.networks.fcn.coder.base.num_symbols
        reader = SymbolReader(layer[1:], self.expected.tables, count)
        return shift, reader, torch.from_numpy(reader.read(self.scn_index)).long()

    @torch.no_grad()
    def _decode_changes(self, layer: bytes, before: State) -> State:
        if not layer:
            nothing = torch.zeros_like(before.y_hat, dtype=torch.int64)
            return self.restored(before, self.carried(before, nothing))
        shift, reader, changes = self._opened(layer)
        if (before.symbols + changes).abs().max() > MAX_SYMBOL:
            raise BitstreamError(
                "A frame decodes to impossible values: the file is damaged or was made by another "
                "model; get the file again."
            )
        read = self._walk(
            before, lambda _, index: reader.read(self._moved(index, shift - F_SMALLER))
        )
        symbols = torch.from_numpy(read).long()
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
        feature = self.networks.fcn.base_restore(carried.y_hat[None], latents.feature_s, self.level)
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
        seen = (total / places + USUAL_WEIGHT * self.usual) / (1 + USUAL_WEIGHT)
        return Carried(
            snap(before.y_hat + symbols.double() * self.step),
            0.5 * before.means + 0.5 * seen,
            magnitude.sum(axis=0).astype(np.float64),
        )

    def _moved(self, index: IntArray, by: int) -> IntArray:
        return np.clip(index + by, 0, len(self.expected.tables) - 1)

    def _best_shift(self, symbols: IntArray, index: IntArray) -> int:
        """The shift that takes the fewest bits, those of Laplacians: all are near to the tables."""
        tables = len(self.expected.tables)
        many = np.bincount(index.ravel(), minlength=tables)
        large = np.bincount(index.ravel(), np.abs(symbols).ravel(), minlength=tables)
        scale = self.expected.means + 1e-9
        more = scale / (1 + scale)  # probability of one more

        def cost(shift: int) -> float:
            p = more[self._moved(np.arange(tables), shift - F_SMALLER)]
            return -float((large * np.log2(p) + many * np.log2(1 - p)).sum())

        return min(range(SHIFTS), key=cost)

    def _indexes(self, symbols: IntArray, before: Carried) -> IntArray:
        """The tables of F's symbols without a shift: a slice's depend on the slices before."""
        found: list[IntArray] = []

        def known(part: slice, index: IntArray) -> IntArray:
            found.append(index)
            return symbols[part]

        self._walk(before, known)
        return np.concatenate(found)

    def _walk(self, before: Carried, symbols_of: SymbolsOf) -> IntArray:
        """Visit the slices in coding order: used for choosing, writing and reading F's symbols.

        Args:
            symbols_of: gives a slice's symbols, from its channels and its tables without a shift.
        """
        found, done = [], np.zeros(before.y_hat.shape[1:])
        for part in _slices():
            index = self.expected.index(self._magnitude(before, part, done), 0)
            found.append(symbols_of(part, index))
            done = done + np.abs(found[-1]).sum(axis=0)
        return np.concatenate(found)

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
