"""Linear regression of read-outs on w, and directions that move one read-out alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

FOLDS = 5
OUTLIER = 4.0
"""Standard deviations at which a read-out is clipped before it is regressed."""


@dataclass(frozen=True)
class Probe:
    """Regression of standardised read-outs on whitened w.

    Attributes:
        names: the read-outs.
        basis: (K, 512), principal axis times its standard deviation: white -> w.
        slopes: (R, K), read-out in standard deviations per unit of each white axis.
        scale: (R,) standard deviation of each read-out.
        r2: (R,) share of variance explained on samples left out of the fit.
    """

    names: tuple[str, ...]
    basis: np.ndarray
    slopes: np.ndarray
    scale: np.ndarray
    r2: np.ndarray

    def direction(self, name: str, constraints: Mapping[str, float]) -> np.ndarray:
        """The most probable change of w that changes one read-out, and others as constrained.

        Among all white vectors v with slope(name) v = 1 and slope(other) v = constraints[other],
        the shortest: the least unlikely change under the generator's own distribution.

        Args:
            name: the read-out to move by one standard deviation.
            constraints: other read-outs to their change in standard deviations, usually 0.

        Returns:
            (512,), one standard deviation of the read-out, as far as the regression is right.
        """
        rows = [self.names.index(n) for n in (name, *constraints)]
        target = np.array([1.0, *constraints.values()])
        white = np.linalg.lstsq(self.slopes[rows], target, rcond=None)[0]  # (K,)
        return white @ self.basis

    def principal(self, count: int, without: Sequence[str]) -> list[tuple[np.ndarray, np.ndarray]]:
        """The directions in which w varies most, orthogonal to the slopes of some read-outs.

        Source: GANSpace (Härkönen et al. 2020, arXiv 2004.02546).

        Returns:
            For each one standard deviation (512,), and what it is predicted to do to each read-out
            (R,), in standard deviations; the strongest is positive.
        """
        rows = self.slopes[[self.names.index(name) for name in without]]
        out = np.linalg.pinv(rows) @ rows  # (K, K), onto what they see
        found = []
        for white in np.eye(len(self.basis))[:count]:
            white = white - out @ white
            white /= np.linalg.norm(white)
            moved = self.slopes @ white
            sign = np.sign(moved[np.abs(moved).argmax()])
            found.append((sign * white @ self.basis, sign * moved))
        return found


def fit(
    w: np.ndarray, readouts: Mapping[str, np.ndarray], axes: int = 200, ridge: float = 60.0
) -> Probe:
    """Regress every read-out on w jointly.

    Args:
        w: (N, 512).
        readouts: name -> (N,), NaN on samples that say nothing of it.
        axes: principal axes of w kept.
        ridge: in samples: a white axis needs this many to be half believed.
    """
    names = tuple(readouts)
    raw = np.stack([readouts[name] for name in names], axis=1)  # (N, R)
    scale = np.nanstd(raw, 0)
    y = np.clip((raw - np.nanmean(raw, 0)) / scale, -OUTLIER, OUTLIER)
    _, s, vt = np.linalg.svd(w - w.mean(0), full_matrices=False)
    basis = vt[:axes] * (s[:axes, None] / len(w) ** 0.5)  # (K, 512)
    white = (w - w.mean(0)) @ np.linalg.pinv(basis)  # (N, K)
    fits = [_regress(white[known], column[known], ridge)
            for column, known in zip(y.T, np.isfinite(y).T)]  # fmt: skip
    slopes, r2 = zip(*fits)
    return Probe(names, basis, np.stack(slopes), scale, np.array(r2))


def _regress(x: np.ndarray, y: np.ndarray, ridge: float) -> tuple[np.ndarray, float]:
    """Slopes (K,) of ridge regression, and the share of variance that it explains out of sample."""
    x, y = x - x.mean(0), y - y.mean()

    def solve(rows: np.ndarray) -> np.ndarray:
        a = x[rows]
        return np.linalg.solve(a.T @ a + ridge * np.eye(a.shape[1]), a.T @ y[rows])

    everything = np.arange(len(y))
    error = 0.0
    for fold in range(FOLDS):
        out = everything % FOLDS == fold
        error += ((y[out] - x[out] @ solve(~out)) ** 2).sum()
    return solve(everything >= 0), 1 - error / (y**2).sum()
