"""StyleGAN2 against numbers worked out here: explicit sums in float64, from the raw checkpoint.

Nothing of what is tested takes part in the reference, which knows only the paper's formulas and the
official layout. The weights are random and small.
"""

import math
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from hsc.cli import main
from hsc.config import CodecConfig
from hsc.errors import WeightsError
from hsc.generators.backends import build_backend
from hsc.generators.pretrained import Generator, load_generator
from hsc.generators.stylegan2 import spec_of
from hsc.generators.stylegan2.exact_features import ExactSynthesis
from hsc.generators.stylegan2.synthesis import Synthesis
from hsc.numerics.exact import snap
from hsc.research.convert.stylegan2 import About, convert, import_checkpoint
from hsc.weights.model_id import model_of

CHANNELS = {4: 5, 8: 4, 16: 3}
DIM = 6
FILTER = np.array([1.0, 3.0, 3.0, 1.0]) / 8
ABOUT = About("tiny", "noise", licence="CC0-1.0", source="a test", feature_px=8)
ROUNDED = 1e-5
"""Weights are scaled in float32 when they are imported; all else here is in float64."""
State = dict[str, Tensor]


def official() -> State:
    """A checkpoint in the official layout, with random numbers in every tensor."""
    random = torch.Generator().manual_seed(3)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=random)

    state = {"mapping.w_avg": normal(DIM), "synthesis.b4.const": normal(CHANNELS[4], 4, 4)}
    for index in range(8):
        state[f"mapping.fc{index}.weight"] = 100 * normal(DIM, DIM)
        state[f"mapping.fc{index}.bias"] = 20 * normal(DIM)
    for px, count in CHANNELS.items():
        layers = {"conv1": count} if px == 4 else {"conv0": CHANNELS[px // 2], "conv1": count}
        for name, c_in in layers.items():
            layer = f"synthesis.b{px}.{name}"
            state[f"{layer}.weight"] = normal(count, c_in, 3, 3)
            state[f"{layer}.bias"] = normal(count)
            state[f"{layer}.noise_strength"] = normal(1)[0]
            state[f"{layer}.noise_const"] = normal(px, px)
            state[f"{layer}.affine.weight"] = normal(c_in, DIM)
            state[f"{layer}.affine.bias"] = 1 + 0.1 * normal(c_in)
            state[f"{layer}.resample_filter"] = torch.zeros(4, 4)
        rgb = f"synthesis.b{px}.torgb"
        state[f"{rgb}.weight"], state[f"{rgb}.bias"] = normal(3, count, 1, 1), normal(3)
        state[f"{rgb}.affine.weight"], state[f"{rgb}.affine.bias"] = (
            normal(count, DIM),
            normal(count),
        )
    return state


def rosinality(state: State) -> dict[str, object]:
    """The same generator as that port names and shapes it."""
    made = {"input.input": state["synthesis.b4.const"][None]}
    for index in range(8):
        for what in ("weight", "bias"):
            made[f"style.{index + 1}.{what}"] = state[f"mapping.fc{index}.{what}"]

    def styled(source: str, target: str, number: int) -> None:
        made[f"{target}.conv.weight"] = state[f"{source}.weight"][None]
        made[f"{target}.conv.modulation.weight"] = state[f"{source}.affine.weight"]
        made[f"{target}.conv.modulation.bias"] = state[f"{source}.affine.bias"]
        made[f"{target}.noise.weight"] = state[f"{source}.noise_strength"][None]
        made[f"{target}.activate.bias"] = state[f"{source}.bias"]
        made[f"noises.noise_{number}"] = state[f"{source}.noise_const"][None, None]

    def to_rgb(source: str, target: str) -> None:
        made[f"{target}.conv.weight"] = state[f"{source}.weight"][None]
        made[f"{target}.conv.modulation.weight"] = state[f"{source}.affine.weight"]
        made[f"{target}.conv.modulation.bias"] = state[f"{source}.affine.bias"]
        made[f"{target}.bias"] = state[f"{source}.bias"].reshape(1, 3, 1, 1)

    styled("synthesis.b4.conv1", "conv1", 0)
    to_rgb("synthesis.b4.torgb", "to_rgb1")
    for index, px in enumerate((8, 16)):
        styled(f"synthesis.b{px}.conv0", f"convs.{2 * index}", 2 * index + 1)
        styled(f"synthesis.b{px}.conv1", f"convs.{2 * index + 1}", 2 * index + 2)
        to_rgb(f"synthesis.b{px}.torgb", f"to_rgbs.{index}")
    return {"g_ema": made, "latent_avg": state["mapping.w_avg"], "g_optim": {"step": 3}}


class Reference:
    """The paper's generator of the official layout, in NumPy and float64, one sum at a time."""

    def __init__(self, state: State) -> None:
        self.state = {name: value.double().numpy() for name, value in state.items()}

    def mapping(self, z: np.ndarray, truncation: float) -> np.ndarray:
        w = z / math.sqrt(float(np.mean(z**2)) + 1e-8)
        for index in range(8):
            weight = self.state[f"mapping.fc{index}.weight"] * 0.01 / math.sqrt(DIM)
            w = weight @ w + 0.01 * self.state[f"mapping.fc{index}.bias"]
            w = np.where(w < 0, 0.2 * w, w) * math.sqrt(2)
        mean = self.state["mapping.w_avg"]
        return mean + truncation * (w - mean)

    def style(self, layer: str, w: np.ndarray) -> np.ndarray:
        weight = self.state[f"{layer}.affine.weight"] / math.sqrt(DIM)
        return weight @ w + self.state[f"{layer}.affine.bias"]

    def convolved(self, layer: str, x: np.ndarray, w: np.ndarray, up: bool) -> np.ndarray:
        """Modulated weights, each output pixel summed by hand."""
        weight = self.state[f"{layer}.weight"] * self.style(layer, w)[None, :, None, None]
        for out in range(len(weight)):
            weight[out] /= math.sqrt(float((weight[out] ** 2).sum()) + 1e-8)
        px = x.shape[1]
        if not up:
            result = np.zeros((len(weight), px, px))
            for o, row, column, k, m in product(range(len(weight)), *map(range, (px, px, 3, 3))):
                r, c = row + k - 1, column + m - 1
                if 0 <= r < px and 0 <= c < px:
                    result[o, row, column] += (weight[o, :, k, m] * x[:, r, c]).sum()
            return result
        # every pixel, set into the middle of zeros, spreads its kernel
        spread = np.zeros((len(weight), 2 * px + 1, 2 * px + 1))
        for o, row, column, k, m in product(range(len(weight)), *map(range, (px, px, 3, 3))):
            spread[o, 2 * row + k, 2 * column + m] += (weight[o, :, k, m] * x[:, row, column]).sum()
        return filtered(np.pad(spread, ((0, 0), (1, 1), (1, 1))))

    def styled(self, layer: str, x: np.ndarray, w: np.ndarray, up: bool = False) -> np.ndarray:
        y = self.convolved(layer, x, w, up)
        y += self.state[f"{layer}.noise_strength"] * self.state[f"{layer}.noise_const"]
        y += self.state[f"{layer}.bias"][:, None, None]
        return np.where(y < 0, 0.2 * y, y) * math.sqrt(2)

    def rgb(self, layer: str, x: np.ndarray, w: np.ndarray) -> np.ndarray:
        weight = self.state[f"{layer}.weight"][:, :, 0, 0] / math.sqrt(len(x))
        mixed = np.einsum("oc,chw->ohw", weight * self.style(layer, w), x)
        return mixed + self.state[f"{layer}.bias"][:, None, None]

    def synthesis(self, w_plus: np.ndarray) -> np.ndarray:
        x = self.styled("synthesis.b4.conv1", self.state["synthesis.b4.const"], w_plus[0])
        picture = self.rgb("synthesis.b4.torgb", x, w_plus[1])
        for index, px in enumerate((8, 16)):
            x = self.styled(f"synthesis.b{px}.conv0", x, w_plus[1 + 2 * index], up=True)
            x = self.styled(f"synthesis.b{px}.conv1", x, w_plus[2 + 2 * index])
            zeros = np.zeros((3, px, px))
            zeros[:, ::2, ::2] = picture
            picture = filtered(np.pad(zeros, ((0, 0), (2, 1), (2, 1))))
            picture = picture + self.rgb(f"synthesis.b{px}.torgb", x, w_plus[3 + 2 * index])
        return picture


def filtered(padded: np.ndarray) -> np.ndarray:
    """Four taps a side, with a gain of 4 for what was inserted."""
    px = padded.shape[1] - 3
    result = np.zeros((len(padded), px, px))
    for row, column, k, m in product(range(px), range(px), range(4), range(4)):
        result[:, row, column] += 4 * FILTER[k] * FILTER[m] * padded[:, row + k, column + m]
    return result


def latents(n: int = 1) -> Tensor:
    return torch.randn(n, 6, DIM, generator=torch.Generator().manual_seed(5), dtype=torch.float64)


@pytest.fixture(scope="module")
def networks() -> Generator:
    """Of the official checkpoint, in float64."""
    return generator_of(official())


def generator_of(checkpoint: dict) -> Generator:
    state, channels, style_dim = convert(checkpoint)
    spec = spec_of(channels, style_dim, "centre_crop", feature_px=8)
    from hsc.generators.registry import family

    made = []
    for prefix, network in (
        ("mapping.", family("stylegan2").mapping(spec)),
        ("synthesis.", family("stylegan2").synthesis(spec)),
    ):
        network.load_state_dict(
            {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
        )
        made.append(network.double().eval().requires_grad_(False))
    return Generator(*made)


def test_pictures_are_those_of_the_paper(networks: Generator) -> None:
    w_plus = latents()
    expected = Reference(official()).synthesis(w_plus[0].numpy())
    assert expected.std() > 0.3
    assert np.abs(networks.synthesis(w_plus)[0].numpy() - expected).max() < ROUNDED


@pytest.mark.parametrize("truncation", [1.0, 0.6, 0.0])
def test_w_and_its_truncation_are_those_of_the_paper(networks, truncation) -> None:
    z = torch.randn(1, DIM, generator=torch.Generator().manual_seed(7)).double()
    expected = Reference(official()).mapping(z[0].numpy(), truncation)
    assert np.abs(networks.mapping(z, truncation)[0].numpy() - expected).max() < ROUNDED


def test_both_layouts_hold_the_same_generator(networks: Generator) -> None:
    other = generator_of(rosinality(official()))
    w_plus = latents(2)
    assert torch.allclose(networks.synthesis(w_plus), other.synthesis(w_plus), atol=1e-9)
    z = torch.randn(2, DIM).double()
    assert torch.allclose(networks.mapping(z, 0.5), other.mapping(z, 0.5), atol=1e-9)


def test_a_mean_that_a_file_lacks_is_that_of_samples() -> None:
    checkpoint = rosinality(official())
    del checkpoint["latent_avg"]
    network = generator_of(checkpoint).mapping
    z = torch.randn(20_000, DIM, generator=torch.Generator().manual_seed(1)).double()
    assert (network(z).mean(0) - network.w_mean).abs().max() < 0.05 * network(z).std()


def test_a_picture_is_rendered_from_any_activation(networks: Generator) -> None:
    synthesis, w_plus = networks.synthesis, latents(2)
    whole = synthesis(w_plus)
    for px in (4, 8, 16):
        # F depends on the styles up to it alone, and all above on nothing but F and its own
        feature = synthesis.feature(w_plus[:, : synthesis.spec.styles_through(px)], px)
        assert feature.shape == (2, CHANNELS[px] + 3, px, px)
        later = torch.zeros_like(w_plus)
        later[:, synthesis.spec.styles_through(px) :] = w_plus[
            :, synthesis.spec.styles_through(px) :
        ]
        assert torch.allclose(synthesis.image(feature, later), whole, atol=1e-12)
    changed = synthesis.feature(w_plus)
    changed[:, -1] += 0.5
    assert not torch.allclose(synthesis.image(changed, w_plus), whole, atol=1e-3)


def test_exact_features_lie_on_a_grid_near_the_float_ones(networks: Generator) -> None:
    w_plus = snap(latents(2))
    assert isinstance(networks.synthesis, Synthesis)
    exact = ExactSynthesis(networks.synthesis, 8)
    found = exact.feature(w_plus)
    assert torch.equal(found, snap(found))
    expected = networks.synthesis.feature(w_plus, 8)
    assert (found - expected).square().mean() < 1e-4 * expected.square().mean()
    one_by_one = torch.cat([exact.feature(one) for one in w_plus.split(1)])
    assert torch.equal(found, one_by_one)


@pytest.mark.parametrize(("px", "styles"), [(256, 14), (512, 16), (1024, 18)])
def test_sizes_of_the_published_generators(px: int, styles: int) -> None:
    channels = {4 << n: min(512, 32768 // (4 << n)) for n in range(int(math.log2(px)) - 1)}
    spec = spec_of(channels, 512, "centre_crop")
    assert (spec.image_px, spec.feature_px, spec.styles) == (px, 32, styles)
    config = CodecConfig.around(spec, identity=False)
    assert (config.input_px, config.preview_exit_px, config.feedback_exit_px) == (256, 128, 64)
    assert (config.context_px, config.latent_px, config.components) == (16, 16, 256)


@pytest.mark.parametrize("layout", ["official", "rosinality"])
def test_import_makes_a_models_folder(tmp_path: Path, layout: str, networks: Generator) -> None:
    state = official()
    torch.save(state if layout == "official" else rosinality(state), tmp_path / "g.pt")
    words = ["--name", "hsc-tiny", "--shows", "noise", "--licence", "CC0-1.0", "--feature-px", "8"]
    out = tmp_path / "model"
    assert (
        main(["import-weights", "stylegan2", str(tmp_path / "g.pt"), *words, "--out", str(out)])
        == 0
    )
    model = model_of(out)
    assert (model.name, model.shows, model.licence) == ("hsc-tiny", "noise", "CC0-1.0")
    assert model.config.generator.w_plus_shape == (6, DIM) and not model.config.identity
    loaded = load_generator(folder=out)
    expected = networks.synthesis(latents()).float()
    for backend in ("reference", "float32"):
        drawn = build_backend(loaded.synthesis, backend)(latents().float())
        assert (drawn - expected).abs().max() < 0.02 * expected.abs().max()  # half precision


def test_what_is_no_generator_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "g.pt"
    torch.save({"weights": Path("code")}, path)
    with pytest.raises(WeightsError, match="holds code is not opened"):
        import_checkpoint(path, ABOUT, tmp_path / "model")
    torch.save({"conv.weight": torch.zeros(2)}, path)
    with pytest.raises(WeightsError, match="found neither"):
        import_checkpoint(path, ABOUT, tmp_path / "model")
    torch.save({k: v for k, v in official().items() if "fc7" not in k}, path)
    with pytest.raises(WeightsError, match="lacks 'mapping.fc7"):
        import_checkpoint(path, ABOUT, tmp_path / "model")
    torch.save(official() | {"synthesis.b8.conv0.bias": torch.zeros(9)}, path)
    with pytest.raises(WeightsError, match=r"blocks\.8\.conv0\.bias"):
        import_checkpoint(path, ABOUT, tmp_path / "model")
    with pytest.raises(WeightsError, match="found no file"):
        import_checkpoint(tmp_path / "none.pt", ABOUT, tmp_path / "model")
    assert not (tmp_path / "model").exists()
