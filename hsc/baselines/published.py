"""Rate and distortion as the paper published them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Point:
    """A point of a rate-distortion curve; figures that were not published are None."""

    bytes: int
    lpips_1024: float
    dists_256: float
    identity_l2: float | None = None


PAPER = "Li et al. 2025, arXiv 2502.16799"
PAPER_NOTE = (
    "Read off the figure, to about .003. Measured by its authors on CelebA-HQ at 1024 x 1024, so "
    "on other pictures than ours; they do not say at which size DISTS was measured. Sizes are "
    "estimated: no file was written."
)
PAPER_POINTS = (
    Point(773, 0.295, 0.153),
    Point(1009, 0.280, 0.144),
    Point(1468, 0.264, 0.131),
    Point(2582, 0.252, 0.122),
)
