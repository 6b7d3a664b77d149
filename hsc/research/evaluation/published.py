"""Figures that were not measured here: the paper's, and what this project aims at."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Point:
    """A place on a rate-distortion curve; None where it is not known."""

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

AIMS = (
    Point(500, 0.31, 0.16, 0.45),
    Point(1000, 0.27, 0.135, 0.36),
    Point(1500, 0.25, 0.12, 0.32),
    Point(2500, 0.23, 0.11, 0.27),
    Point(4000, 0.20, 0.095, 0.22),
    Point(8000, 0.16, 0.075, 0.17),
)
"""One for each named level."""

INVERSION_AIMS = {
    "S only": {
        "psnr_256": 18, "lpips_256": 0.22, "lpips_1024": 0.42, "dists_256": 0.16,
        "identity_l2": 0.50,
    },
    "S + F": {
        "psnr_256": 28, "lpips_256": 0.05, "lpips_1024": 0.22, "dists_256": 0.09,
        "identity_l2": 0.15,
    },
}  # fmt: skip
