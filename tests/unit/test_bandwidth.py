"""How much detail a picture has, which decides at what size it may be compared."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from hsc.images.bandwidth import band_limited, bandwidth_px


def enlarged(px: int) -> Tensor:
    """Noise of ``px`` pixels a side as a picture of 1024."""
    small = 0.05 * torch.randn(1, 3, px, px, generator=torch.Generator().manual_seed(px))
    return F.interpolate(small, size=1024, mode="bicubic")


def test_a_photograph_that_fills_the_picture_has_all_of_it() -> None:
    assert bandwidth_px(enlarged(1024)) == 1024


@pytest.mark.parametrize("px", [200, 400, 640])
def test_an_enlarged_one_has_less_and_never_less_than_its_own(px: int) -> None:
    assert px <= bandwidth_px(enlarged(px)) < 1024


def test_a_postage_stamp_is_not_taken_for_a_picture_of_256_px() -> None:
    assert 64 <= bandwidth_px(enlarged(64)) < 256


def test_what_was_limited_has_less() -> None:
    noise = enlarged(1024)
    assert band_limited(noise, 900) is noise
    half = noise[..., ::2, ::2]  # as a whole picture of 512 px it has what 450 px hold
    assert band_limited(half, 450, 512) is half and band_limited(half, 400, 512) is not half
    assert bandwidth_px(band_limited(noise, 400)) <= 704
