"""Linear regression of read-outs on w, and directions that move one read-out alone."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

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

    def direction(self, name: str, held: Mapping[str, float]) -> np.ndarray:
        """The most probable change of w that moves one read-out, and others as told.

        Among all white vectors v with slope(name) v = 1 and slope(other) v = held[other], the
        shortest: the least unlikely change under the generator's own distribution.

        Args:
            name: the read-out to move by one standard deviation.
            held: other read-outs to their change in standard deviations, usually 0.

        Returns:
            (512,), one standard deviation of the read-out, as far as the regression is right.
        """
        rows = [self.names.index(n) for n in (name, *held)]
        target = np.array([1.0, *held.values()])
        white = np.linalg.lstsq(self.slopes[rows], target, rcond=None)[0]  # (K,)
        return white @ self.basis


def fit(
    w: np.ndarray, readouts: Mapping[str, np.ndarray], axes: int = 200, ridge: float = 60.0
) -> Probe:
    """Regress every read-out on w jointly.

    Args:
        w: (N, 512).
        readouts: name -> (N,).
        axes: principal axes of w kept.
        ridge: in samples: a white axis needs this many to be half believed.
    """
    names = tuple(readouts)
    raw = np.stack([readouts[name] for name in names], axis=1)  # (N, R)
    scale = raw.std(0)
    y = np.clip((raw - raw.mean(0)) / scale, -OUTLIER, OUTLIER)
    y -= y.mean(0)
    _, s, vt = np.linalg.svd(w - w.mean(0), full_matrices=False)
    basis = vt[:axes] * (s[:axes, None] / len(w) ** 0.5)  # (K, 512)
    white = (w - w.mean(0)) @ np.linalg.pinv(basis)  # (N, K)

    def solve(rows: np.ndarray) -> np.ndarray:
        x = white[rows]
        return np.linalg.solve(x.T @ x + ridge * np.eye(x.shape[1]), x.T @ y[rows])  # (K, R)

    everything = np.arange(len(w))
    error = np.zeros(len(names))
    for fold in range(5):
        out = everything % 5 == fold
        error += ((y[out] - white[out] @ solve(everything[~out])) ** 2).sum(0)
    r2 = 1 - error / (y**2).sum(0)
    return Probe(names, basis, solve(everything).T, scale, r2)
