"""Arithmetic that is the same everywhere, and bits that cost what training thinks they cost."""

import os
import subprocess
import sys

import pytest
import torch
from exact_digests import coders, digests
from generated import styles, synthesis
from paths import ROOT
from torch import Tensor, nn

from hsc.bitstream import Container
from hsc.bitstream.rans import encode_symbols
from hsc.config import SHIPPED
from hsc.generators.mobilestylegan.exact_features import ExactSynthesis
from hsc.inversion.encoder import InversionEncoder
from hsc.latent_codecs.feature_slices.model import FeatureCodec, Semantics
from hsc.latent_codecs.fine_styles import FineStyles
from hsc.latent_codecs.gains import log2_gain_at
from hsc.latent_codecs.gaussian import NUM_SCALES, bits, scale_index
from hsc.latent_codecs.styles_klt import SemanticCodec
from hsc.numerics.exact import (
    ACTIVATION_BITS,
    ACTIVATION_LIMIT,
    WEIGHT_BITS,
    WEIGHT_LIMIT,
    exact_copy,
    snap,
)
from hsc.types import Inversion
from hsc.weights.loading import load_into, path_of

LEVEL_SAMPLES = (1.0, 2.0, 3.5, 6.0)


@pytest.fixture(scope="module")
def inversion() -> Inversion:
    """What the encoder finds in a generated face, drawn small."""
    encoder = load_into(InversionEncoder(), path_of("inversion"))
    with torch.no_grad():
        picture = synthesis()(styles(5)).clamp(-1, 1)
        return encoder(nn.functional.avg_pool2d(picture, 4), synthesis())


@pytest.fixture(scope="module")
def layers() -> tuple[SemanticCodec, FeatureCodec, ExactSynthesis]:
    return coders()


@pytest.fixture(scope="module")
def scn(layers) -> SemanticCodec:
    return layers[0]


@pytest.fixture(scope="module")
def fcn(layers) -> FeatureCodec:
    return layers[1]


@pytest.fixture(scope="module")
def context(layers) -> ExactSynthesis:
    return layers[2]


def random(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def on_grid(x: Tensor, grid_bits: int = ACTIVATION_BITS, limit: float = ACTIVATION_LIMIT) -> bool:
    scaled = x * 2.0**grid_bits
    return (
        x.dtype == torch.float64
        and bool((scaled == scaled.round()).all())
        and bool(x.abs().max() <= limit)
    )


def test_snap() -> None:
    step = 2.0**-ACTIVATION_BITS
    x = torch.tensor([0.4, 0.5, 0.6, -0.4, -0.5, -0.6, 1.5], dtype=torch.float64) * step
    assert (snap(x) / step).tolist() == [0, 1, 1, 0, 0, -1, 2]  # halves go up, on both sides
    assert not torch.signbit(snap(x)[3])  # and -0 is 0: digests see the difference
    assert snap(torch.tensor([1e9, -1e9], dtype=torch.float64)).tolist() == [
        ACTIVATION_LIMIT, -ACTIVATION_LIMIT,
    ]  # fmt: skip


def test_convolutions_at_their_limits_are_sums_of_integers() -> None:
    # the largest layer, every number as large as it can be and as fine as it can be
    channels = 512
    conv = nn.Conv2d(channels, 2, 3)
    conv.weight.data.copy_(random(2, channels, 3, 3).sign() * WEIGHT_LIMIT)
    conv = exact_copy(conv)
    conv.weight -= random(2, channels, 3, 3, seed=1).sign() * 2.0**-WEIGHT_BITS
    x = random(1, channels, 3, 3, seed=2).sign() * (ACTIVATION_LIMIT - 2.0**-ACTIVATION_BITS)
    x = x * conv.weight[:1].sign()  # no cancellation: every term of the first sum is positive
    whole = (x * 2**ACTIVATION_BITS).long().flatten(1), (conv.weight * 2**WEIGHT_BITS).long()
    bias = (conv.bias * 2 ** (ACTIVATION_BITS + WEIGHT_BITS)).long()
    expected = (whole[1].flatten(1) * whole[0]).sum(1) + bias
    assert expected.abs().max() < 2**53
    found = conv(x).flatten() * 2 ** (ACTIVATION_BITS + WEIGHT_BITS)
    assert found.long().tolist() == expected.tolist()


def test_the_order_of_channels_does_not_matter() -> None:
    conv = exact_copy(nn.Conv2d(157, 8, 3, padding=1))
    shuffled = exact_copy(conv)
    order = torch.randperm(157, generator=torch.Generator().manual_seed(0))
    shuffled.weight.copy_(conv.weight[:, order])
    x = snap(100 * random(1, 157, 16, 16))
    assert torch.equal(snap(conv(x)), snap(shuffled(x[:, order])))


def test_the_order_of_components_does_not_matter(scn) -> None:
    order = torch.randperm(len(scn.g_a), generator=torch.Generator().manual_seed(0))
    other = SemanticCodec(len(order))
    other.load_state_dict(scn.state_dict())
    other.g_s.data.copy_(scn.g_s[:, order])
    other.log2_gain.data.copy_(scn.log2_gain[:, order])
    other.update(scn.exact.tables)
    symbols = (4 * random(len(order))).round().long()
    symbols[:3] = torch.tensor([2**15, -(2**15), 2**15])  # the worst that a stream can hold
    decoded = scn.dequantise(symbols, 4)
    assert on_grid(decoded)
    assert torch.equal(decoded, other.dequantise(symbols[order], 4))


@pytest.mark.parametrize("level", [3, 6])
def test_what_is_decoded_lies_on_grids(scn, fcn, context, inversion, level) -> None:
    w_plus_hat = scn.decompress(scn.compress(inversion.w_plus, level), level)
    feature = context.feature(w_plus_hat)
    assert on_grid(w_plus_hat) and on_grid(feature)
    y, more = fcn.latent(inversion.feature, inversion.feature_s, level)
    data = encode_symbols(*fcn.coder.quantise(y, feature, level, more), fcn.coder.tables)
    y_hat, _ = fcn.coder.decompress(data, feature, level)
    assert y_hat.shape == (1, 256 if level > 5 else 128, 16, 16) and on_grid(y_hat)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_exact_context_is_the_generators(seed) -> None:
    w_plus = styles(seed)
    exact = ExactSynthesis(synthesis()).feature(snap(w_plus.double()))
    plain = synthesis().feature(w_plus, SHIPPED.context_px).double()
    assert exact.shape == plain.shape
    assert (exact - plain).norm() < 0.03 * plain.norm()


def test_the_number_of_threads_does_not_matter(scn, fcn, context, inversion, tmp_path) -> None:
    layer = scn.compress(inversion.w_plus, 4)
    semantics = Semantics(inversion.feature_s, context.feature(scn.decompress(layer, 4)))
    path = tmp_path / "face.hsc"
    features = fcn.compress(inversion.feature, 4, semantics)
    path.write_bytes(Container(0, 4, layer, features).pack())
    here = digests(path.read_bytes(), scn, fcn, context)
    for threads in ("1", "2"):
        done = subprocess.run(
            [sys.executable, ROOT / "tests" / "support" / "exact_digests.py", path], check=False,
            env=os.environ | {"OMP_NUM_THREADS": threads, "PYTHONPATH": str(ROOT)},
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.stdout.strip() == str(here), done.stderr


def of_no_fine_styles(fine: FineStyles, level: float) -> float:
    """Bits of the zeros at the end of a layer."""
    log2_gain = log2_gain_at(fine.log2_gain, level)
    return bits(torch.zeros_like(log2_gain), log2_gain).sum().item()


@pytest.mark.parametrize("level", LEVEL_SAMPLES)
def test_semantics_cost_what_training_thinks(scn, inversion, level) -> None:
    layer = scn.compress(inversion.w_plus, level)
    with torch.no_grad():
        w_plus_hat, cost = scn(inversion.w_plus, level)
    estimate = (cost.item() + of_no_fine_styles(scn.fine, level)) / 8
    assert abs(len(layer) - estimate) <= 0.02 * estimate + 8
    decoded = scn.decompress(layer, level)
    # one symbol more or less would move styles a hundred times as far
    assert (decoded.float() - w_plus_hat).abs().max() < 2e-3


@pytest.mark.parametrize("level", LEVEL_SAMPLES)
def test_features_cost_what_training_thinks(scn, fcn, context, inversion, level) -> None:
    layer = scn.compress(inversion.w_plus, level)
    exact = scn.decompress(layer, level)
    w_plus_hat = exact.float()
    with torch.no_grad():
        feature_s = synthesis().feature(w_plus_hat)
        trained = Semantics(feature_s, synthesis().feature(w_plus_hat, SHIPPED.context_px))
        feature_hat, cost = fcn.code(inversion.feature, level, trained)
    semantics = Semantics(feature_s, context.feature(exact))
    data = fcn.compress(inversion.feature, level, semantics)
    estimate = (cost.item() + of_no_fine_styles(fcn.fine, level)) / 8
    assert abs(len(data) - estimate) <= 0.02 * estimate + 8
    # a few symbols lie so near to a half that float and exact means round them apart
    restored = fcn.decompress(data, level, semantics)
    coded = (feature_hat - feature_s).norm()
    assert (restored - feature_hat).norm() < 0.1 * coded


def test_bits_are_those_of_the_tables(fcn) -> None:
    tables = fcn.coder.tables
    assert len(tables) == NUM_SCALES
    for index in (8, 16, 24, 32):
        log2_scale = torch.tensor(-4 + index / 4, dtype=torch.float64)
        assert scale_index(log2_scale) == index
        for symbol in (0, 1, -1):
            place = symbol - tables.offsets[index]
            chance = (tables.cdfs[index][place + 1] - tables.cdfs[index][place]) / 2**16
            ideal = bits(torch.tensor(float(symbol)), log2_scale.float()).item()
            assert 2**-ideal == pytest.approx(chance, abs=3e-4)


def test_scales_out_of_range_take_the_last_table() -> None:
    scales = torch.tensor([-1e3, -4.2, 99.0], dtype=torch.float64)
    assert scale_index(scales).tolist() == [0, 0, NUM_SCALES - 1]
