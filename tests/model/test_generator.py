"""The generator against its original runtime, and the two halves that the codec uses."""

import pytest
import torch
from generated import face, from_pil, mapping, styles, synthesis
from paths import GOLDEN
from PIL import Image

from hsc.config import FACE_1024
from hsc.generators.haar import haar, inverse_haar
from hsc.generators.mobilestylegan.window import MARGIN, Window, render_window
from hsc.metrics.picture import psnr

EXPECTED = GOLDEN / "generator_1024.png"


def test_draws_what_the_original_draws() -> None:
    # Seed 1 through the published graphs in OpenVINO, float32; half weights and 8 bits cost 58 dB.
    assert psnr(face(1), from_pil(Image.open(EXPECTED))).item() > 45


def test_the_halves_make_the_whole() -> None:
    w_plus = styles(1)
    feature = synthesis().feature(w_plus)
    assert feature.shape == (1, 512, FACE_1024.feature_px, FACE_1024.feature_px)
    picture = synthesis().image(feature, w_plus)
    assert picture.shape == (1, 3, FACE_1024.image_px, FACE_1024.image_px)
    # A second run gives the same bits: the decoder may count on it.
    assert torch.equal(picture.clamp(-1, 1), face(1))


def test_another_feature_gives_another_picture() -> None:
    w_plus = styles(1)
    feature = synthesis().feature(w_plus)
    feature[:, :, 8:12, 8:12] = 0
    changed = synthesis().image(feature, w_plus).clamp(-1, 1)
    error = (changed - face(1)).abs().mean(1)[0]
    assert error[256:384, 256:384].mean() > 0.05
    assert error[-256:].mean() < 0.01  # a corner of the feature stays in its place


@pytest.mark.parametrize("px", [16, 32, 64])
def test_a_feature_depends_on_the_leading_styles_only(px: int) -> None:
    count = FACE_1024.styles_through(px)
    assert count < FACE_1024.styles
    short = synthesis().feature(styles(1)[:, :count], px)
    assert torch.equal(short, synthesis().feature(styles(1), px))
    other = styles(1).clone()
    other[:, count - 1] += 1
    assert not torch.equal(short, synthesis().feature(other, px))


def test_truncation_ends_at_the_mean_face() -> None:
    z = torch.randn(4, 512, generator=torch.Generator().manual_seed(3))
    mean = mapping().w_mean
    assert torch.allclose(mapping()(z, 0.0), mean.expand(4, -1))
    far, near = mapping()(z), mapping()(z, 0.5)
    assert torch.allclose(near, (far + mean) / 2, atol=1e-5)
    many = torch.randn(4096, 512, generator=torch.Generator().manual_seed(4))
    assert (mapping()(many).mean(0) - mean).abs().max() < 0.05


def test_haar_and_its_inverse() -> None:
    picture = torch.randn(2, 3, 8, 12, generator=torch.Generator().manual_seed(0))
    bands = haar(picture)
    assert bands.shape == (2, 12, 4, 6)
    assert torch.allclose(inverse_haar(bands), picture, atol=1e-6)
    assert torch.allclose(haar(inverse_haar(bands)), bands, atol=1e-6)
    assert torch.allclose(bands.square().sum(), picture.square().sum())
    flat = haar(torch.ones(1, 3, 4, 4))
    assert torch.equal(flat[:, :3], torch.full((1, 3, 2, 2), 2.0)) and not flat[:, 3:].any()


@pytest.mark.parametrize("window", [Window(2, 2, 3), Window(20, 9, 5), Window(26, 26, 4)])
def test_a_window_is_that_part_of_the_picture(window: Window) -> None:
    w_plus = mapping().w_mean.expand(1, 23, -1) + 0.1 * torch.arange(23)[None, :, None].sin()
    with torch.no_grad():
        feature = synthesis().feature(w_plus)
        part = render_window(synthesis(), feature, w_plus, window)
        whole = synthesis().image(feature, w_plus)
    assert part.shape == (1, 3, 32 * window.cells, 32 * window.cells)
    assert (part - window.of(whole)).abs().max() < 1e-4


def test_windows_keep_clear_of_the_border() -> None:
    drawn = [Window.random(8) for _ in range(200)]
    for places in ([w.top for w in drawn], [w.left for w in drawn]):
        assert min(places) >= MARGIN and max(places) <= 32 - MARGIN - 8
        assert len(set(places)) > 10


def test_haar_keeps_the_layout_that_it_is_given() -> None:
    x = torch.randn(2, 32, 6, 5)
    inner = inverse_haar(x.contiguous(memory_format=torch.channels_last))
    assert inner.is_contiguous(memory_format=torch.channels_last)
    assert torch.allclose(inner, inverse_haar(x), atol=1e-6)
