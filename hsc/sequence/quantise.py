"""Which whole number a difference becomes: what is lost, what it costs, and what comes next.

    least over m of   (x - m)^2 + price * bits(m) + the same of the frames ahead, given m

A difference in steps is rounded where that pays: a change that few bits carry is coded early, one
that stands alone is left. Of a change that goes back in the next frame nothing is coded, and one
that stays is coded once. Only the encoder decides: a decoder reads whole numbers as ever.

Source: rate-distortion optimised quantisation as in video encoders (Ramchandran and Vetterli 1994,
IEEE Transactions on Image Processing 3(5)); the frames ahead by dynamic programming.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from hsc.bitstream.rans import MAX_SYMBOL, CdfTables, IntArray

FloatArray = npt.NDArray[np.float64]
LARGEST = 64
"""Magnitude from which on all are taken to cost as much."""


def table_bits(tables: CdfTables) -> FloatArray:
    """Bits of a symbol of each magnitude by each table, (tables, LARGEST + 1)."""
    bits = np.empty((len(tables), LARGEST + 1))
    for row, cdf, offset in zip(bits, tables.cdfs, tables.offsets):
        price = -np.log2(np.diff(np.array(cdf, dtype=np.int64)) / 65536)
        for magnitude in range(LARGEST + 1):
            at = magnitude - offset
            inside = at < len(price) - 1
            # the escape is followed by the excess in groups of four bits
            plain = 0 if inside else 8 + 2 * math.log2(1 + magnitude + offset)
            row[magnitude] = price[at if inside else -1] + plain
    return bits


def choose(
    ahead: FloatArray, index: IntArray, bits: FloatArray, price: float | FloatArray
) -> IntArray:
    """Whole numbers for the differences of a frame.

    Args:
        ahead: (1 + n, ...): differences from the frame before, in steps, of this frame and of the
            n after it.
        index: which table codes each, of the shape of one frame.
        bits: of ``table_bits``.
        price: squared steps that a bit is worth, of all or of each; 0 rounds.

    Returns:
        int64, of the shape of one frame.
    """
    found: IntArray = np.zeros(index.shape, np.int64)
    flat, tables = ahead.reshape(len(ahead), -1), index.ravel()
    prices = np.broadcast_to(price, index.shape).ravel()
    sign = np.where(flat[0] < 0, -1.0, 1.0)
    # what one step can save at most, against what it costs at least
    saved = np.maximum(2 * sign * flat - 1, 0).sum(0)
    cost = prices * (bits[tables, 1] - bits[tables, 0])
    active = np.flatnonzero((saved > cost) & (np.abs(flat[0]) > 0.5))
    if not len(active):
        return found
    x, costs = (flat * sign)[:, active], prices[active, None] * bits[tables[active]]
    nearest = np.rint(x)
    values = np.concatenate([np.zeros((1, len(active))), nearest[:1] - 1, nearest])
    values = np.clip(values, -MAX_SYMBOL, MAX_SYMBOL)
    found.ravel()[active] = sign[active] * _cheapest(x, values, costs)
    return found


def _cheapest(x: FloatArray, values: FloatArray, costs: FloatArray) -> FloatArray:
    """The first of the values that the cheapest course takes from zero through the frames.

    Args:
        x: (frames, n), where it should be. values: (choices, n), where it can be. costs:
            (n, magnitudes), what a change costs.
    """
    choices = len(values)
    rows = np.arange(x.shape[1])

    def change(by: FloatArray) -> FloatArray:
        magnitude = np.minimum(np.abs(by), LARGEST).astype(np.int64)
        return np.asarray(costs[rows, magnitude])

    total = change(values) + (x[0] - values) ** 2
    first = np.repeat(np.arange(choices)[:, None], x.shape[1], axis=1)
    if len(x) > 1:
        changes = change(values[None] - values[:, None])  # from, to
        for wanted in x[1:]:
            reached = total[:, None] + changes
            come = reached.argmin(0)
            total = np.take_along_axis(reached, come[None], 0)[0] + (wanted - values) ** 2
            first = np.take_along_axis(first, come, 0)
    best = first[total.argmin(0), rows]
    return values[best, rows]
