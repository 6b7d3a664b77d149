"""Bjontegaard's delta rate: bytes saved at equal quality, in percent.

Source: Bjontegaard 2001 (VCEG-M33), with piecewise cubic Hermite interpolation as JVET uses.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEAST_POINTS = 2
LEAST_SHARED = 0.1
"""Share of the narrower curve's qualities that both must reach: the mean of a sliver is chance."""


@dataclass(frozen=True)
class Saving:
    """How many bytes one curve needs of those of another, on average over the qualities of both.

    Attributes:
        percent: negative when the tested curve needs fewer; None where the curves share no
            quality, or hardly any.
        low, high: the shared qualities, as the metric counts them; None likewise.
        better_everywhere: where no quality is shared, or hardly any: which curve lies above,
            "test" or "anchor"; None otherwise.
    """

    percent: float | None
    low: float | None
    high: float | None
    better_everywhere: str | None = None


Curve = Sequence[tuple[float, float]]
"""(bytes, figure) points of one codec."""


def bd_rate(anchor: Curve, test: Curve, less_is_better: bool) -> Saving:
    """Compare two rate-distortion curves.

    Args:
        anchor, test: points in any order; a point that costs more and is no better than another is
            left out, since nobody would use it.
        less_is_better: whether a small figure is a good one.

    Returns:
        The mean of log(bytes of test / bytes of anchor) over the shared qualities, as a percentage.
    """
    from scipy.interpolate import PchipInterpolator

    sign = -1.0 if less_is_better else 1.0
    curves = [_useful([(b, sign * q) for b, q in curve]) for curve in (anchor, test)]
    if min(map(len, curves)) < LEAST_POINTS:
        return Saving(None, None, None)
    (_, qa), (_, qt) = (np.array(curve).T for curve in curves)
    low, high = max(qa[0], qt[0]), min(qa[-1], qt[-1])
    if high - low <= LEAST_SHARED * min(qa[-1] - qa[0], qt[-1] - qt[0]):
        return Saving(None, None, None, "test" if qt[0] + qt[-1] > qa[0] + qa[-1] else "anchor")
    means = []
    for curve in curves:
        size, quality = np.array(curve).T
        means.append(PchipInterpolator(quality, np.log(size)).integrate(low, high) / (high - low))
    ends = sorted((sign * low, sign * high))
    percent = 100 * np.expm1(means[1] - means[0])
    return Saving(float(percent), float(ends[0]), float(ends[1]))


def _useful(points: Curve) -> list[tuple[float, float]]:
    """The points that no cheaper one equals, from the fewest bytes and least quality on."""
    kept: list[tuple[float, float]] = []
    for size, quality in sorted(points, key=lambda p: (p[0], -p[1])):
        if np.isfinite(quality) and (not kept or quality > kept[-1][1]):
            kept.append((size, quality))
    return kept
