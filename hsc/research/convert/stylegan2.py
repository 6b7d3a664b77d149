"""``hsc import-weights stylegan2 FILE``: a model's folder out of somebody's StyleGAN2 checkpoint.

Two layouts are known, both read with ``weights_only=True``, so that a file runs no code:

- *official*: the state dict of ``G_ema`` of the StyleGAN2-ADA or StyleGAN3 repositories, whose own
  files are pickles of code and must be exported where that code is;
- *rosinality*: the ``.pt`` of that PyTorch port, with the generator under ``g_ema``.

Both keep weights that are scaled at run time; here they are stored as they are used.
"""

import math
import pickle
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from hsc.config import CodecConfig
from hsc.domains import domain
from hsc.errors import HscError, WeightsError
from hsc.generators.mapping import LAYERS
from hsc.generators.mapping import Mapping as MappingNetwork
from hsc.generators.stylegan2 import spec_of
from hsc.generators.stylegan2.synthesis import Synthesis
from hsc.weights.loading import save_weights
from hsc.weights.model_id import ASSETS, Model, path_of

OFFICIAL, ROSINALITY = "official", "rosinality"
MAPPING_RATE = 0.01
"""Of the mapping network's layers beside the others: their weights are stored so much larger."""
W_MEAN_SAMPLES = 10_000
EXPORT = (
    "in its own environment run `torch.save(G_ema.state_dict(), 'generator.pt')` and import that"
)
State = dict[str, Tensor]


@dataclass(frozen=True)
class About:
    """What a checkpoint does not say of itself.

    Attributes:
        name: of the model: letters, digits, - and _.
        shows: what its pictures show: ``cats``.
        domain: how photos are aligned, a key of ``hsc.domains``.
        licence, source: of the weights.
        feature_px: resolution of F; None: 32, or a quarter of a small picture's side.
        noun: what one picture shows: ``cat``; "": as the domain calls it.
    """

    name: str
    shows: str
    domain: str = "centre_crop"
    licence: str = "unknown"
    source: str = "unknown"
    feature_px: int | None = None
    noun: str = ""

    def check(self) -> None:
        """Raise HscError for a name that files cannot have, WeightsError for no such domain."""
        if not re.fullmatch(r"[A-Za-z0-9_-]+", self.name):
            raise HscError(f"expected a name of letters, digits, - and _, got {self.name!r}.")
        domain(self.domain)


def import_checkpoint(path: Path, about: About, out: Path) -> Model:
    """Convert a checkpoint and write the folder of a model that has its generator only.

    Args:
        path: in one of the two layouts.
        out: the folder; made if need be.

    Returns:
        The model, to be trained by ``hsc train domain``.

    Raises:
        WeightsError: the file is no generator of StyleGAN2, config F. HscError: as ``About.check``.
    """
    about.check()
    state, channels, style_dim = convert(read_checkpoint(path))
    spec = spec_of(channels, style_dim, about.domain, about.feature_px)
    model = Model(
        about.name,
        about.shows,
        about.licence,
        about.source,
        CodecConfig.around(spec, identity=domain(about.domain).has_identity),
        about.noun,
    )
    save_model(state, model, out)
    if model.config.identity:  # the encoder's recogniser belongs to the model
        shutil.copy2(path_of("identity", ASSETS), path_of("identity", out))
    return model


def save_model(state: State, model: Model, folder: Path) -> None:
    """Write a generator's tensors and ``model.json``.

    Raises:
        WeightsError: the tensors are not those of such a generator.
    """
    spec = model.config.generator
    for prefix, network in (("mapping.", MappingNetwork(spec)), ("synthesis.", Synthesis(spec))):
        own = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
        try:
            network.load_state_dict(own)
        except RuntimeError as error:
            raise WeightsError(
                f"expected a generator of StyleGAN2, config F, of {spec.image_px} px, found other "
                f"tensors: {str(error).splitlines()[-1].strip()}"
            ) from error
    folder.mkdir(parents=True, exist_ok=True)
    save_weights(
        state,
        path_of("generator", folder),
        model.config,
        {"source": model.source, "licence": model.licence},
        keep=("mapping.w_mean",),  # every latent is an offset from it
    )
    model.save(folder)


def read_checkpoint(path: Path) -> Mapping[str, Any]:
    """The contents of a checkpoint, without running code of it.

    Raises:
        WeightsError: it cannot be read so.
    """
    if not path.is_file():
        raise WeightsError(f"expected a checkpoint at {path}, found no file: check the path.")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, SafetensorError, RuntimeError, EOFError, ValueError) as error:
        raise WeightsError(
            f"expected tensors only in {path.name}, found something else: a checkpoint that holds "
            f"code is not opened; {EXPORT}."
        ) from error
    if not isinstance(found, Mapping):
        raise WeightsError(f"expected a state dict in {path.name}: {EXPORT}.")
    return found


def convert(checkpoint: Mapping[str, Any]) -> tuple[State, dict[int, int], int]:
    """A checkpoint's tensors under our names, the channels at each resolution, and style_dim.

    Raises:
        WeightsError: it has neither layout.
    """
    for key in ("g_ema", "G_ema"):
        inner = checkpoint.get(key)
        if isinstance(inner, Mapping):
            mean = checkpoint.get("latent_avg")
            checkpoint = dict(inner) | ({} if mean is None else {"latent_avg": mean})
            break
    tensors = {k: v.detach().float() for k, v in checkpoint.items() if isinstance(v, Tensor)}
    try:
        if "synthesis.b4.const" in tensors:
            return _official(tensors)
        if "input.input" in tensors:
            return _rosinality(tensors)
    except (KeyError, ValueError) as error:
        raise WeightsError(
            f"expected a generator of StyleGAN2, config F, with skips to RGB and {LAYERS} layers "
            f"of mapping, the checkpoint lacks {error}."
        ) from error
    raise WeightsError(
        "expected a state dict of StyleGAN2's generator, with a tensor synthesis.b4.const "
        f"(official) or input.input (rosinality), found neither: {EXPORT}."
    )


def _official(tensors: State) -> tuple[State, dict[int, int], int]:
    sizes = sorted(
        int(found[1])
        for name in tensors
        if (found := re.fullmatch(r"synthesis\.b(\d+)\.conv1\.weight", name))
    )
    channels = {px: len(tensors[f"synthesis.b{px}.conv1.weight"]) for px in sizes}
    state: State = {}
    style_dim = len(tensors["mapping.w_avg"])
    if "mapping.embed.weight" in tensors:
        raise ValueError("a generator without classes")
    for index in range(LAYERS):
        gain = MAPPING_RATE / math.sqrt(tensors[f"mapping.fc{index}.weight"].shape[1])
        _put(state, f"mapping.layers.{index}", tensors, f"mapping.fc{index}", gain, MAPPING_RATE)
    state["mapping.w_mean"] = tensors["mapping.w_avg"]
    state["synthesis.const"] = tensors["synthesis.b4.const"][None]

    def styled(source: str, target: str) -> None:
        _put(state, f"{target}.conv.affine", tensors, f"{source}.affine", style_dim**-0.5)
        state[f"{target}.conv.weight"] = tensors[f"{source}.weight"]
        state[f"{target}.bias"] = tensors[f"{source}.bias"]
        state[f"{target}.strength"] = tensors[f"{source}.noise_strength"].reshape(())
        state[f"{target}.noise"] = tensors[f"{source}.noise_const"][None, None]

    def to_rgb(source: str, target: str) -> None:
        _put(state, f"{target}.conv.affine", tensors, f"{source}.affine", style_dim**-0.5)
        weight = tensors[f"{source}.weight"]
        state[f"{target}.conv.weight"] = weight * weight.shape[1] ** -0.5
        state[f"{target}.bias"] = tensors[f"{source}.bias"]

    styled("synthesis.b4.conv1", "synthesis.conv1")
    for px in sizes[1:]:
        block = f"synthesis.blocks.{px}"
        to_rgb(f"synthesis.b{px // 2}.torgb", f"{block}.to_rgb")
        for conv in ("conv0", "conv1"):
            styled(f"synthesis.b{px}.{conv}", f"{block}.{conv}")
    to_rgb(f"synthesis.b{sizes[-1]}.torgb", "synthesis.to_rgb")
    return state, channels, style_dim


def _rosinality(tensors: State) -> tuple[State, dict[int, int], int]:
    blocks = 1 + max(
        int(found[1]) for name in tensors if (found := re.fullmatch(r"to_rgbs\.(\d+)\.bias", name))
    )
    channels = {4: tensors["conv1.conv.weight"].shape[1]}
    state: State = {}
    style_dim = tensors["style.1.weight"].shape[0]
    for index in range(LAYERS):
        gain = MAPPING_RATE / math.sqrt(tensors[f"style.{index + 1}.weight"].shape[1])
        _put(state, f"mapping.layers.{index}", tensors, f"style.{index + 1}", gain, MAPPING_RATE)
    state["synthesis.const"] = tensors["input.input"]

    def styled(source: str, target: str, noise: int) -> None:
        affine = f"{source}.conv.modulation"
        _put(state, f"{target}.conv.affine", tensors, affine, style_dim**-0.5)
        state[f"{target}.conv.weight"] = tensors[f"{source}.conv.weight"][0]
        state[f"{target}.bias"] = tensors[f"{source}.activate.bias"]
        state[f"{target}.strength"] = tensors[f"{source}.noise.weight"].reshape(())
        state[f"{target}.noise"] = tensors[f"noises.noise_{noise}"]

    def to_rgb(source: str, target: str) -> None:
        affine = f"{source}.conv.modulation"
        _put(state, f"{target}.conv.affine", tensors, affine, style_dim**-0.5)
        weight = tensors[f"{source}.conv.weight"][0]
        state[f"{target}.conv.weight"] = weight * weight.shape[1] ** -0.5
        state[f"{target}.bias"] = tensors[f"{source}.bias"].flatten()

    styled("conv1", "synthesis.conv1", 0)
    for index in range(blocks):
        px = 8 * 2**index
        channels[px] = tensors[f"convs.{2 * index}.conv.weight"].shape[1]
        block = f"synthesis.blocks.{px}"
        to_rgb("to_rgb1" if index == 0 else f"to_rgbs.{index - 1}", f"{block}.to_rgb")
        for number, conv in enumerate(("conv0", "conv1")):
            styled(f"convs.{2 * index + number}", f"{block}.{conv}", 2 * index + 1 + number)
    to_rgb(f"to_rgbs.{blocks - 1}", "synthesis.to_rgb")
    if "latent_avg" in tensors:
        state["mapping.w_mean"] = tensors["latent_avg"].reshape(-1)
    else:  # not every such file has it: the mean of w over samples
        state["mapping.w_mean"] = _mean_of_w(state, style_dim, channels)
    return state, channels, style_dim


def _put(
    state: State, target: str, tensors: State, source: str, gain: float, bias_gain: float = 1.0
) -> None:
    """A linear layer with its scales at run time folded in."""
    state[f"{target}.weight"] = tensors[f"{source}.weight"] * gain
    state[f"{target}.bias"] = tensors[f"{source}.bias"] * bias_gain


@torch.no_grad()
def _mean_of_w(state: State, style_dim: int, channels: dict[int, int]) -> Tensor:
    network = MappingNetwork(spec_of(channels, style_dim, "centre_crop"))
    own = {k.removeprefix("mapping."): v for k, v in state.items() if k.startswith("mapping.")}
    network.load_state_dict(own | {"w_mean": torch.zeros(style_dim)})
    z = torch.randn(W_MEAN_SAMPLES, style_dim, generator=torch.Generator().manual_seed(0))
    w: Tensor = network(z)
    return w.mean(0)
