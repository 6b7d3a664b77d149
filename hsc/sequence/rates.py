"""A rate instead of a level: the frames from one key frame to the next, in as many bytes as fit.

    latents of a group -> by some levels: key frame, S of every frame, y of every frame
                       -> the price at which F's differences fit
                       -> the level that is nearest to F, of those with a low price

The first group decides the level, which is the file's; later ones their price alone. What a group
leaves of its bytes the next one may take. The search is a generator, which pauses at every price:
whoever asks can show that it goes on, let others compute, or give up.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from hsc.errors import HscError
from hsc.networks import Networks
from hsc.photograph.placement import Placement
from hsc.sequence.container import HEADER_BYTES, Frame
from hsc.sequence.temporal import CUT, Carried, State, TemporalCodec, apart
from hsc.types import Inversion

LEAST_KBITS = 2.0
LEVELS = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0)
"""Levels that are tried."""
AHEAD = 5
"""Frames ahead that tell whether a change lasts."""
LOW, HIGH = 2.0**-6, 2.0**6
"""Least and largest price."""
USUAL = 0.5
"""Price that the search begins with."""
NEAR = 0.985
"""Part of its bytes from which on a group is taken to be as large as it may be."""
TRIES = 10
"""Prices that are tried at a level."""
MOST_FOR_CHANGES = 0.6
"""Highest price at which the pilot's changes of expression still show. Where no level keeps to it,
the lowest level is taken."""
PILOT = 16
"""Frames of the first group that choose the level."""
MOST_OF_KEY = 0.7
"""Part of a group's bytes above which a finer key frame is not tried."""


@dataclass(frozen=True)
class Coded:
    """The differences of F of a group at a price.

    Attributes:
        price: that was paid.
        size: bytes of the group's records.
        layers, symbols: of each predicted frame.
    """

    price: float
    size: int
    layers: list[tuple[bytes, ...]]
    symbols: list[torch.Tensor]


class Group:
    """The frames from a key frame on, of which only F's symbols are still open.

    Args:
        codec: its price is that of S's changes.
        latents: of every frame.
        places: of their crops, and perhaps of later ones.
    """

    def __init__(
        self, codec: TemporalCodec, latents: Sequence[Inversion], places: Sequence[Placement]
    ) -> None:
        self.codec, self.latents, self.price = codec, latents, codec.price
        self.places = places[: len(latents)]
        self.key, self.first = codec.encode_key(latents[0])
        self.changes, self.y = [], []
        components = np.stack([codec.components(each) for each in latents])
        state = self.first
        for number in range(1, len(latents)):
            changes = codec.changes(components[number : number + 1 + AHEAD], state.symbols)
            state = codec.semantics(state, changes)
            self.changes.append(changes)
            self.y.append(codec.latent(latents[number], state.latents.feature_s))
        nothing = torch.zeros_like(self.first.y_hat, dtype=torch.int64)
        left = [(codec.write(changes, nothing, self.first),) for changes in self.changes]
        self.fixed = self._size(left)

    def code(self, price: float) -> Coded:
        """The differences of F at a price."""
        self.codec.price = price
        layers: list[tuple[bytes, ...]] = []
        symbols: list[torch.Tensor] = []
        left: Carried = self.first
        for number, changes in enumerate(self.changes):
            found = self.codec.quantised(np.stack(self.y[number:][: 1 + AHEAD]), left)
            layers.append((self.codec.write(changes, found, left),))
            symbols.append(found)
            left = self.codec.carried(left, found)
        return Coded(price, self._size(layers), layers, symbols)

    def _size(self, predicted: Sequence[tuple[bytes, ...]]) -> int:
        """Bytes of all records, given the layers of the predicted frames."""
        size, before = 0, None
        for place, layers in zip(self.places, (self.key, *predicted), strict=True):
            size += Frame(0, place, layers).size(before)
            before = place
        return size

    def fitted(self, budget: float, price: float = USUAL) -> Generator[None, None, Coded]:
        """The lowest price at which the group takes at most so many bytes, nearly.

        Where none does, it is the highest. It pauses before every price.
        """
        low, high = LOW, HIGH
        best: Coded | None = None
        for _ in range(TRIES):
            yield
            coded = self.code(price)
            if coded.size <= budget:
                high = price
                if best is None or coded.price < best.price:
                    best = coded
                if coded.size >= NEAR * budget or price <= LOW:
                    break
            else:
                low = price
            # twice the price halves the differences, nearly
            ratio = (coded.size - self.fixed + 1) / max(budget - self.fixed, 1)
            price = price * min(max(ratio, 0.25), 4.0)
            if not low < price < high:
                price = math.sqrt(low * high)
        return best or self.code(HIGH)

    def frames(self, coded: Coded) -> Iterator[tuple[tuple[bytes, ...], State]]:
        """The layers of every frame and what it decodes to."""
        state = self.first
        yield self.key, state
        for layers, changes, symbols in zip(coded.layers, self.changes, coded.symbols, strict=True):
            carried = self.codec.carried(state, symbols)
            state = self.codec.restored(self.codec.semantics(state, changes), carried)
            yield layers, state

    def error(self, coded: Coded) -> float:
        """Mean squared error of F^, each channel over its standard deviation."""
        spread = self.codec.networks.fcn.feature_std[:, None, None]
        errors = [
            apart(state.latents.feature / spread, latents.feature / spread)
            for (_, state), latents in zip(self.frames(coded), self.latents)
        ]
        return float(np.mean(errors))


class Rate:
    """Groups of frames to layers, at or below a rate on the mean where that is possible.

    Args:
        networks: of the model.
        kbits: of all records, in kbit/s.
        fps: coded frames a second.

    Attributes:
        level: of the file, None until the first group has chosen it.

    Raises:
        HscError: the rate is too low for anything to be coded.
    """

    def __init__(self, networks: Networks, kbits: float, fps: float) -> None:
        if not kbits >= LEAST_KBITS:
            raise HscError(f"expected a rate of at least {LEAST_KBITS:g} kbit/s, got {kbits:g}.")
        self.networks = networks
        self.level: float | None = None
        self.a_frame = 1000 * kbits / fps / 8  # bytes
        self.spare = -float(HEADER_BYTES)  # of the file
        self._price = USUAL

    def code(
        self, latents: Sequence[Inversion], places: Sequence[Placement]
    ) -> Iterator[tuple[tuple[bytes, ...], State]]:
        """The layers of a key frame and of the predicted ones after it, and what they decode to.

        Args:
            places: of the frames' crops.
        """
        return (each for each in self.steps(latents, places) if each is not None)

    def steps(
        self, latents: Sequence[Inversion], places: Sequence[Placement]
    ) -> Iterator[tuple[tuple[bytes, ...], State] | None]:
        """As ``code``, and None at every pause of the search."""
        budget = self.a_frame * len(latents) + self.spare
        if self.level is None:
            self.level = yield from self._best_level(latents, places, budget)
        group = self._group(self.level, latents, places)
        coded = yield from group.fitted(budget, self._price)
        if not 0.5 < coded.price / group.price < 2:  # S was priced as it should not be
            self._price = coded.price
            group = self._group(self.level, latents, places)
            coded = yield from group.fitted(budget, self._price)
        self._price = coded.price
        self.spare = budget - coded.size
        yield from group.frames(coded)

    def is_cut(self, one: Inversion, other: Inversion) -> bool:
        """Whether two neighbouring frames show different scenes."""
        spread = self.networks.fcn.feature_std[:, None, None]
        return apart(one.feature / spread, other.feature / spread) > CUT

    def _group(
        self, level: float, latents: Sequence[Inversion], places: Sequence[Placement]
    ) -> Group:
        return Group(TemporalCodec(self.networks, level, self._price), latents, places)

    def _best_level(
        self, latents: Sequence[Inversion], places: Sequence[Placement], budget: float
    ) -> Generator[None, None, float]:
        """The level by which F^ is nearest, of those at which what moves is paid for.

        F^ of a fine key frame that hardly changes is nearest on the mean, and does not speak.
        """
        pilot = latents[:PILOT]
        part = (len(pilot) - 1) / max(len(latents) - 1, 1)
        found: list[tuple[float, float, float]] = []  # error, level, price
        for level in LEVELS:
            self._price = USUAL
            group = self._group(level, pilot, places)
            key = sum(map(len, group.key))
            if found and key > MOST_OF_KEY * budget:
                break
            coded = yield from group.fitted(key + part * (budget - key), self._price)
            found.append((group.error(coded), level, coded.price))
            if coded.price > MOST_FOR_CHANGES or found[-1] > min(found):
                break
        paid = [each for each in found if each[2] <= MOST_FOR_CHANGES]
        _, level, self._price = min(paid or found[:1])
        return level
