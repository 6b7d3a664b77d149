"""Where two pictures differ, made visible."""

from __future__ import annotations

import numpy as np
from PIL import Image

AMPLIFICATIONS = (1, 2, 4, 8)


def difference(original: Image.Image, picture: Image.Image, amplification: int = 4) -> Image.Image:
    """|x - x_hat|, amplified; black where nothing differs, clipped at white.

    Args:
        original, picture: RGB, of one size.
        amplification: what the difference is multiplied with.
    """
    x, x_hat = (np.asarray(each.convert("RGB"), dtype=np.int16) for each in (original, picture))
    apart = np.abs(x - x_hat) * amplification
    return Image.fromarray(np.minimum(apart, 255).astype(np.uint8))
