"""The price of a byte at each level.

Each level has a size to aim at rather than a fixed multiplier: the price of a byte follows the
measured size, so that the levels of a finished model lie where they should.
"""

import math

import torch
from torch import Tensor

from hsc.levels import LEVELS, MAX_LEVEL, MIN_LEVEL, interpolation

OVERHEAD_BYTES = 15 + 8
"""Header of the file, and what the entropy coder adds to the ideal length."""
SHIPPED = (0.70, 0.13, 0.057, 0.014, 0.0019, 0.0020)


class RatePrice:
    """Price of a kilobyte at each level, adjusted until sizes meet their targets.

    Args:
        start: prices to begin with; by default where the shipped weights' training left them.
    """

    def __init__(self, start: tuple[float, ...] = SHIPPED) -> None:
        self.log_price = [math.log(p) for p in start]

    def target_bytes(self, level: float) -> float:
        low, high, t = interpolation(level)
        a, b = (math.log(LEVELS[i].target_bytes) for i in (low, high))
        return math.exp(a + t * (b - a))

    def __call__(self, level: float) -> float:
        low, high, t = interpolation(level)
        return math.exp((1 - t) * self.log_price[low] + t * self.log_price[high])

    def charge(
        self, bits: Tensor, scn_bits: Tensor, level: float
    ) -> tuple[Tensor, dict[str, float]]:
        """What a batch's FCN bits cost at the price so far, which then follows its size.

        Args:
            bits, scn_bits: ideal bits of each picture's two layers, (B,).

        Returns:
            The cost, and the figures to log.
        """
        price = self(level)
        total = (bits.mean() + scn_bits.mean()).item() / 8 + OVERHEAD_BYTES
        self.adjust(level, total)
        figures = {"size_ratio": total / self.target_bytes(level), "price": price}
        return price * bits.mean() / 8000, figures

    def adjust(self, level: float, total_bytes: float, rate: float = 0.05) -> None:
        """Raise the price where files are too large, lower it where they are too small."""
        low, high, t = interpolation(level)
        error = math.log(max(total_bytes, 1.0) / self.target_bytes(level))
        error = max(-1.0, min(1.0, error))
        self.log_price[low] += rate * (1 - t) * error
        self.log_price[high] += rate * t * error


def draw_level() -> float:
    """The named levels half of the time, anything between them otherwise."""
    if torch.rand(()) < 0.5:
        return float(LEVELS[int(torch.randint(len(LEVELS), ()))].number)
    return float(torch.empty(()).uniform_(MIN_LEVEL, MAX_LEVEL))
