"""How much detail a picture really has, and pictures without more detail than another one.

A face that is small in its photograph is enlarged to 1024 px: compared with it at full size, a
sharp picture would look wrong. Both are therefore compared at the size that the face really has.
"""

from bisect import bisect_left
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

FULL_PX = 900
"""From this size on a photograph has what a picture of 1024 px shows."""
SIZES = (64, 96, 128, 192, 256, 320, 384, 448, 512, 576, 640, 704, 768, 832, 896)
BLOCK_PX, QUANTILE = 32, 0.98
LOST = 1.2 / 127.5
"""Root mean square of what a size may lose, in [-1, 1], in all but 2% of the blocks of a picture:
little more than rounding to 8 bits loses."""


def band_limited(picture: Tensor, px: int, whole_px: int = 1024) -> Tensor:
    """A picture, or a window of one, without what a photograph of ``px`` pixels cannot hold.

    Args:
        picture: (B, 3, H, H).
        whole_px: the side of the whole picture.
    """
    if px >= FULL_PX * whole_px / 1024:
        return picture
    side = picture.shape[-1]
    size = max(32, round(side * px / whole_px))
    small = F.interpolate(picture, size=size, mode="bicubic", antialias=True)
    return F.interpolate(small, size=side, mode="bicubic")


def all_band_limited(pictures: Tensor, px: Sequence[int], whole_px: int) -> Tensor:
    """As :func:`band_limited`, each of (B, 3, H, H) to a photograph's own size."""
    pairs = zip(pictures.split(1), px, strict=True)
    return torch.cat([band_limited(picture, own, whole_px) for picture, own in pairs])


@torch.no_grad()
def bandwidth_px(picture: Tensor) -> int:
    """The least size that a picture can be reduced to and lose nothing, or its own side.

    Of photographs enlarged from 256, 400 and 640 px it gives about 450, 640 and 900: what is
    compared is never less sharp than the photograph.

    Args:
        picture: (1, 3, H, H) in [-1, 1], H at least 900.
    """
    side = picture.shape[-1]
    grey = picture.mean(1, keepdim=True)

    def loses_nothing(px: int) -> bool:
        error = (band_limited(grey, px, side) - grey).square()
        blocks = F.avg_pool2d(error, BLOCK_PX).sqrt().flatten()
        return blocks.quantile(QUANTILE).item() <= LOST

    first = bisect_left(SIZES, True, key=loses_nothing)
    return SIZES[first] if first < len(SIZES) else side
