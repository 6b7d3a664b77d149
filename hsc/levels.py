"""Bitrate levels, six of which have names, and the number of refinement steps."""

import math
from dataclasses import dataclass

MIN_LEVEL, MAX_LEVEL = 1, 6
REFINE_STEPS = 15
"""Gradient steps of a refinement, by default: most of what 60 gain, in a quarter of the time."""


@dataclass(frozen=True)
class Level:
    """A named point of the scale.

    Attributes:
        number: 1 to 6, as in files and on the command line.
        name: as on the page.
        target_bytes: size of a whole file that training aims at.
    """

    number: int
    name: str
    target_bytes: int


LEVELS = (
    Level(1, "postage stamp", 500),
    Level(2, "text message", 1000),
    Level(3, "everyday", 1500),
    Level(4, "detailed", 2500),
    Level(5, "fine", 4000),
    Level(6, "archive", 8000),
)


def interpolation(level: float) -> tuple[int, int, float]:
    """Neighbouring rows of a six-row table and the weight of the second.

    Raises:
        ValueError: the level is outside 1..6.
    """
    if not MIN_LEVEL <= level <= MAX_LEVEL:
        raise ValueError(f"expected a level from 1 to 6, got {level}: choose one in that range.")
    low = min(int(level) - 1, len(LEVELS) - 2)
    return low, low + 1, level - 1 - low


def target_bytes(level: float) -> float:
    """The size that training aims at, between the named levels by its logarithm."""
    low, high, t = interpolation(level)
    a, b = (math.log(LEVELS[i].target_bytes) for i in (low, high))
    return math.exp(a + t * (b - a))
