"""The error of a rendered picture: as maps on the grid of F, and as one vector."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.config import SHIPPED, CodecConfig
from hsc.inversion.backbone import PYRAMID_CHANNELS

ERROR_SCALE = 4.0
"""Errors are smaller than pixel values; this factor brings both to the same scale."""


def error_channels(config: CodecConfig) -> int:
    """Channels of :func:`error_maps`."""
    return 2 * 3 * (2 * config.feedback_exit_px // config.generator.feature_px) ** 2


def error_maps(image: Tensor, rendered: Tensor, cells: int) -> Tensor:
    """4 (x - x^) and x at 128 px, space to depth: (B, 96, cells, cells).

    Args:
        image: the photograph x, (B, 3, 256, 256) in [-1, 1].
        rendered: the generator's picture x^ of it, (B, 3, 128, 128).
        cells: side of the result, the resolution of F.
    """
    px = rendered.shape[-1]
    small = F.avg_pool2d(image, image.shape[-1] // px)  # (B, 3, 128, 128)
    maps = torch.cat([ERROR_SCALE * (small - rendered.to(image.dtype)), small], 1)
    return F.pixel_unshuffle(maps, px // cells)


class ErrorEncoder(nn.Module):
    """Compares what S renders with the photograph, at each position of the picture.

    ::

        4 (x - x_S), x at 32 cells -> 3x3 -> leaky -> 3x3 /2 -+-> leaky -> 3x3 /2 -+-> leaky -> 1x1
        pyramid, stride 16 -> 1x1 ----------------------------+                    |    -> flatten
        pyramid, stride 32 -> 1x1 -------------------------------------------------+    -> Linear

    A pyramid pooled to 3 x 3 cannot show that an eye is two pixels too low; these maps can. The
    last layer is initialised to zero: before training there is no correction.

    Args:
        out: length of the result.
        config: sizes of the compared pictures and of F.
    """

    def __init__(
        self,
        out: int,
        config: CodecConfig = SHIPPED,
        widths: tuple[int, int, int] = (128, 192, 256),
    ) -> None:
        super().__init__()
        self.cells = config.generator.feature_px
        first, second, third = widths
        narrow = third // 8
        self.places = nn.Conv2d(error_channels(config), first, 3, padding=1)
        self.parts = nn.Conv2d(first, second, 3, stride=2, padding=1)
        self.parts_known = nn.Conv2d(PYRAMID_CHANNELS[3], second, 1)
        self.face = nn.Conv2d(second, third, 3, stride=2, padding=1)
        self.face_known = nn.Conv2d(PYRAMID_CHANNELS[4], third, 1)
        self.narrow = nn.Conv2d(third, narrow, 1)
        self.out = nn.Linear(narrow * (self.cells // 4) ** 2, out)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, image: Tensor, rendered: Tensor, pyramid: list[Tensor]) -> Tensor:
        """(B, out) of (B, 3, 256, 256), (B, 3, 128, 128) and the photograph's pyramid."""
        maps = error_maps(image, rendered, self.cells)  # (B, 96, 32, 32)
        h = F.leaky_relu(self.places(maps), 0.2)  # (B, 128, 32, 32)
        h = F.leaky_relu(self.parts(h) + self.parts_known(pyramid[3]), 0.2)  # (B, 192, 16, 16)
        h = F.leaky_relu(self.face(h) + self.face_known(pyramid[4]), 0.2)  # (B, 256, 8, 8)
        vector: Tensor = self.out(F.leaky_relu(self.narrow(h), 0.2).flatten(1))  # (B, out)
        return vector
