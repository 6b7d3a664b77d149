"""Whether an edited face is one that the generator knows, and sums of edits held back until it is.

Each edit alone nearly always stays among the faces that the generator knows: its range sees to
that. Several together may not, and then the picture melts. The generator's own features tell: in
the map G_F(S^) of a melted face, channels vary far more over the picture than in any face that the
generator makes by itself. The directions of w+ tell it less well: the same step melts one face and
not another.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from hsc.errors import WeightsError

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of an edit at which its departure is measured when it goes too far."""
FREE = 2.0
"""Departure up to which nothing is held back. Of the generator's own samples (truncation .7) nine
in ten depart by less than 1.3 and 99 in 100 by less than 2.2; files of 18 photographs by .9 to
2.0."""
ROOM = 0.6
"""By how much a face that departs on its own may depart further, where that is more."""
GIVE = 0.4
"""What is beyond all that at most, however much is asked for."""


@dataclass(frozen=True)
class Held:
    """How far an edit goes, and how much of it is carried out.

    Attributes:
        share: of every amount, over 0 to 1; 1 where nothing is held back.
        departure: of the face that was asked for, see :meth:`Plausibility.departure`.
        limit: departure up to which this face is not held back.
    """

    share: float
    departure: float
    limit: float

    @property
    def plausibility(self) -> float:
        """1 up to the limit, and towards 0 the further what was asked for lies beyond it."""
        return 1.0 if self.departure <= self.limit else self.limit / self.departure


NOTHING_HELD = Held(1.0, 0.0, math.inf)
"""Where nothing is edited, or nothing is known of the generator's own faces."""


@dataclass(frozen=True)
class Plausibility:
    """How the features of faces that the generator makes by itself vary over a picture.

    Attributes:
        mean: (C,) of the standard deviation over the map of each channel of G_F, over samples.
        spread: (C,) its standard deviation over samples.
    """

    mean: Tensor
    spread: Tensor

    @classmethod
    def load(cls, path: Path) -> Plausibility:
        """Read the file that ``hsc train plausibility`` writes. Raises WeightsError."""
        try:
            tensors = load_file(path)
            return cls(tensors["mean"].float(), tensors["spread"].float())
        except (OSError, SafetensorError, KeyError) as error:
            raise WeightsError(
                f"expected mean and spread in {path.name}, found something else: make it again "
                "with `python -m hsc train plausibility`."
            ) from error

    @classmethod
    def of(cls, features: Tensor) -> Plausibility:
        """Of the features of samples: (N, C, px, px)."""
        spreads = features.float().std((2, 3)).cpu()  # (N, C)
        return cls(spreads.mean(0), spreads.std(0))

    def save(self, path: Path) -> None:
        """Write both in float32."""
        save_file({"mean": self.mean.contiguous(), "spread": self.spread.contiguous()}, path)

    def departure(self, feature: Tensor) -> Tensor:
        """How unlike the generator's own faces features are: about 1 for those.

        The root mean square over channels of (standard deviation over the map - mean) / spread.

        Args:
            feature: G_F of styles, (B, C, px, px).

        Returns:
            (B,).
        """
        varies = feature.float().std((2, 3))  # (B, C)
        apart = (varies - self.mean.to(varies)) / self.spread.to(varies)
        return apart.square().mean(1).sqrt()

    def held(
        self, feature_s: Tensor, amounts: Mapping[str, float], features: Callable[[float], Tensor]
    ) -> Held:
        """How much of an edit to carry out on a face.

        Args:
            feature_s: G_F of the face as it is, (1, C, px, px).
            amounts: the edit; with none, nothing is measured.
            features: G_F of the face under a share of every amount, (1, C, px, px).
        """
        if not any(amounts.values()):
            return NOTHING_HELD
        before = float(self.departure(feature_s))
        asked = float(self.departure(features(1.0)))
        limit = max(FREE, before + ROOM)
        if asked <= limit:
            return Held(1.0, asked, limit)
        between = [float(self.departure(features(share))) for share in SHARES[1:-1]]
        return Held(share_within(limit, [before, *between, asked]), asked, limit)


def share_within(limit: float, departures: Sequence[float]) -> float:
    """The share of an edit whose departure is not far beyond a limit.

    It is 1 where the whole edit is within the limit, and falls smoothly from there: the departure
    that is let through is::

        limit + GIVE (1 - exp(-(asked - limit) / GIVE))

    Args:
        limit: above ``departures[0]``.
        departures: at each of ``SHARES``, joined by straight lines.
    """
    asked = departures[-1]
    if asked <= limit:
        return 1.0
    target = limit + GIVE * (1 - math.exp(-(asked - limit) / GIVE))
    for index in range(len(SHARES) - 1, 0, -1):
        low, high = departures[index - 1], departures[index]
        if low <= target:
            part = (target - low) / (high - low)
            return SHARES[index - 1] + part * (SHARES[index] - SHARES[index - 1])
    return 0.0
