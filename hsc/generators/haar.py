"""Haar wavelet synthesis and analysis, the generator's only resampling operators.

Source: MobileStyleGAN (Belousov 2021, arXiv 2104.04767), whose blocks predict wavelet
coefficients instead of pixels.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def inverse_haar(coefficients: Tensor) -> Tensor:
    """Merge four sub-bands into a map of twice the resolution.

    Args:
        coefficients: (B, 4C, H, W). The first C channels are the low band; the other 3C are
            C groups of (lh, hl, hh), lh being high along the rows' axis.

    Returns:
        (B, C, 2H, 2W). The transform is orthonormal: energy is preserved.
    """
    if coefficients.is_contiguous(memory_format=torch.channels_last) and coefficients.shape[1] > 12:
        return _inverse_haar_channels_last(coefficients)
    b, c4, h, w = coefficients.shape
    c = c4 // 4
    ll = coefficients[:, :c]  # (B, C, H, W)
    lh, hl, hh = coefficients[:, c:].reshape(b, c, 3, h, w).unbind(2)  # 3 x (B, C, H, W)
    top, bottom = ll + lh, ll - lh
    top_detail, bottom_detail = hl + hh, hl - hh
    quads = torch.stack(
        [top + top_detail, top - top_detail, bottom + bottom_detail, bottom - bottom_detail], dim=2
    )  # (B, C, 4, H, W): the 2x2 block in reading order
    return F.pixel_shuffle(quads.reshape(b, c4, h, w) * 0.5, 2)  # (B, C, 2H, 2W)


def _inverse_haar_channels_last(coefficients: Tensor) -> Tensor:
    """The same result in the channels-last format, which pixel_shuffle would not preserve."""
    b, c4, h, w = coefficients.shape
    c = c4 // 4
    x = coefficients.permute(0, 2, 3, 1)  # (B, H, W, 4C)
    ll = x[..., :c]
    lh, hl, hh = x[..., c:].reshape(b, h, w, c, 3).unbind(-1)  # 3 x (B, H, W, C)
    top, bottom = ll + lh, ll - lh
    top_detail, bottom_detail = hl + hh, hl - hh
    rows = [
        torch.stack([row + detail, row - detail], 3).reshape(b, h, 2 * w, c)
        for row, detail in ((top, top_detail), (bottom, bottom_detail))
    ]  # 2 x (B, H, 2W, C)
    merged = torch.stack(rows, 2).reshape(b, 2 * h, 2 * w, c) * 0.5
    return merged.permute(0, 3, 1, 2)  # (B, C, 2H, 2W)


def haar(image: Tensor) -> Tensor:
    """Split a map into sub-bands: the exact inverse of :func:`inverse_haar`.

    Args:
        image: (B, C, 2H, 2W).

    Returns:
        (B, 4C, H, W) in the order that :func:`inverse_haar` takes.
    """
    b, c, h2, w2 = image.shape
    h, w = h2 // 2, w2 // 2
    a, e, d, g = F.pixel_unshuffle(image, 2).reshape(b, c, 4, h, w).unbind(2)
    ll, lh = a + e + d + g, a + e - d - g
    hl, hh = a - e + d - g, a - e - d + g
    details = torch.stack([lh, hl, hh], dim=2).reshape(b, 3 * c, h, w)  # (B, 3C, H, W)
    return torch.cat([ll, details], dim=1) * 0.5  # (B, 4C, H, W)
