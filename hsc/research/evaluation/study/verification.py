"""Face verification of decoded pictures at a fixed false accept rate."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FALSE_ACCEPTS = 0.01
"""Share of pairs of strangers that may pass for one person."""


@dataclass(frozen=True)
class Verification:
    """How well decoded pictures are recognised, at the same rate of false accepts for all.

    Attributes:
        limit: accepted below this distance, which at most ``FALSE_ACCEPTS`` of the pairs (decoded
            picture, photograph of somebody else) are. Its own for every way to code: some
            descriptors are nearer to everybody's than others.
        itself: share of decoded pictures that are accepted as their own original.
        another: share of pairs (decoded picture, another photograph of that person) that are
            accepted; None where nobody has two photographs.
        strangers: share of pairs of strangers accepted.
        pairs: how many pairs ``another`` is of.
    """

    limit: float
    itself: float
    another: float | None
    strangers: float
    pairs: int


def verify(
    originals: np.ndarray, decoded: np.ndarray, people: Sequence[str]
) -> Verification | None:
    """Compare decoded pictures with original photographs.

    A picture in which no face is found is never accepted.

    Args:
        originals, decoded: (N, 128) descriptors of the same pictures, nan where no face was found.
        people: who each shows.

    Returns:
        None where there are no two people.
    """
    distances = np.nan_to_num(_distances(decoded, originals), nan=np.inf)
    known = np.isfinite(originals).all(1)[None, :] & np.ones((len(decoded), 1), bool)
    same, itself = _same(people), np.eye(len(people), dtype=bool)
    another, strangers = same & ~itself & known, ~same & known
    if not strangers.any():
        return None
    far = np.sort(distances[strangers])
    limit = float(far[int(FALSE_ACCEPTS * len(far))])
    accepted = distances < limit
    return Verification(
        limit,
        float(accepted[itself & known].mean()) if (itself & known).any() else 0.0,
        float(accepted[another].mean()) if another.any() else None,
        float(accepted[strangers].mean()),
        int(another.sum()),
    )


def interval(share: float, trials: int) -> tuple[float, float]:
    """Wilson's 95% interval of a share that was counted in so many independent trials."""
    z2 = 1.96**2
    middle = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = np.sqrt(z2 * (share * (1 - share) / trials + z2 / (4 * trials**2))) / (1 + z2 / trials)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def mean_distances(
    originals: np.ndarray, others: np.ndarray, people: Sequence[str]
) -> tuple[float, float, float]:
    """Means of a picture to its own original, to another photograph of that person, to strangers.

    Args:
        originals, others: (N, 128) descriptors of the same pictures, nan where no face was found.

    Returns:
        nan for what there are no pairs of.
    """
    distances, same = _distances(others, originals), _same(people)
    itself = np.eye(len(people), dtype=bool)
    means = []
    for chosen in (itself, same & ~itself, ~same):
        there = distances[chosen & np.isfinite(distances)]
        means.append(float(there.mean()) if len(there) else float("nan"))
    own, other, strangers = means
    return own, other, strangers


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.linalg.norm(a[:, None] - b[None], axis=2)


def _same(people: Sequence[str]) -> np.ndarray:
    names = np.array(people)
    return names[:, None] == names[None]
