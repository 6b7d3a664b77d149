"""Refinement at encode time, with the weights that ship: better pictures in as many bytes."""

from pathlib import Path

import pytest
import torch
from generated import from_pil
from safetensors.torch import load_file, save_file

from hsc.codec import Codec
from hsc.errors import PhotoError
from hsc.levels import REFINE_STEPS
from hsc.metrics.lpips import Lpips
from hsc.metrics.picture import psnr, shrink
from hsc.types import Inversion
from hsc.weights import model_id
from hsc.weights.loading import ASSETS, path_of

LEVEL = 3


@pytest.fixture(scope="module")
def steps_told() -> list[tuple[int, int]]:
    return []


@pytest.fixture(scope="module")
def refined(codec, photo, found, steps_told) -> Inversion:
    return codec.refine(photo, found, LEVEL, REFINE_STEPS, lambda *told: steps_told.append(told))


def test_a_refined_file_is_no_larger_and_draws_more_alike(codec, photo, found, refined) -> None:
    plain, better = (codec.compress(latents, LEVEL) for latents in (found, refined))
    assert len(better) <= len(plain)
    target = shrink(from_pil(photo), 256)
    drawn = [shrink(from_pil(codec.decode(data)), 256) for data in (plain, better)]
    lpips = Lpips.pretrained()
    with torch.no_grad():
        before, after = (lpips(picture, target).item() for picture in drawn)
    assert after < 0.95 * before
    assert psnr(drawn[1], target).item() > psnr(drawn[0], target).item()


def test_where_rounding_is_coarse_a_search_gains_too(codec, photo, found) -> None:
    plain, better = (
        codec.compress(latents, 1) for latents in (found, codec.refine(photo, found, 1, 8))
    )
    assert len(better) <= 1.06 * len(plain)
    target, lpips = from_pil(photo), Lpips.pretrained()
    drawn = [from_pil(codec.decode(data)) for data in (plain, better)]
    with torch.no_grad():
        large = [lpips(picture, target).item() for picture in drawn]
        small = [lpips(shrink(picture, 256), shrink(target, 256)).item() for picture in drawn]
    assert small[1] < 0.96 * small[0] and large[1] < 0.97 * large[0]


def test_progress_is_told_step_by_step(refined, steps_told) -> None:
    assert steps_told == [(step, REFINE_STEPS) for step in range(1, REFINE_STEPS + 1)]


def test_what_was_found_is_left_as_it_was(codec, photo, found, refined) -> None:
    again = codec.analyse(photo, correct=False)
    assert torch.equal(found.w_plus, again.w_plus)
    assert torch.equal(found.feature, again.feature)
    assert not refined.feature.requires_grad
    assert not torch.equal(refined.feature, found.feature)


def test_the_networks_of_the_codec_gather_no_gradients(codec, refined) -> None:
    networks = (codec.networks.fcn, codec.networks.encoder)
    assert all(p.grad is None for network in networks for p in network.parameters())


def test_encode_refines_when_told_to(quick_model, photo) -> None:
    codec = Codec.load("cpu", quick_model)
    data = codec.encode(photo, LEVEL, align=False, refine=2)
    refined = codec.refine(photo, codec.analyse(photo), LEVEL, 2)
    assert data == codec.compress(refined, LEVEL)


def test_refining_another_picture_is_refused(codec, photo, found) -> None:
    with pytest.raises(PhotoError, match="1024"):
        codec.refine(photo.resize((512, 512)), found, LEVEL, 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped weights with another generator and another SCN."""
    for path in ASSETS.glob("*.safetensors"):
        (tmp_path / path.name).symlink_to(path)
    for name, tensor in (("generator", "synthesis.const"), ("scn", "mean")):
        state = load_file(path_of(name))
        path_of(name, tmp_path).unlink()
        save_file(state | {tensor: state[tensor] + 0.125}, path_of(name, tmp_path))
    return tmp_path


def test_a_codec_refines_with_the_networks_of_its_folder(
    folder: Path, codec: Codec, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(model_id, "ASSETS", folder / "nowhere")
        refiner = Codec.load("cpu", folder).encoder.refiner  # no file of the shipped folder is read
    shipped = codec.encoder.refiner
    for ours, theirs in (
        (refiner.scn.mean, shipped.scn.mean),
        (refiner.synthesis.const, shipped.synthesis.const),
    ):
        assert torch.allclose(ours.float(), theirs.float() + 0.125, atol=0.01)
    generator = load_file(path_of("generator", folder))["synthesis.const"]
    assert torch.equal(refiner.synthesis.const, generator.to(refiner.synthesis.dtype))


def test_metrics_come_from_the_folder_or_are_the_shipped_ones(folder: Path) -> None:
    own = path_of("lpips_alex", folder)
    assert model_id.path_or_shipped("lpips_alex", folder) == own
    own.unlink()
    assert model_id.path_or_shipped("lpips_alex", folder) == path_of("lpips_alex")
