"""The price of a byte at each level.

Each level has a target size instead of a fixed Lagrange multiplier: the price of a byte follows the
measured size, so that the levels of a finished model meet their targets.
"""

import math

import torch
from torch import Tensor

from hsc.config import SHIPPED, CodecConfig
from hsc.levels import LEVELS, MAX_LEVEL, MIN_LEVEL, interpolation, target_bytes
from hsc.research import distributed

OVERHEAD_BYTES = 15 + 8
"""Header of the file, and what the entropy coder adds to the ideal length."""
START_PRICES = (0.70, 0.13, 0.057, 0.014, 0.0019, 0.0020)


def size_scale(config: CodecConfig) -> float:
    """How many positions the latent has, beside the shipped codec's, whose levels have names."""
    return float((config.latent_px / SHIPPED.latent_px) ** 2)


class RatePrice:
    """Price of a kilobyte at each level, adjusted until file sizes meet their targets.

    Args:
        start: initial prices; by default the last ones of the shipped weights' training.
        scale: factor of the levels' sizes, for a latent of another size than the shipped one's.
    """

    def __init__(self, start: tuple[float, ...] = START_PRICES, scale: float = 1.0) -> None:
        self.scale = scale
        self.log_price = [math.log(p) for p in start]

    def target_bytes(self, level: float) -> float:
        return self.scale * target_bytes(level)

    def __call__(self, level: float) -> float:
        low, high, t = interpolation(level)
        return math.exp((1 - t) * self.log_price[low] + t * self.log_price[high])

    def charge(
        self, bits: Tensor, scn_bits: Tensor, level: float
    ) -> tuple[Tensor, dict[str, float]]:
        """The cost of a batch's FCN bits at the current price; the price is then adjusted.

        Args:
            bits, scn_bits: ideal bits of each picture's two layers, (B,).

        Returns:
            The cost, and the figures to log.
        """
        price = self(level)
        bytes_here = (bits.mean() + scn_bits.mean()).item() / 8 + OVERHEAD_BYTES
        total = distributed.mean(bytes_here)  # every process asks the same price
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


def random_level(generator: torch.Generator = distributed.COMMON) -> float:
    """A random level: a named one half of the time, anything between them otherwise.

    Args:
        generator: by default that of all processes, so that each trains the same level.
    """
    if torch.rand((), generator=generator) < 0.5:
        return float(LEVELS[int(torch.randint(len(LEVELS), (), generator=generator))].number)
    return float(torch.empty(()).uniform_(MIN_LEVEL, MAX_LEVEL, generator=generator))
