"""Quantisation with a gain for each channel and level: one rule for training and both codecs."""

import torch
from torch import Tensor

from hsc.bitstream.rans import MAX_SYMBOL
from hsc.latent_codecs.base import round_ste
from hsc.latent_codecs.gaussian import bits
from hsc.levels import interpolation
from hsc.numerics.exact import snap

GAIN_BITS = 6
"""Grid of log2 of a gain."""
STEP_BITS = 20
"""Grid of gains and of their inverses, the steps of quantisation, where bytes depend on them."""
COMPONENT_BITS = 12
"""Grid of the dequantised components of styles: finer than that of activations, they are few."""


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


def rounded(scaled: Tensor) -> Tensor:
    """The symbols of values in steps, int64."""
    return torch.round(scaled).clamp(-MAX_SYMBOL, MAX_SYMBOL).long()


def coded_components(y: Tensor, table: Tensor, level: float) -> tuple[Tensor, Tensor]:
    """Components of styles as files code them, with gradients that pass straight through.

    Args:
        y: (B, K). table: (6, K), log2 of the gains at the named levels.

    Returns:
        y_hat (B, K) and the ideal bits of each picture (B,).
    """
    log2_gain = log2_gain_at(table, level)
    gain = torch.exp2(log2_gain)
    symbols = round_ste(y * gain)  # (B, K)
    return symbols / gain, bits(symbols, log2_gain.expand_as(symbols)).sum(1)


def dequantised_components(symbols: Tensor, log2_gain: Tensor) -> Tensor:
    """y_hat of components of styles, exactly: float64 on the CPU.

    Args:
        symbols: (K,) integers. log2_gain: (K,), of :func:`log2_gain_at` in float64.
    """
    # exp2 may differ in its last bit between libraries: the grid absorbs it
    step = snap(torch.exp2(-log2_gain), STEP_BITS)
    return snap(symbols.double() * step, COMPONENT_BITS)
