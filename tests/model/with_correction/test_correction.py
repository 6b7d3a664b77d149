"""The correction of F for a level, with the weights that ship: better pictures in as many bytes."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import pytest
import torch
from generated import from_pil

import hsc
from hsc.bitstream import unpack
from hsc.codec import Codec
from hsc.config import SHIPPED
from hsc.errors import WeightsError
from hsc.inversion import correction
from hsc.inversion.correction import (
    CORRECTION,
    LIMIT,
    STEPS,
    FeatureCorrection,
)
from hsc.inversion.distance import KnownPictures
from hsc.metrics.lpips import Lpips
from hsc.metrics.picture import psnr, shrink
from hsc.types import Inversion
from hsc.weights.loading import ASSETS, path_of


@pytest.fixture(scope="module")
def at_level(codec: Codec, found: Inversion) -> Callable[[float], bytes]:
    """The photograph's file of a level, corrected once for all tests."""
    return lru_cache(None)(partial(codec.compress, found))


def test_before_training_its_steps_are_plain_gradient_steps() -> None:
    network = FeatureCorrection()
    network.scale.fill_(0.5)
    gradient = torch.randn(1, 512, 8, 8)
    other = torch.randn(1, 512, 8, 8)
    style = torch.randn(1, 512)
    with torch.no_grad():
        first, second = (
            network(gradient, other, 0.5 * other, style, 2.4, step) for step in range(STEPS)
        )
        far = network(1e6 * gradient, other, other, style, 2.4, 0)
    assert (first * gradient).max() < 0
    assert far.abs().max() <= network.rate.max() * LIMIT + 1e-6
    bare = gradient / 0.5
    torch.testing.assert_close(first, -0.02 * bare / (1 + bare.abs() / LIMIT))
    torch.testing.assert_close(second, 0.5 * first)


def test_prices_between_levels_lie_between_them() -> None:
    network = FeatureCorrection(SHIPPED)
    network.price.copy_(torch.tensor([0.8, 0.2, 0.1, 0.05, 0.01, 0.001]))
    assert network.price_at(2) == pytest.approx(0.2) and network.price_at(6) == pytest.approx(1e-3)
    assert network.price_at(1.5) == pytest.approx(0.4)


@pytest.mark.parametrize("level", [2, 3, 4])
def test_a_corrected_file_is_as_large_and_draws_more_alike(
    codec, photo, found, at_level, level
) -> None:
    plain, better = codec.compress(replace(found, crop=None), level), at_level(level)
    assert len(better) < 1.1 * len(plain)
    # the face has some 250 px in its photograph, so it is compared at that size
    target = shrink(from_pil(photo), 256)
    drawn = [shrink(from_pil(codec.decode(data)), 256) for data in (plain, better)]
    lpips = Lpips.pretrained()
    with torch.no_grad():
        before, after = (lpips(picture, target).item() for picture in drawn)
    assert after < 0.97 * before
    assert psnr(drawn[1], target).item() > psnr(drawn[0], target).item() - 0.2


def in_the_slice(codec: Codec, data: bytes) -> torch.Tensor:
    """What a file of level 6 has in the enhancement slice, (1, 128, 16, 16)."""
    container, n = unpack(data), codec.networks
    context = n.context.feature(n.scn.decompress(container.scn, 6))
    assert container.fcn is not None
    return n.fcn.coder.decompress(container.fcn, context, 6)[0][:, 128:]


def test_each_level_above_4_draws_more_alike(codec, photo, found, at_level) -> None:
    target, lpips = shrink(from_pil(photo), 256), Lpips.pretrained()
    sizes, away = [], []
    for level in (4, 5, 6):
        data = at_level(level)
        sizes.append(len(data))
        with torch.no_grad():
            away.append(lpips(shrink(from_pil(codec.decode(data)), 256), target).item())
    assert sizes[0] < sizes[1] < sizes[2] and away[0] > away[1] > away[2]
    # without gradient steps the enhancement slice is empty: to the last symbol
    empty = codec.compress(replace(found, crop=None), 6)
    assert len(empty) < sizes[2]
    assert not in_the_slice(codec, empty).any() and in_the_slice(codec, data).any()
    about = codec.about_bytes(found, 6)
    assert 0.6 < about / sizes[2] < 1.6
    assert codec.about_bytes(replace(found, crop=None), 6) == len(empty)


def test_a_second_step_comes_nearer_than_one(codec, photo, found, at_level, monkeypatch) -> None:
    target, lpips = shrink(from_pil(photo), 256), Lpips.pretrained()

    def away(data: bytes) -> float:
        with torch.no_grad():
            return lpips(shrink(from_pil(codec.decode(data)), 256), target).item()

    twice = away(at_level(3))
    monkeypatch.setattr(correction, "STEPS", 1)
    assert twice < away(codec.compress(found, 3))


def test_the_photograph_is_looked_at_once_for_all_levels(codec, photo, found, monkeypatch) -> None:
    other = replace(found, crop=found.crop.flip(3))
    codec.compress(other, 1)  # no test before has left the photograph to this one
    looked, of = [], KnownPictures.of
    monkeypatch.setattr(KnownPictures, "of", lambda *args: looked.append(1) or of(*args))
    steps: list[tuple[int, int]] = []

    def counted(total: int) -> bool:
        """Whether all steps of so many were reported."""
        told, steps[:] = steps.copy(), []
        return told == [(done, total) for done in range(1, total + 1)]

    latents = codec.analyse(photo, progress=lambda *step: steps.append(step))
    assert counted(codec.gradient_steps(1)[0])
    for level in (1, 1.1):
        codec.compress(latents, level, progress=lambda *step: steps.append(step))
        assert counted(codec.gradient_steps(level)[1])
    assert len(looked) == 1
    codec.compress(found, 1)  # another analysis of it
    assert len(looked) == 1
    for latents, times in ((other, 2), (other, 2), (found, 3)):  # only the last one is kept
        codec.compress(latents, 1)
        assert len(looked) == times


def test_steps_end_when_nobody_waits(codec, photo) -> None:
    with pytest.raises(InterruptedError):
        codec.analyse(photo, progress=given_up)


def given_up(*_: int) -> None:
    raise InterruptedError


def test_at_the_least_level_f_is_coded_as_it_is(codec, found) -> None:
    plain = replace(found, crop=None)
    assert unpack(codec.compress(found, 1)).fcn == unpack(codec.compress(plain, 1)).fcn
    sizes = [
        (codec.encoder.correct(found, level).feature - found.feature).abs().mean().item()
        for level in (1.5, 3)
    ]
    assert 0 < sizes[0] < sizes[1]


def test_the_same_latents_give_the_same_bytes(codec, found, at_level) -> None:
    assert at_level(2) == codec.compress(found, 2)


def test_video_and_measurements_code_f_as_it_is(codec, photo, found, at_level) -> None:
    plain = codec.analyse(photo, correct=False)
    assert plain.crop is None and torch.equal(plain.feature, found.feature)
    assert plain.fine is None and plain.fine_s is None
    bare = replace(found, crop=None, fine=None, fine_s=None)
    assert codec.compress(plain, 3) == codec.compress(bare, 3)
    assert codec.compress(plain, 3) != at_level(3)


def test_a_size_is_kept_to_with_one_correction(codec, found) -> None:
    data = codec.compress(found, max_bytes=1200)
    assert 1000 < len(data) <= 1200
    level = unpack(data).level
    assert data != codec.compress(replace(found, crop=None), level)


def test_refinement_begins_from_the_corrected_f(codec, photo, found) -> None:
    first = next(codec.refine_steps(photo, found, 3, 2))
    corrected = codec.encoder.correct(found, 3)
    assert first.crop is None
    near, far = ((first.feature - f).abs().mean() for f in (corrected.feature, found.feature))
    assert near < 0.5 * far


def test_a_model_without_it_codes_f_as_it_is(photo, found, codec, quick_model: Path) -> None:
    without = hsc.load("cpu", model=quick_model)
    assert codec.corrects and not without.corrects and without.gradient_steps(3) == (0, 0)
    plain = without.analyse(photo)
    assert plain.crop is None
    bare = replace(found, crop=None, fine=None, fine_s=None)
    assert without.compress(plain, 3) == codec.compress(bare, 3)


def test_weights_of_another_network_are_refused(photo, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(ASSETS, folder)
    shutil.copy(path_of("preview"), path_of(CORRECTION, folder))
    other = hsc.load("cpu", model=folder)
    with pytest.raises(WeightsError, match="correction"):
        other.encode(photo, 3, align=False)
