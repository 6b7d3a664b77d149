"""Optical flow between two feature maps of one face, and warping by it."""

import torch
from torch import Tensor
from torch.nn import functional as F

CHANNELS = slice(0, None, 4)
"""Motion shows as well in every fourth channel as in all of them, four times as fast."""
STEPS = {2: 4, 1: 8}
"""Rounds at half and at full resolution."""
WINDOW, SMOOTH = 1.2, 1.0
"""Gaussians, in pixels: over which motion is one, and by which it is smoothed each round."""
STIFF = 0.05
"""What keeps flat parts in place: squared gradient at which half of a motion is believed."""


def motion(before: Tensor, after: Tensor) -> Tensor:
    """Where each pixel of ``after`` was in ``before``.

    Lucas and Kanade's registration (1981), the window's equations summed over channels: hundreds
    of features pin down at 32 px what one brightness could not.

    Args:
        before, after: (B, C, px, px), each channel in standard deviations.

    Returns:
        (B, 2, px, px), pixels to the right and down; exactly zero where the two are the same.
    """
    before, after = before[:, CHANNELS], after[:, CHANNELS]
    size = before.shape[-1]
    flow = before.new_zeros(len(before), 2, size // max(STEPS), size // max(STEPS))
    for shrink, steps in STEPS.items():
        a, b = (F.avg_pool2d(x, shrink) if shrink > 1 else x for x in (before, after))
        if flow.shape[-1] != a.shape[-1]:
            larger = a.shape[-1] / flow.shape[-1]
            flow = larger * F.interpolate(
                flow, size=a.shape[-2:], mode="bilinear", align_corners=False
            )
        for _ in range(steps):
            flow = _blur(flow + _step(warp(a, flow), b), SMOOTH)
    return flow


def warp(x: Tensor, flow: Tensor) -> Tensor:
    """Warp (B, C, px, px) by the flow of :func:`motion`; the border is repeated."""
    height, width = x.shape[-2:]
    columns = torch.arange(width, device=x.device) + flow[:, 0] + 0.5
    rows = torch.arange(height, device=x.device)[:, None] + flow[:, 1] + 0.5
    grid = torch.stack([columns * 2 / width - 1, rows * 2 / height - 1], -1)  # (B, px, px, 2)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


def _step(moved: Tensor, after: Tensor) -> Tensor:
    """The remaining motion, by one linear solution: (B, 2, px, px), a pixel at most."""
    padded = F.pad(moved, (1, 1, 1, 1), mode="replicate")
    right = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2
    down = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / 2
    error = after - moved
    pairs = (right, right), (right, down), (down, down), (right, error), (down, error)
    sums = torch.stack([(a * b).mean(1) for a, b in pairs], 1)  # (B, 5, px, px)
    xx, xy, yy, xe, ye = _blur(sums, WINDOW).unbind(1)
    xx, yy = xx + STIFF, yy + STIFF
    determinant = xx * yy - xy * xy
    step = torch.stack([yy * xe - xy * ye, xx * ye - xy * xe], 1) / determinant[:, None]
    return step.clamp(-1, 1)


def _blur(x: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of (B, C, H, W)."""
    reach = int(2.5 * sigma)
    at = torch.arange(-reach, reach + 1, device=x.device, dtype=x.dtype)
    kernel = torch.exp(-((at / sigma) ** 2) / 2)
    kernel = kernel / kernel.sum()
    padded = F.pad(x, (reach, reach, reach, reach), mode="replicate").flatten(0, 1)[:, None]
    rows = F.conv2d(padded, kernel[None, None, None])
    return F.conv2d(rows, kernel[None, None, :, None]).reshape(x.shape)
