"""Target figures of this project; those of the paper are in `hsc.baselines.published`."""

from hsc.baselines.published import Point

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
