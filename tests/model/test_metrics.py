"""Distances: known values, what they must notice and what they must not."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from generated import face, to_pil
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from hsc.errors import NoFaceError, PhotoError, WeightsError
from hsc.metrics.dists import Dists
from hsc.metrics.identity import SAME_PERSON, FaceIdentity, crop_for_identity
from hsc.metrics.identity_dlib import dlib_identity
from hsc.metrics.landmarks import landmark_error, landmarks, point_error
from hsc.metrics.loss import statistics_distance
from hsc.metrics.lpips import Lpips
from hsc.metrics.picture import psnr


@pytest.fixture(scope="module")
def lpips() -> Lpips:
    return Lpips.pretrained()


@pytest.fixture(scope="module")
def identity() -> FaceIdentity:
    return FaceIdentity.pretrained()


def patterns() -> Tensor:
    """Three test pictures (3, 3, 96, 96) that need no random numbers."""
    y, x = torch.meshgrid(torch.arange(96.0), torch.arange(96.0), indexing="ij")
    waves = torch.stack([torch.sin(x / 9), torch.sin(y / 5), torch.sin((x + y) / 13)])
    checks = torch.sign(torch.sin(x / 3) * torch.sin(y / 3)).expand(3, -1, -1)
    ramp = torch.stack([x, y, (x + y) / 2]) / 48 - 1
    return torch.stack([waves, checks, ramp])


def test_lpips_agrees_with_the_published_code(lpips: Lpips) -> None:
    a, b, c = patterns().split(1)
    # The package lpips 0.1.4, net "alex", on the same float32 pictures.
    assert lpips(a, b).item() == pytest.approx(0.85143, rel=2e-3)
    assert lpips(a, c).item() == pytest.approx(0.72290, rel=2e-3)
    assert lpips(b, c).item() == pytest.approx(0.87933, rel=2e-3)


def test_lpips_is_zero_on_itself_and_grows_with_noise(lpips: Lpips) -> None:
    picture = F.avg_pool2d(face(1), 4)
    noise = torch.randn(picture.shape, generator=torch.Generator().manual_seed(0))
    noisy = torch.cat([(picture + s * noise).clamp(-1, 1) for s in (0.0, 0.05, 0.1, 0.2, 0.4)])
    distances = lpips(picture.expand_as(noisy), noisy)
    assert distances.shape == (5,)
    assert distances[0] == 0
    assert (distances.diff() > 0).all()


def test_lpips_leads_back_to_the_picture(lpips: Lpips) -> None:
    target = F.avg_pool2d(face(1), 8)
    picture = F.avg_pool2d(target, 5, stride=1, padding=2).requires_grad_()
    before = lpips(picture, target)
    (gradient,) = torch.autograd.grad(before.sum(), picture)
    step = picture - 0.02 * gradient / gradient.square().mean().sqrt()
    assert lpips(step.detach(), target) < 0.9 * before


def test_lpips_has_a_gradient_on_black(lpips: Lpips) -> None:
    black = torch.full((1, 3, 64, 64), -1.0, requires_grad=True)
    lpips(black, patterns()[:1, :, :64, :64]).sum().backward()
    assert black.grad.isfinite().all() and black.grad.any()


def jittered(picture: Tensor) -> Tensor:
    """The same crop moved by one and enlarged by two percent."""
    theta = torch.tensor([[[0.98, 0.0, 0.02], [0.0, 0.98, -0.02]]])
    grid = F.affine_grid(theta, list(picture.shape), align_corners=False)
    return F.grid_sample(picture, grid, padding_mode="reflection", align_corners=False)


def test_identity_knows_a_face_again(identity: FaceIdentity) -> None:
    people = torch.cat([face(seed) for seed in (1, 2, 3)])
    again = torch.cat([jittered(face(seed)) for seed in (1, 2, 3)])
    distances = torch.cdist(identity(crop_for_identity(people)), identity(crop_for_identity(again)))
    same = distances.diagonal()
    others = distances[~torch.eye(3, dtype=torch.bool)]
    assert same.max() < SAME_PERSON / 2
    assert others.min() > 2 * same.max()


def test_identity_agrees_with_dlib(identity: FaceIdentity) -> None:
    for seed in (1, 2):
        ours = identity(crop_for_identity(face(seed)))[0].double().numpy()
        dlib = dlib_identity(to_pil(face(seed)))
        assert dlib.shape == (128,)
        assert np.dot(ours, dlib) / np.linalg.norm(ours) / np.linalg.norm(dlib) > 0.97
        assert np.linalg.norm(ours - dlib) < SAME_PERSON / 2


def test_identity_does_not_depend_on_the_picture_size(identity: FaceIdentity) -> None:
    large = identity(crop_for_identity(face(1)))
    small = identity(crop_for_identity(F.avg_pool2d(face(1), 4)))
    assert (large - small).norm() < 0.15


def test_identity_leads_back_to_the_face(identity: FaceIdentity) -> None:
    small = F.avg_pool2d(torch.cat([face(1), face(2)]), 4)
    target = identity(crop_for_identity(small[:1]))
    picture = small[1:].clone().requires_grad_()
    before = (identity(crop_for_identity(picture)) - target).norm()
    (gradient,) = torch.autograd.grad(before, picture)
    step = (picture - 0.01 * gradient / gradient.square().mean().sqrt()).detach()
    assert (identity(crop_for_identity(step)) - target).norm() < 0.9 * before
    assert not gradient[:, :, :16].any()  # what lies outside the box has no say


def test_dlib_identity_wants_a_face() -> None:
    with pytest.raises(NoFaceError):
        dlib_identity(Image.new("RGB", (256, 256), "grey"))


def test_psnr_of_known_errors() -> None:
    flat = torch.zeros(3, 3, 8, 8)
    off = torch.stack([torch.full((3, 8, 8), v) for v in (0.2, 0.02, 0.0)])
    assert psnr(flat, off)[:2].tolist() == pytest.approx([20.0, 40.0], abs=1e-4)
    assert math.isinf(psnr(flat, off)[2])
    # Beyond white is white.
    assert math.isinf(psnr(torch.ones(1, 3, 8, 8), torch.full((1, 3, 8, 8), 1.5)))


def test_psnr_at_a_smaller_size_averages_first() -> None:
    flat = torch.zeros(1, 3, 8, 8)
    checks = torch.tensor([[0.5, -0.5], [-0.5, 0.5]]).repeat(4, 4).expand(1, 3, 8, 8)
    assert psnr(flat, checks).item() == pytest.approx(10 * math.log10(16), abs=1e-4)
    assert math.isinf(psnr(flat, checks, px=4))
    with pytest.raises(PhotoError, match="multiple of 3"):
        psnr(flat, checks, px=3)


def test_landmarks_move_with_the_face() -> None:
    image = to_pil(F.avg_pool2d(face(1), 2))
    assert landmark_error(image, image) == 0
    points = landmarks(image)
    assert points.shape == (68, 2) and points.min() > 0 and points.max() < 1
    moved = Image.new("RGB", image.size)
    moved.paste(image, (10, 0))
    eyes = np.linalg.norm(points[36:42].mean(0) - points[42:48].mean(0)) * image.width
    assert landmark_error(image, moved) == pytest.approx(10 / eyes, rel=0.25)


def test_landmark_error_is_unknown_without_a_face() -> None:
    image = to_pil(F.avg_pool2d(face(1), 4))
    assert math.isnan(landmark_error(image, Image.new("RGB", image.size)))


def test_point_error_is_in_units_of_the_eye_distance() -> None:
    reference = np.zeros((68, 2))
    reference[42:48, 0] = 2.0
    assert point_error(reference, reference + [0.0, 0.5]) == pytest.approx(0.25)


@pytest.fixture()
def random_dists() -> Dists:
    torch.manual_seed(0)
    network = Dists().eval().requires_grad_(False)
    for mixing in (network.alpha, network.beta):
        mixing.fill_(1.0)
    return network


def test_dists_is_zero_on_itself_and_symmetric(random_dists: Dists) -> None:
    a, b, _ = patterns()[:, :, :64, :64].split(1)
    assert random_dists(a, a).item() == pytest.approx(0, abs=1e-5)
    assert random_dists(a, b).item() > 0.05
    assert random_dists(a, b).item() == pytest.approx(random_dists(b, a).item(), abs=1e-5)


def test_dists_leads_back_to_the_picture(random_dists: Dists) -> None:
    a, b, _ = patterns()[:, :, :64, :64].split(1)
    a.requires_grad_()
    random_dists(a, b).sum().backward()
    assert a.grad.isfinite().all() and a.grad.any()


def test_missing_dists_weights_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="import-weights perceptual"):
        Dists.pretrained(tmp_path / "none.safetensors")


def test_statistics_see_a_mesh_the_more_the_stronger_it_is(lpips: Lpips) -> None:
    noise = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    picture = 0.5 * F.interpolate(noise, size=128, mode="bicubic")
    mesh = torch.zeros(128, 128)
    mesh[::4], mesh[:, ::4] = 1, 1
    seen = [
        statistics_distance(lpips, picture + amount * mesh, picture).item()
        for amount in (0, 0.02, 0.1)
    ]
    assert seen[0] == pytest.approx(0, abs=1e-3)
    assert seen[2] > 2 * seen[1] > 10 * abs(seen[0])
