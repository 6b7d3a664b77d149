"""The error of a rendered picture, place by place, as maps and as one vector."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.config import FACE_1024, SHIPPED
from hsc.inversion.backbone import PYRAMID_CHANNELS

COMPARED_PX, CELLS = 2 * SHIPPED.feedback_exit_px, FACE_1024.feature_px
ERROR_SCALE = 4.0
"""Errors are small beside the picture; this brings them to its size."""


def error_maps(image: Tensor, rendered: Tensor) -> Tensor:
    """4 (x - x^) and x at 128 px, unshuffled to 32 cells a side: (B, 96, 32, 32).

    Args:
        image: the photograph, (B, 3, 256, 256) in [-1, 1].
        rendered: the generator's picture of it, (B, 3, 128, 128).
    """
    small = F.avg_pool2d(image, image.shape[-1] // COMPARED_PX)  # (B, 3, 128, 128)
    maps = torch.cat([ERROR_SCALE * (small - rendered.to(image.dtype)), small], 1)
    return F.pixel_unshuffle(maps, COMPARED_PX // CELLS)


class ErrorEncoder(nn.Module):
    """What S renders against the photograph, place by place.

    ::

        4 (x - x_S), x at 32 cells -> 3x3 -> leaky -> 3x3 /2 -+-> leaky -> 3x3 /2 -+-> leaky -> 1x1
        pyramid, stride 16 -> 1x1 ----------------------------+                    |    -> flatten
        pyramid, stride 32 -> 1x1 -------------------------------------------------+    -> Linear

    A pyramid pooled to 3 x 3 cannot tell that an eye is two pixels too low; this can. The last
    layer starts at zero: before training there is no correction.
    """

    def __init__(self, out: int, widths: tuple[int, int, int] = (128, 192, 256)) -> None:
        super().__init__()
        first, second, third = widths
        narrow = third // 8
        self.places = nn.Conv2d(2 * 3 * (COMPARED_PX // CELLS) ** 2, first, 3, padding=1)
        self.parts = nn.Conv2d(first, second, 3, stride=2, padding=1)
        self.parts_known = nn.Conv2d(PYRAMID_CHANNELS[3], second, 1)
        self.face = nn.Conv2d(second, third, 3, stride=2, padding=1)
        self.face_known = nn.Conv2d(PYRAMID_CHANNELS[4], third, 1)
        self.narrow = nn.Conv2d(third, narrow, 1)
        self.out = nn.Linear(narrow * (CELLS // 4) ** 2, out)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, image: Tensor, rendered: Tensor, pyramid: list[Tensor]) -> Tensor:
        """(B, out) of (B, 3, 256, 256), (B, 3, 128, 128) and the photograph's pyramid."""
        h = F.leaky_relu(self.places(error_maps(image, rendered)), 0.2)  # (B, 128, 32, 32)
        h = F.leaky_relu(self.parts(h) + self.parts_known(pyramid[3]), 0.2)  # (B, 192, 16, 16)
        h = F.leaky_relu(self.face(h) + self.face_known(pyramid[4]), 0.2)  # (B, 256, 8, 8)
        return self.out(F.leaky_relu(self.narrow(h), 0.2).flatten(1))
