"""The enhancement slice: what it holds, and that everything else stays what it is."""

from dataclasses import replace

import pytest
import torch
from paths import STREAMS

from hsc.bitstream import unpack
from hsc.codec import Codec
from hsc.images.tensors import to_tensor
from hsc.latent_codecs.feature_slices.enhancement import base_level
from hsc.metrics.lpips import Lpips
from hsc.types import Inversion


@pytest.fixture(scope="module")
def found(rendered_found: Inversion) -> Inversion:
    return rendered_found


@pytest.fixture(scope="module")
def corrected(codec: Codec, found: Inversion) -> Inversion:
    """For a file of level 6."""
    return codec.encoder.correct(found, 6)


def test_the_level_of_base_slices() -> None:
    assert [base_level(level) for level in (1, 3.5, 5)] == [1, 3.5, 5]
    assert [base_level(level) for level in (5.02, 6)] == [5, 5]


@pytest.mark.parametrize(("level", "channels"), [("5", 128), ("5.5", 256), ("6", 256)])
def test_the_upper_levels_have_it(codec: Codec, level: str, channels: int) -> None:
    container = unpack((STREAMS / f"level{level}.hsc").read_bytes())
    n = codec.networks
    context = n.context.feature(n.scn.decompress(container.scn, container.level))
    assert container.fcn is not None
    y_hat, _ = n.fcn.coder.decompress(container.fcn, context, container.level)
    assert y_hat.shape == (1, channels, 16, 16)
    assert channels == 128 or y_hat[:, 128:].any()


def test_what_an_encoder_finds_is_not_coded(codec: Codec, found: Inversion) -> None:
    fcn = codec.networks.fcn
    w_plus_hat = found.w_plus
    semantics = codec.networks.semantics(w_plus_hat.double(), found.feature_s)
    known = replace(semantics, context=semantics.context.float())
    empty = fcn.without_enhancement(found.feature, 6, known)
    y, more = fcn.latent(empty, found.feature_s, 6)
    assert more is not None
    with torch.no_grad():
        base, _ = fcn.base_hat(empty, 6, known)
        assert more(base).abs().max() < 0.05  # of a quantiser step of 0.9
        _, natural = fcn.latent(found.feature, found.feature_s, 6)
        assert natural is not None and natural(base).abs().mean() > 0.1
    # the base slices do not see the difference
    assert torch.allclose(fcn.latent(found.feature, found.feature_s, 6)[0], y, atol=0.05)


def test_training_and_files_agree(codec: Codec, corrected: Inversion) -> None:
    """F^ of the differentiable walk is that of the file."""
    level, n = 6.0, codec.networks
    assert corrected.enhanced and corrected.crop is None
    data = codec.compress(corrected, level)
    opened = codec.open(data)
    exact = n.scn.decompress(unpack(data).scn, level)
    semantics = n.semantics(exact, opened.feature_s)
    with torch.no_grad():
        semantics = replace(semantics, context=semantics.context.float())
        feature_hat, bits = n.fcn.code(corrected.feature, level, semantics)
    # a few symbols lie so near to a half that float and exact means round them apart
    coded = (feature_hat - opened.feature_s).norm()
    assert (opened.feature - feature_hat).norm() < 0.1 * coded
    assert float(bits) / 8 == pytest.approx(len(unpack(data).fcn or b""), rel=0.03)


@pytest.mark.parametrize("level", [3, 6])
def test_an_opened_file_coded_again_is_the_same_picture(
    codec: Codec, found: Inversion, corrected: Inversion, level: float
) -> None:
    data = codec.compress(corrected if level == 6 else found, level)
    opened = codec.open(data)
    again = codec.compress_edited(opened, {}, level)
    assert len(again) == pytest.approx(len(data), rel=0.1)
    lpips = Lpips.pretrained()
    one, other = (to_tensor(codec.decode(each), codec.device) for each in (data, again))
    with torch.no_grad():
        assert lpips(one, other).item() < 0.08
