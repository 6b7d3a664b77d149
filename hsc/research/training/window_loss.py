"""The loss of a window of the picture at full resolution, against the photograph."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from hsc.config import SHIPPED, GeneratorSpec
from hsc.generators.base import SynthesisNetwork
from hsc.generators.mobilestylegan.window import MARGIN, Window, render_window
from hsc.images.bandwidth import all_band_limited
from hsc.metrics.lpips import Lpips
from hsc.metrics.picture import LATTICE_PX, lattice_of
from hsc.numerics.precision import gradient_autocast, gradient_dtype

WINDOW_CELLS = 8
EYES, MOUTH = ((10, 7), (13, 17)), ((16, 8), (17, 14))
"""First row and column, least and greatest, of windows that hold an eye, or the mouth."""
EYES_SHARE, MOUTH_SHARE = 0.4, 0.2
"""Of windows; the others lie anywhere."""


def place_window(spec: GeneratorSpec = SHIPPED.generator) -> Window:
    """A random window, more often over eyes and mouth than elsewhere."""
    where = float(torch.rand(()))
    if where >= EYES_SHARE + MOUTH_SHARE:
        return Window.random(WINDOW_CELLS, spec.feature_px)
    (top0, left0), (top1, left1) = EYES if where < EYES_SHARE else MOUTH
    most = spec.feature_px - MARGIN - WINDOW_CELLS
    top, left = (
        int(torch.randint(low, min(most, high) + 1, ()))
        for low, high in ((top0, top1), (left0, left1))
    )
    return Window(top, left, WINDOW_CELLS)


def detail_of(picture: Tensor) -> Tensor:
    """Mean size of differences between neighbours at half resolution, (B,)."""
    half = F.avg_pool2d(picture, 2)
    across = (half[..., :, 1:] - half[..., :, :-1]).abs().mean((1, 2, 3))
    down = (half[..., 1:, :] - half[..., :-1, :]).abs().mean((1, 2, 3))
    return (across + down).clamp_min(1e-4)


@dataclass(frozen=True)
class WindowWeights:
    """The part that :meth:`WindowLoss.configured` reads of the configurations of its stages."""

    colour: float
    detail: float
    half_size: float
    quarter_size: float
    pixels: float
    lattice: float


@dataclass(frozen=True)
class WindowLoss:
    """LPIPS, colour, pixels and the amount of fine detail of windows.

    Windows begin at multiples of 32 px and LPIPS looks in steps of 4. Seen from the same place
    always, it teaches a lattice of that period, which it does not see itself: so each of its terms
    looks from a random place, and the lattice has a price.

    Attributes:
        colour: weight of the squared error of the window at a quarter of its size.
        detail: weight of the term that keeps texture from being averaged away.
        scales: factor of average pooling and weight of each LPIPS term.
        pixels: weight of the mean absolute error; lattice: of :func:`lattice_of`.
    """

    lpips: Lpips
    colour: float = 2.0
    detail: float = 0.05
    scales: tuple[tuple[int, float], ...] = ((1, 1.0),)
    pixels: float = 0.0
    lattice: float = 0.0

    @classmethod
    def configured(cls, lpips: Lpips, weights: WindowWeights) -> "WindowLoss":
        """LPIPS at full size has the weight 1; the others are those of a stage."""
        scales = ((1, 1.0), (2, weights.half_size), (4, weights.quarter_size))
        return cls(lpips, weights.colour, weights.detail, scales, weights.pixels, weights.lattice)

    def __call__(self, rendered: Tensor, target: Tensor) -> tuple[Tensor, dict[str, float]]:
        """The loss of windows (B, 3, 256, 256) in [-1, 1], and its parts."""
        with gradient_autocast(target.device):
            full, *smaller = (self._lpips(rendered, target, factor) for factor, _ in self.scales)
        perceptual = self.scales[0][1] * full
        for (_, weight), distance in zip(self.scales[1:], smaller):
            perceptual = perceptual + weight * distance
        colour = (F.avg_pool2d(rendered, 4) - F.avg_pool2d(target, 4)).square().mean()
        detail = (detail_of(rendered).log() - detail_of(target).log()).square().mean()
        pixels, lattice = (rendered - target).abs().mean(), lattice_of(rendered - target)
        value = perceptual + self.colour * colour + self.detail * detail
        value = value + self.pixels * pixels + self.lattice * lattice
        parts = {"lpips": full.item(), "colour": colour.item(), "detail": detail.item()}
        return value, parts | {"pixels": pixels.item(), "lattice": lattice.item()}

    def of_file(
        self,
        synthesis: SynthesisNetwork,
        feature: Tensor,
        w_plus: Tensor,
        picture: Tensor,
        px: Sequence[int],
    ) -> tuple[Tensor, dict[str, float]]:
        """The loss of a random window of what F (B, 512, 32, 32) and S (B, 23, 512) render.

        Args:
            synthesis: the generator in :func:`gradient_dtype`, channels last.
            picture: (B, 3, 1024, 1024); px: the side that each photograph has itself.
        """
        spec = synthesis.spec
        window = place_window(spec)
        with gradient_autocast(picture.device):
            dtype = gradient_dtype(picture.device)
            rendered = render_window(synthesis, feature.to(dtype), w_plus.to(dtype), window).float()
        return self(all_band_limited(rendered, px, spec.image_px), window.of(picture))

    def _lpips(self, rendered: Tensor, target: Tensor, factor: int) -> Tensor:
        dy, dx = torch.randint(LATTICE_PX, (2,)).tolist()
        side = rendered.shape[-1] - LATTICE_PX
        rendered, target = (x[..., dy : dy + side, dx : dx + side] for x in (rendered, target))
        if factor > 1:
            rendered, target = F.avg_pool2d(rendered, factor), F.avg_pool2d(target, factor)
        return self.lpips(rendered, target).float().mean()
