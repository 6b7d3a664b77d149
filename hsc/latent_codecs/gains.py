"""The gain of a channel at a level: one rule for training, encoding and decoding."""

from torch import Tensor

from hsc.levels import interpolation
from hsc.numerics.exact import snap

GAIN_BITS = 6
"""Grid of log2 of a gain."""
STEP_BITS = 20
"""Grid of gains and of their inverses, the steps of quantisation, where bytes depend on them."""


def log2_gain_at(table: Tensor, level: float) -> Tensor:
    """Interpolate a table of gains, on a grid of 1/64 so that every caller rounds alike.

    Args:
        table: (6, C), log2 of the gains at the named levels; float64 on the CPU when coding bytes.

    Returns:
        (C,); the gradient passes straight through the rounding.
    """
    low, high, t = interpolation(level)
    # not torch.lerp: one fused kernel may round otherwise on another processor, and near a tie
    # the grid would not hide that; these are three operations, each rounded as IEEE 754 says
    log2_gain = table[low] + t * (table[high] - table[low])
    return log2_gain + (snap(log2_gain, GAIN_BITS) - log2_gain).detach()
