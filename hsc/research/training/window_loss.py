"""What a window of the picture, drawn at full resolution, is compared with the photograph by."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from hsc.generators.mobilestylegan.synthesis import Synthesis
from hsc.generators.mobilestylegan.window import Window, draw_window
from hsc.metrics.lpips import Lpips

WINDOW_CELLS = 8


@dataclass(frozen=True)
class WindowLoss:
    """LPIPS at 1024 px, colour, and the amount of fine detail, somewhere in the picture.

    Attributes:
        fast: the generator in bfloat16, channels last.
        colour: weight of the squared error of the window at a quarter of its size.
        detail: weight of the term that keeps texture from being averaged away.
    """

    fast: Synthesis
    lpips: Lpips
    colour: float = 2.0
    detail: float = 0.05

    def __call__(
        self, feature: Tensor, w_plus: Tensor, picture: Tensor
    ) -> tuple[Tensor, dict[str, float]]:
        """The loss of F (B, 512, 32, 32) and S against (B, 3, 1024, 1024), and its parts."""
        window = Window.draw(WINDOW_CELLS)
        target = window.of(picture)  # (B, 3, 256, 256)
        with torch.autocast(picture.device.type, torch.bfloat16):
            drawn = draw_window(self.fast, feature.bfloat16(), w_plus.bfloat16(), window).float()
            lpips = self.lpips(drawn, target).float().mean()
        colour = (F.avg_pool2d(drawn, 4) - F.avg_pool2d(target, 4)).square().mean()
        detail = (_detail(drawn).log() - _detail(target).log()).square().mean()
        value = lpips + self.colour * colour + self.detail * detail
        parts = {"lpips": lpips.item(), "colour": colour.item(), "detail": detail.item()}
        return value, parts


def _detail(picture: Tensor) -> Tensor:
    """Mean size of differences between neighbours at half resolution, (B,)."""
    half = F.avg_pool2d(picture, 2)
    across = (half[..., :, 1:] - half[..., :, :-1]).abs().mean((1, 2, 3))
    down = (half[..., 1:, :] - half[..., :-1, :]).abs().mean((1, 2, 3))
    return (across + down).clamp_min(1e-4)
