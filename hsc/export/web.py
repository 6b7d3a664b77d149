"""The receiver that runs in a browser: the decoder as ONNX graphs and one table of weights.

What must be the same bits everywhere (SCN, the prior of FCN) is not a graph: JavaScript computes
it in float64 from ``latents.safetensors``. The graphs take over where floats may differ in their
last bit: G_F, g_s of FCN, g_a of both layers, how detail follows an edit, and the rendering.
"""

import copy
import hashlib
import importlib.util
import json
import shutil
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.utils.parametrize import register_parametrization

from hsc.editing.apply import carry_detail
from hsc.editing.skin import Skin
from hsc.errors import HscError
from hsc.generators.base import SynthesisNetwork
from hsc.generators.exits import ExitHead, render_exit
from hsc.latent_codecs.feature_slices.model import FeatureCodec
from hsc.latent_codecs.styles_klt import SemanticCodec
from hsc.networks import load_networks
from hsc.paths import RECEIVER, SHIPPED
from hsc.weights.model_id import DECODER_FILES, FINETUNED, file_hash, model_id, path_of

OPSET = 17
EXAMPLE = SHIPPED / "examples" / "astronaut" / "face.hsc"
SERVICE_WORKER = "sw.js"
NOT_CACHED = {SERVICE_WORKER, "runtime.json", "worker.js.LEGAL.txt", "app.js.LEGAL.txt"}
MANIFEST = "manifest.json"
SOURCES = (*DECODER_FILES, FINETUNED, "preview", "edits")
"""Weight files that the receiver's weights are made from."""
LATENTS = "latents.safetensors"
EDITS = "edits.safetensors"
CONTEXT = ("synthesis.const", "synthesis.conv1.", "synthesis.blocks.8.", "synthesis.blocks.16.")
"""Tensors of the generator that G_16(S^) is computed from."""


class HalfWeight(nn.Module):
    """A parametrization: the weight is stored in half precision and computed with in float32."""

    def forward(self, stored: Tensor) -> Tensor:
        return stored.float()


def with_half_weights(network: nn.Module) -> nn.Module:
    """A copy of a network that stores its weights in half precision."""
    network = copy.deepcopy(network)
    for module in list(network.modules()):
        for name, weight in list(module.named_parameters(recurse=False)):
            setattr(module, name, nn.Parameter(weight.detach().half(), requires_grad=False))
            register_parametrization(module, name, HalfWeight(), unsafe=True)
    return network


class Features(nn.Module):
    """G_F: w+ (1, 23, 512) -> (1, 512, 32, 32). The exporter drops the blocks that do not run."""

    def __init__(self, synthesis: SynthesisNetwork) -> None:
        super().__init__()
        self.synthesis = synthesis

    def forward(self, w_plus: Tensor) -> Tensor:
        return self.synthesis.feature(w_plus)


class Restore(nn.Module):
    """g_s: y_hat (1, 128, 16, 16), F_S (1, 512, 32, 32) and the level (1,) -> F^."""

    def __init__(self, codec: FeatureCodec) -> None:
        super().__init__()
        self.g_s = codec.g_s
        self.std: Tensor
        self.register_buffer("std", codec.feature_std[:, None, None])

    def forward(self, y_hat: Tensor, feature_s: Tensor, level: Tensor) -> Tensor:
        restored = self.g_s(y_hat, feature_s / self.std, level)
        return feature_s + self.std * restored


class EncodeStyles(nn.Module):
    """g_a of SCN: w+ (1, 23, 512) -> y (1, 256)."""

    def __init__(self, codec: SemanticCodec) -> None:
        super().__init__()
        self.g_a, self.mean = codec.g_a, codec.mean

    def forward(self, w_plus: Tensor) -> Tensor:
        return (w_plus - self.mean).flatten(1) @ self.g_a.T


class EncodeFeatures(nn.Module):
    """g_a of FCN: F and F_S (1, 512, 32, 32), and the level (1,) -> y (1, 128, 16, 16)."""

    def __init__(self, codec: FeatureCodec) -> None:
        super().__init__()
        self.g_a = codec.g_a
        self.std: Tensor
        self.register_buffer("std", codec.feature_std[:, None, None])

    def forward(self, feature: Tensor, feature_s: Tensor, level: Tensor) -> Tensor:
        y: Tensor = self.g_a((feature - feature_s) / self.std, feature_s / self.std, level)
        return y


class Render(nn.Module):
    """F (1, 512, 32, 32) and w+ (1, 23, 512) -> the picture, (1, 3, 1024, 1024) in [-1, 1]."""

    def __init__(self, synthesis: SynthesisNetwork) -> None:
        super().__init__()
        self.synthesis = synthesis

    def forward(self, feature: Tensor, w_plus: Tensor) -> Tensor:
        return self.synthesis.image(feature, w_plus)


class Preview(nn.Module):
    """F and w+ -> a likeness of the picture, (1, 3, 256, 256)."""

    def __init__(self, synthesis: SynthesisNetwork, head: ExitHead) -> None:
        super().__init__()
        self.synthesis, self.head = synthesis, head

    def forward(self, feature: Tensor, w_plus: Tensor) -> Tensor:
        return render_exit(self.synthesis, self.head, feature, w_plus)


class Carry(nn.Module):
    """What detail becomes under an edit: :func:`hsc.editing.apply.carry_detail`, in units of F."""

    def __init__(self, std: Tensor) -> None:
        super().__init__()
        self.std: Tensor
        self.register_buffer("std", std[:, None, None])

    def forward(self, detail: Tensor, before: Tensor, after: Tensor, change: Tensor) -> Tensor:
        return carry_detail(detail, before / self.std, after / self.std, change)


class KeepSkin(nn.Module):
    """The edited F with the colour that the skin had: :meth:`hsc.editing.skin.Skin.restore`."""

    def __init__(self, synthesis: SynthesisNetwork, skin: Skin) -> None:
        super().__init__()
        self.synthesis, self.skin = synthesis, skin

    def forward(
        self, feature: Tensor, w_plus: Tensor, edited: Tensor, edited_w_plus: Tensor
    ) -> Tensor:
        return self.skin.restore(self.synthesis, (feature, w_plus), (edited, edited_w_plus))


@dataclass(frozen=True)
class Graph:
    """One ONNX file: the network, example inputs by name, and the output's name."""

    network: nn.Module
    inputs: Mapping[str, Tensor]
    output: str


def graphs(folder: Path | None = None) -> dict[str, Graph]:
    """The graphs by file name.

    ``render`` and ``preview`` are for files with a feature map. Where the weights have finetuned
    blocks, which render only those, ``render_semantics`` and ``preview_semantics`` are for files of
    semantics alone. ``skin`` is always the generator's own, as in :class:`hsc.decoder.Decoder`.
    """
    n = load_networks(torch.device("cpu"), folder, "reference")
    if n.preview is None:
        raise HscError("expected the preview exit among the weights, found none.")
    w_plus = torch.zeros(1, *n.config.generator.w_plus_shape)
    feature_s = n.generator.feature(w_plus)
    y_hat = torch.zeros(1, n.config.latent_channels, n.config.latent_px, n.config.latent_px)
    pair = {"feature": feature_s, "w_plus": w_plus}
    both = pair | {"edited": feature_s, "edited_w_plus": w_plus}
    carried = dict.fromkeys(("detail", "before", "after"), feature_s)
    level = {"level": torch.ones(1)}
    result = {
        "features": Graph(Features(n.generator), {"w_plus": w_plus}, "feature_s"),
        "restore": Graph(
            Restore(n.fcn), {"y_hat": y_hat, "feature_s": feature_s} | level, "feature"
        ),
        "encode_styles": Graph(EncodeStyles(n.scn), {"w_plus": w_plus}, "y"),
        "encode_features": Graph(
            EncodeFeatures(n.fcn), {"feature": feature_s, "feature_s": feature_s} | level, "y"
        ),
        "carry": Graph(Carry(n.fcn.feature_std), carried | {"change": torch.ones(1)}, "carried"),
    }
    assert isinstance(n.renderer, SynthesisNetwork)  # the reference backend is the network itself
    own_render = Graph(Render(n.generator), pair, "picture")
    own_preview = Graph(Preview(n.generator, n.preview), pair, "picture")
    result["render"], result["preview"] = own_render, own_preview
    if n.renderer is not n.generator:
        result["render"] = Graph(Render(n.renderer), pair, "picture")
        result["render_semantics"] = own_render
    if n.renderer_preview is not None:
        result["preview"] = Graph(Preview(n.renderer, n.renderer_preview), pair, "picture")
        result["preview_semantics"] = own_preview
    if n.edits.skin:
        result["skin"] = Graph(KeepSkin(n.generator, n.edits.skin), both, "kept")
    return result


@torch.no_grad()
def write_graph(graph: Graph, path: Path) -> None:
    """Write one network, its weights in half precision."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # sizes are the same always: the tracer need not warn
        _export(graph, path)


def _export(graph: Graph, path: Path) -> None:
    torch.onnx.export(
        with_half_weights(graph.network),
        tuple(graph.inputs.values()),
        str(path),
        input_names=list(graph.inputs),
        output_names=[graph.output],
        opset_version=OPSET,
        do_constant_folding=False,
        dynamo=False,
    )


def write_latents(path: Path, folder: Path | None = None) -> None:
    """Write what decodes symbols: SCN's g_s, FCN's prior, G up to 16 px and the tables."""
    generator, fcn, scn, tables = (
        load_file(path_of(name, folder)) for name in ("generator", "fcn", "scn", "entropy")
    )
    chosen = {f"scn.{k}": scn[k] for k in ("g_s", "mean", "log2_gain")}
    prior = {k: v for k, v in fcn.items() if k.startswith(("prior.", "log2_gain", "feature_std"))}
    chosen |= {f"fcn.{k}": v for k, v in prior.items()}
    chosen |= {k: v for k, v in generator.items() if k.startswith(CONTEXT)}
    chosen |= {f"tables.{k}": v for k, v in tables.items()}
    save_file({k: v.contiguous() for k, v in chosen.items()}, path)


def write_weights(out: Path, folder: Path | None = None) -> None:
    """Write graphs, tables and a manifest of their hashes into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    for name, graph in graphs(folder).items():
        write_graph(graph, out / f"{name}.onnx")
    write_latents(out / LATENTS, folder)
    (out / EDITS).write_bytes(path_of("edits", folder).read_bytes())
    model = model_id(folder)
    manifest = {
        "model": {"name": model.name, "code": model.code},
        "made_from": {
            name: file_hash(path_of(name, folder))
            for name in SOURCES
            if path_of(name, folder).is_file()
        },
        "graphs": sorted(path.stem for path in out.glob("*.onnx")),
        "files": {path.name: _facts(path) for path in sorted(out.iterdir())},
    }
    (out / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def export_web(out: Path, folder: Path | None = None) -> list[Path]:
    """Write the whole receiver: the built runtime, an example and the weights.

    Args:
        out: a new or empty folder, to be served by any static host.
        folder: of weights; the shipped ones by default.

    Returns:
        Every file of it.

    Raises:
        HscError: the folder has other files in it, or the runtime or the package onnx is missing.
    """
    if not RECEIVER.is_dir():
        raise HscError("expected the receiver's runtime in web/dist, found none: build it there.")
    if importlib.util.find_spec("onnx") is None:
        raise HscError("ONNX is not installed: run `pip install onnx` first.")
    if out.is_dir() and any(out.iterdir()):
        raise HscError(f"expected a new or empty folder, {out.name} has files in it.")
    shutil.copytree(RECEIVER, out, dirs_exist_ok=True)
    shutil.copyfile(EXAMPLE, out / "example.hsc")
    write_weights(out / "weights", folder)
    files = sorted(p for p in out.rglob("*") if p.is_file() and p.name not in NOT_CACHED)
    names = ["./", *(p.relative_to(out).as_posix() for p in files)]
    hashed = hashlib.sha256("".join(str(_facts(p)["sha256"]) for p in files).encode()).hexdigest()
    worker = (RECEIVER / SERVICE_WORKER).read_text(encoding="utf-8")
    worker = worker.replace("%VERSION%", hashed[:12]).replace("%FILES%", json.dumps(names))
    (out / SERVICE_WORKER).write_text(worker, encoding="utf-8")
    return sorted(p for p in out.rglob("*") if p.is_file())


def _facts(path: Path) -> dict[str, int | str]:
    data = path.read_bytes()
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
