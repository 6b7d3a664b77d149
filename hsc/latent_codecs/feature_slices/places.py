"""Places of F's latent where people look: an encoder spends more there. Decoders do not know it."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hsc.config import SHIPPED, CodecConfig

Area = tuple[int, int, int, int, float]
"""Rows and columns from and to, in sixteenths of an aligned face's side, and a weight."""


def place_weights(config: CodecConfig, areas: Sequence[Area]) -> npt.NDArray[np.float64]:
    """The weight of each place of the latent, (16, 16): 1 where no area is.

    Where two areas overlap that of the later one counts.
    Only crops of faces are aligned by eyes and mouth: for others all weights are 1.
    """
    px = config.latent_px
    weights = np.ones((px, px))
    if config.generator.domain == SHIPPED.generator.domain:
        for *sides, weight in areas:
            top, bottom, left, right = (round(side * px / 16) for side in sides)
            weights[top:bottom, left:right] = weight
    return weights
