"""Fine styles: of both layers, found by gradient steps, apart from S^ and F^."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from generated import face
from paths import stream

import hsc
from hsc.bitstream import unpack, with_layers
from hsc.config import CodecConfig
from hsc.inversion.distance import QUARTER, Drawn, KnownPictures
from hsc.inversion.fine_styles import FIRST_RATE, LimitedSteps
from hsc.latent_codecs.fine_styles import FineStyles
from hsc.latent_codecs.styles_klt import SemanticCodec
from hsc.metrics.lpips import Lpips


def test_each_layer_has_its_own_and_neither_is_part_of_what_the_other_is_coded_with(codec, file):
    whole, alone = codec.open(file), codec.open(file, "scn")
    assert whole.fine_s.any() and whole.fine.any()
    assert torch.equal(alone.fine_s, whole.fine_s) and alone.fine is None
    n = codec.networks
    exact = n.scn.decompress(unpack(file).scn, 3).float()
    first = n.fcn.fine.first
    assert whole.change[:, first:].any() and not whole.change[:, :first].any()
    assert torch.equal(whole.feature_s, n.synthesis.feature(exact))
    # those of S alone change its shape too, so what it is drawn from is not what F is coded with
    assert alone.change[:, :first].any()
    assert torch.equal(alone.feature, n.synthesis.feature(alone.w_plus))
    for opened in (whole, alone):
        torch.testing.assert_close(opened.semantics, exact, rtol=0, atol=1e-5)
    # drawn with the styles of the mean face, F has none
    assert codec.open(file, "fcn").change is None


def test_a_file_without_features_keeps_those_of_s_alone(codec, file):
    cut = codec.open(with_layers(file, "scn"))
    assert torch.equal(cut.fine_s, codec.open(file).fine_s)
    assert torch.equal(cut.w_plus, codec.open(file, "scn").w_plus)


@pytest.mark.parametrize("layers", ["scn", "scn+fcn"])
def test_with_them_a_picture_is_nearer_to_the_photograph(codec, found, file, layers):
    opened, encoder = codec.open(file, layers), codec.encoder
    known, refiner = encoder.known_picture(found.crop), encoder.refiner
    drawn = Drawn(refiner.renderer, known, opened.feature, opened.w_plus)
    if layers == "scn":
        drawn = Drawn(refiner.synthesis, known, None, opened.w_plus)
    with torch.no_grad():
        before, after = (float(drawn.distance(w)) for w in (opened.semantics, opened.w_plus))
    assert after < (0.85 if layers == "scn" else 0.97) * before


def test_they_take_few_bytes(codec, found, file):
    plain = codec.compress(replace(codec.encoder.correct(found, 3), fine=None, fine_s=None), 3)
    sizes = [[len(layer) for layer in (c.scn, c.fcn)] for c in map(unpack, (file, plain))]
    for more in np.subtract(*sizes):
        assert 0 < more < 60


def test_a_face_that_is_coded_again_keeps_them(codec, file):
    opened = codec.open(file)
    again = codec.open(codec.compress_edited(opened, {}, 3))
    assert torch.equal(again.fine, opened.fine) and torch.equal(again.fine_s, opened.fine_s)
    # S^ itself does not take them in
    apart = (again.semantics - opened.semantics).abs().mean()
    assert apart < 0.02 * opened.change.abs().mean()


def test_a_blend_is_drawn_with_a_blend_of_them(codec, file):
    a = codec.open(file)
    b = codec.open(stream("level3"))
    assert b.fine.any() and b.fine_s.any()
    half = codec.morph(a, b, 0.5)
    torch.testing.assert_close(half.fine, (a.fine + b.fine) / 2)
    torch.testing.assert_close(half.fine_s, (a.fine_s + b.fine_s) / 2)
    # what the styles are without them is half way too
    torch.testing.assert_close(half.semantics, (a.semantics + b.semantics) / 2, rtol=0, atol=1e-4)
    assert torch.equal(codec.mix(a, b, "middle").fine, a.fine)
    assert torch.equal(codec.mix(a, b, "fine").fine, b.fine)
    # of a face of semantics alone too, S is what it is without fine styles
    alone = codec.open(with_layers(file, "scn"))
    half = codec.morph(alone, b, 0.5)
    pure = (alone.semantics + b.semantics) / 2
    torch.testing.assert_close(half.semantics, pure, rtol=0, atol=1e-4)
    first = codec.networks.fcn.fine.first
    for layer, owner in (("middle", alone), ("fine", b)):
        mixed = codec.mix(alone, b, layer).semantics[:, first:]
        torch.testing.assert_close(mixed, owner.semantics[:, first:], rtol=0, atol=1e-4)


def test_a_model_without_them_has_none_in_its_weights_and_files():
    config = CodecConfig(hsc.config.FACE_1024)
    assert not FineStyles(config).state_dict()
    names = SemanticCodec(config=config).state_dict().keys()
    assert not [name for name in names if name.startswith("fine")]
    assert FineStyles(config).quantise(None, 3).size == 0


@pytest.fixture
def styles() -> FineStyles:
    """Whose second derivative usually is 4 in each of 64 components."""
    styles = FineStyles()
    styles.curvature.fill_(4.0)
    return styles


def after(styles: FineStyles, moved: torch.Tensor, changed: torch.Tensor) -> LimitedSteps:
    """What knows of one move, and the change of the gradient along it."""
    steps = LimitedSteps(styles)
    steps.learn(torch.zeros_like(moved), torch.ones_like(changed))
    steps.learn(moved, 1 + changed)
    return steps


def test_a_step_is_newtons_once_a_move_has_told_the_second_derivative(styles):
    y = torch.randn(1, 64)
    for curvature in (4.0, 40.0):  # of this picture's distance, y @ y * curvature / 2
        moved = torch.randn(1, 64)
        steps = after(styles, moved, curvature * moved)
        torch.testing.assert_close(steps.step(curvature * y, 1e9), -y, rtol=1e-4, atol=1e-4)
    # along the move itself also where the picture is less curved than usual
    torch.testing.assert_close(after(styles, y, y).step(y, 1e9), -y, rtol=1e-4, atol=1e-4)


def test_steps_are_limited_in_units_of_the_usual_curvature(styles):
    gradient = torch.randn(1, 64)
    blind = LimitedSteps(styles)
    torch.testing.assert_close(blind.step(gradient, 1e9), -FIRST_RATE * gradient / 4)
    for steps in (blind, after(styles, gradient, gradient)):
        step = steps.step(gradient, 0.1)
        assert (2 * step).norm() == pytest.approx(0.1, rel=1e-4) and (step * gradient).sum() < 0


def test_a_move_along_which_the_gradient_falls_teaches_nothing(styles):
    moved = torch.randn(1, 64)
    assert after(styles, moved, -moved).secant is None
    steps = after(styles, moved, moved)
    known = steps.secant
    steps.learn(2 * moved, torch.zeros(1, 64))
    assert torch.equal(steps.secant, known)


def test_the_correction_of_f_goes_on_with_them(codec, rendered_found):
    """Of a rendered face: on the astronaut they gain so little that the processor decides."""
    encoder, found = codec.encoder, rendered_found
    known = encoder.known_picture(found.crop)
    assert found.secant is not None
    assert torch.equal(encoder.correct(found, 1).fine, found.fine)  # there is no correction

    def distance(latents) -> float:
        opened = codec.open(codec.compress(latents, 2))
        with torch.no_grad():
            drawn = Drawn(encoder.refiner.renderer, known, opened.feature, opened.w_plus)
            return float(drawn.distance())

    stayed = encoder.correct(replace(found, secant=None), 2)
    assert torch.equal(stayed.fine, found.fine)
    assert distance(encoder.correct(found, 2)) < 0.99 * distance(stayed)


def test_those_of_s_alone_make_up_for_what_a_level_rounds(codec, found):
    encoder, styles = codec.encoder, codec.networks.scn.fine
    known = encoder.known_picture(found.crop)

    def distance(latents) -> float:
        w_plus = codec.open(codec.compress(latents, 1), "scn").semantics
        drawn = Drawn(encoder.refiner.synthesis, known, None, w_plus)
        with torch.no_grad():
            return float(drawn.distance(styles.add(w_plus, latents.fine_s), QUARTER))

    assert found.secant_s is not None
    stayed = encoder.correct(replace(found, secant_s=None), 1)
    assert torch.equal(stayed.fine_s, found.fine_s)
    assert distance(encoder.correct(found, 1)) < 0.98 * distance(stayed)


@pytest.mark.parametrize("times", [1, 2, 4])
def test_at_each_size_a_photograph_is_nearest_to_itself(times):
    picture = face(5)
    known = KnownPictures.of(picture, [1024], Lpips.pretrained())
    small = torch.nn.functional.avg_pool2d(picture, times)
    with torch.no_grad():
        assert float(known.distance(small)) < 1e-3 < float(known.distance(small.flip(-1)))


def test_a_model_without_them_corrects_f_alone(codec, found, monkeypatch):
    encoder = codec.encoder
    plain = encoder.correct(replace(found, fine=None), 3)
    none = FineStyles(CodecConfig(hsc.config.FACE_1024))
    monkeypatch.setitem(codec.networks.fcn._modules, "fine", none)
    without = encoder.correct(replace(found, fine=found.w_plus.new_zeros(1, 0), secant=None), 3)
    assert without.fine.shape == (1, 0) and torch.equal(without.feature, plain.feature)
