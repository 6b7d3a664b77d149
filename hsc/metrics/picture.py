"""Pixel and structural fidelity: PSNR and MS-SSIM."""

import torch
from torch import Tensor
from torch.nn import functional as F

from hsc.errors import PhotoError

LATTICE_PX = 16
"""Period of :func:`lattice_of`, and of the places from which LPIPS sees a picture differently."""


def shrink(images: Tensor, px: int) -> Tensor:
    """Average pixels down to ``px`` a side.

    Args:
        images: (B, C, H, H) with H a multiple of ``px``.

    Returns:
        (B, C, px, px); the pictures themselves where they are smaller.

    Raises:
        PhotoError: the pictures are not square, or their side is no multiple of ``px``.
    """
    height, width = images.shape[-2:]
    if height == width < px:
        return images
    if height != width or height % px:
        raise PhotoError(
            f"expected square pictures whose side is a multiple of {px} px, "
            f"got {width} x {height}: crop or resize them first."
        )
    return F.avg_pool2d(images, height // px) if height != px else images


def psnr(x: Tensor, y: Tensor, px: int | None = None) -> Tensor:
    """Peak signal-to-noise ratio in dB.

    Args:
        x, y: (B, 3, H, W) in [-1, 1]; values beyond are clamped, as saving a picture would.
        px: compare at this size, averaged down; at full size when None.

    Returns:
        (B,); infinite for equal pictures.
    """
    x, y = x.clamp(-1, 1), y.clamp(-1, 1)
    if px is not None:
        x, y = shrink(x, px), shrink(y, px)
    error = (x - y).double().square().mean(dim=(1, 2, 3))  # (B,), the peak-to-peak range is 2
    return (10 * torch.log10(4 / error)).to(x.dtype)


def ms_ssim(x: Tensor, y: Tensor) -> float:
    """MS-SSIM of two pictures (1, 3, H, W) in [-1, 1], more than 160 px a side; 1 for equal ones.

    Source: Wang et al. 2003, multi-scale structural similarity; computed by pytorch-msssim.

    Values beyond the range are clamped, as saving a picture would.
    """
    from pytorch_msssim import ms_ssim as similarity

    x, y = ((t.clamp(-1, 1) + 1) / 2 for t in (x, y))
    return float(similarity(x, y, data_range=1.0))


def lattice_of(difference: Tensor, period: int = LATTICE_PX) -> Tensor:
    """Mean square of the pattern that repeats in every cell of ``period`` px: 0 in photographs.

    Args:
        difference: of windows, (B, 3, H, W) with sides that are multiples of ``period``.
    """
    cells = difference.unflatten(-2, (-1, period)).unflatten(-1, (-1, period))
    # a cell's own mean is colour, of which the mean over a few pictures says nothing
    cells = cells - cells.mean((3, 5), keepdim=True)
    return cells.mean((0, 2, 4)).square().mean()
