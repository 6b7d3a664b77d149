"""A window of the 1024-px picture, rendered from a window of its feature map.

The generator above F is convolutions and noise maps: a part of the picture needs only the part of
F around it. Training renders such windows at full resolution for a seventh of the cost.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from hsc.config import FACE_1024
from hsc.generators.base import SynthesisNetwork

MARGIN = 2
"""Cells of F around a window that its pixels depend on: eight 3x3 kernels at rising resolution."""


@dataclass(frozen=True)
class Window:
    """A square of the picture, in cells of F (32 pixels of the picture each).

    Attributes:
        top, left: of its first cell, at least MARGIN.
        cells: its side; top and left plus cells is at most feature_px - MARGIN.
    """

    top: int
    left: int
    cells: int

    @classmethod
    def random(cls, cells: int, feature_px: int = FACE_1024.feature_px) -> "Window":
        """A window at a random place."""
        room = feature_px - 2 * MARGIN - cells + 1
        top, left = (MARGIN + torch.randint(room, (2,))).tolist()
        return cls(top, left, cells)

    def of(self, picture: Tensor) -> Tensor:
        """The window of (B, C, H, W), whose sides are any power of two from 32."""
        cell = picture.shape[-1] // FACE_1024.feature_px
        rows, columns = (
            slice(start * cell, (start + self.cells) * cell) for start in (self.top, self.left)
        )
        return picture[..., rows, columns]


def render_window(
    synthesis: SynthesisNetwork, feature: Tensor, w_plus: Tensor, window: Window
) -> Tensor:
    """Render a window of ``synthesis.image(feature, w_plus)``.

    Args:
        feature: the whole F, (B, 512, 32, 32); w_plus: (B, 23, 512).

    Returns:
        (B, 3, 32 cells, 32 cells).
    """
    top, left = window.top - MARGIN, window.left - MARGIN
    side = window.cells + 2 * MARGIN
    x = feature[:, :, top : top + side, left : left + side]
    x = x.contiguous(memory_format=torch.channels_last)
    spec = synthesis.spec
    x = synthesis.run(x, w_plus, spec.feature_px, spec.block_px[-1], (top, left))
    rendered = synthesis.to_image(x, w_plus[:, -1])
    edge = MARGIN * (spec.image_px // spec.feature_px)
    return rendered[:, :, edge:-edge, edge:-edge]
