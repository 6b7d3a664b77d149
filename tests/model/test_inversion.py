"""The encoder's looks at its own pictures: with the shipped weights each must pay."""

import copy

import pytest
import torch
from generated import face, to_pil
from PIL import Image
from torch import Tensor

from hsc.codec import Codec
from hsc.generators.exits import render_exit
from hsc.inversion import encoder as gie
from hsc.metrics.picture import psnr
from hsc.weights.loading import ASSETS

PEOPLE = ("astronaut", 5, 9)


def picture(codec: Codec, person: str | int) -> Tensor:
    """What the encoder sees: (1, 3, 256, 256)."""
    if person == "astronaut":
        with Image.open(ASSETS.parent / "examples" / "astronaut" / "crop.webp") as image:
            crop = image.convert("RGB").resize((1024, 1024))
    else:
        crop = to_pil(face(person))
    return codec.encoder.small(crop)


@pytest.fixture(scope="module", params=PEOPLE)
def image(codec: Codec, request: pytest.FixtureRequest) -> Tensor:
    return picture(codec, request.param)


@torch.no_grad()
def test_s_that_was_looked_at_is_more_like_the_person(codec, image) -> None:
    n = codec.networks
    away = []
    for self_renderer in (None, n.self_renderer):
        found = n.encoder(image, n.generator, self_renderer)
        drawn = n.self_renderer.render(n.generator, found.feature_s, found.w_plus)
        away.append(
            (n.self_renderer.describe(drawn) - n.self_renderer.describe(image)).norm().item()
        )
    assert away[1] < away[0]


@torch.no_grad()
def test_every_look_at_f_brings_it_nearer(codec, image, monkeypatch) -> None:
    n = codec.networks
    near = []
    for looks in (0, 1, gie.FEEDBACK_STEPS):
        monkeypatch.setattr(gie, "FEEDBACK_STEPS", looks)
        found = n.encoder(image, n.generator, n.self_renderer)
        drawn = render_exit(n.generator, n.preview, found.feature, found.w_plus)
        near.append(psnr(drawn.clamp(-1, 1), image).item())
    assert near == sorted(near)


def test_the_looks_see_nothing_but_the_picture(codec, image) -> None:
    """Encoding the same picture twice gives the same file, whatever was encoded between."""
    n = codec.networks
    with torch.no_grad():
        first = n.encoder(image, n.generator, n.self_renderer)
        n.encoder(image.flip(3), n.generator, n.self_renderer)
        again = n.encoder(image, n.generator, n.self_renderer)
    assert torch.equal(first.w_plus, again.w_plus) and torch.equal(first.feature, again.feature)


@torch.no_grad()
def test_what_only_512_px_show_reaches_f_and_leaves_s(codec) -> None:
    """The way from the detail stem to F, with weights that make it loud."""
    n = codec.networks
    encoder = copy.deepcopy(n.encoder)
    for layer in (encoder.feature_head.detail, encoder.feature_feedback.detail):
        torch.nn.init.normal_(layer.weight, generator=torch.Generator().manual_seed(0))
    plain = torch.nn.functional.interpolate(picture(codec, "astronaut"), size=512, mode="bicubic")
    board = torch.ones(512, 512)
    board[::2] *= -1
    board[:, ::2] *= -1  # each 2 x 2 pixels of it have the mean 0
    fine = plain + 0.1 * board
    first, second = (encoder(x, n.generator, n.self_renderer) for x in (plain, fine))
    assert torch.allclose(first.w_plus, second.w_plus, atol=1e-4)
    moved = (second.feature - first.feature) / encoder.feature_head.feature_std[:, None, None]
    assert moved.abs().mean() > 0.003


def test_pictures_of_any_size_are_brought_to_what_each_part_sees() -> None:
    large = torch.rand(1, 3, 512, 512)
    assert gie.resized(large, 512) is large
    assert torch.equal(gie.resized(large, 256), torch.nn.functional.avg_pool2d(large, 2))
    assert gie.resized(large[..., :256, :256], 512).shape == large.shape
