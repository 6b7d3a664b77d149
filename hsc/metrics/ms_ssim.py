"""Multi-scale structural similarity.

Source: Wang et al. 2003; computed by pytorch-msssim, which CompressAI brings along.
"""

from torch import Tensor


def ms_ssim(x: Tensor, y: Tensor) -> float:
    """MS-SSIM of two pictures (1, 3, H, W) in [-1, 1], more than 160 px a side; 1 for equal ones.

    Values beyond the range are clamped, as saving a picture would.
    """
    from pytorch_msssim import ms_ssim as similarity

    x, y = ((t.clamp(-1, 1) + 1) / 2 for t in (x, y))
    return float(similarity(x, y, data_range=1.0))
