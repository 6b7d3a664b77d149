"""The networks of the receiver as ONNX graphs, whose weights lie outside of them.

The graphs take over where floats may differ in their last bit: G_F, g_s of FCN, g_a of both layers,
how detail follows an edit, and the rendering. What must be the same bits everywhere (SCN, the prior
of FCN) is not a graph: JavaScript computes it in float64.
"""

import copy
import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import register_parametrization

from hsc.config import SHIPPED
from hsc.editing.apply import carry_detail
from hsc.editing.skin import Skin
from hsc.errors import HscError
from hsc.export.packs import stored
from hsc.generators.base import SynthesisNetwork
from hsc.generators.exits import ExitHead, render_exit
from hsc.latent_codecs.feature_slices.model import FeatureCodec
from hsc.latent_codecs.styles_klt import SemanticCodec
from hsc.networks import load_networks

OPSET = 17


class HalfWeight(nn.Module):
    """A parametrization: the weight is stored in half precision and computed with in float32."""

    def forward(self, stored: Tensor) -> Tensor:
        return stored.float()


def with_stored_weights(network: nn.Module) -> nn.Module:
    """A copy of a network with the weights that a visitor loads, in half precision."""
    network = copy.deepcopy(network)
    for path, module in list(network.named_modules()):
        tensors = dict(module.named_parameters(recurse=False))
        tensors |= dict(module.named_buffers(recurse=False))
        for name, weight in tensors.items():
            half = stored(f"{path}.{name}".lstrip("."), weight.detach()).half()
            if name in module._parameters:
                setattr(module, name, nn.Parameter(half, requires_grad=False))
            else:
                setattr(module, name, half)
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
    """y_hat (1, 256, 16, 16), F_S (1, 512, 32, 32) and the level of the base slices (1,) -> F^.

    The second half of y_hat is the enhancement slice, zero where a file has none.
    """

    def __init__(self, codec: FeatureCodec) -> None:
        super().__init__()
        assert codec.enhancement is not None
        self.g_s, self.enhancement = codec.g_s, codec.enhancement
        self.channels = codec.config.latent_channels
        self.std: Tensor
        self.register_buffer("std", codec.feature_std[:, None, None])

    def forward(self, y_hat: Tensor, feature_s: Tensor, level: Tensor) -> Tensor:
        base, more = y_hat[:, : self.channels], y_hat[:, self.channels :]
        restored = self.g_s(base, feature_s / self.std, level) + self.enhancement.change(more)
        return feature_s + self.std * restored


class EncodeStyles(nn.Module):
    """g_a of SCN: w+ (1, 23, 512) -> y (1, 256)."""

    def __init__(self, codec: SemanticCodec) -> None:
        super().__init__()
        self.g_a, self.mean = codec.g_a, codec.mean

    def forward(self, w_plus: Tensor) -> Tensor:
        return (w_plus - self.mean).flatten(1) @ self.g_a.T


class EncodeFeatures(nn.Module):
    """F, F_S (1, 512, 32, 32) and the level of the base slices (1,) -> y (1, 256, 16, 16).

    ``enhanced`` (1,) is 1 for a file with an enhancement slice, else 0. The second half of y is
    what F has in that slice: what the base slices draw there is to be taken away from it.
    """

    def __init__(self, codec: FeatureCodec) -> None:
        super().__init__()
        assert codec.enhancement is not None
        self.g_a, self.enhancement = codec.g_a, codec.enhancement
        self.std: Tensor
        self.register_buffer("std", codec.feature_std[:, None, None])

    def forward(
        self, feature: Tensor, feature_s: Tensor, level: Tensor, enhanced: Tensor
    ) -> Tensor:
        residual = (feature - feature_s) / self.std
        inside = self.enhancement.latent(residual)
        outside = residual - enhanced * self.enhancement.change(inside)
        return torch.cat([self.g_a(outside, feature_s / self.std, level), inside], 1)


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
    """One ONNX file: the pack that has it, the network, example inputs and the output's name."""

    pack: str
    network: nn.Module
    inputs: Mapping[str, Tensor]
    output: str


def graphs(folder: Path | None = None) -> dict[str, Graph]:
    """The graphs by name.

    ``render`` and ``preview`` are for files with a feature map. Where the weights have finetuned
    blocks, which render only those, ``render_semantics`` and ``preview_semantics`` are for files of
    semantics alone. ``skin`` is always the generator's own, as in :class:`hsc.decoder.Decoder`.

    Raises:
        HscError: the receiver's JavaScript does not know a model of these sizes, or weights lack.
    """
    n = load_networks(torch.device("cpu"), folder, "reference")
    if n.config != SHIPPED:
        raise HscError(
            "expected a model of the sizes of the shipped one, got another: the receiver's "
            "JavaScript is written for those. Decode its files with `hsc decode`."
        )
    if n.preview is None:
        raise HscError("expected the preview exit among the weights, found none.")
    w_plus = torch.zeros(1, *n.config.generator.w_plus_shape)
    feature_s = n.generator.feature(w_plus)
    channels = n.config.latent_channels + n.config.enhancement_channels
    y_hat = torch.zeros(1, channels, n.config.latent_px, n.config.latent_px)
    pair = {"feature": feature_s, "w_plus": w_plus}
    both = pair | {"edited": feature_s, "edited_w_plus": w_plus}
    carried = dict.fromkeys(("detail", "before", "after"), feature_s)
    level = {"level": torch.ones(1)}
    result = {
        "features": Graph("semantics", Features(n.generator), {"w_plus": w_plus}, "feature_s"),
        "restore": Graph(
            "features", Restore(n.fcn), {"y_hat": y_hat, "feature_s": feature_s} | level, "feature"
        ),
        "encode_styles": Graph("encoding", EncodeStyles(n.scn), {"w_plus": w_plus}, "y"),
        "encode_features": Graph(
            "encoding",
            EncodeFeatures(n.fcn),
            {"feature": feature_s, "feature_s": feature_s} | level | {"enhanced": torch.ones(1)},
            "y",
        ),
        "carry": Graph(
            "edits", Carry(n.fcn.feature_std), carried | {"change": torch.ones(1)}, "carried"
        ),
    }
    assert isinstance(n.renderer, SynthesisNetwork)  # the reference backend is the network itself
    own_render = Graph("semantics", Render(n.generator), pair, "picture")
    own_preview = Graph("edits", Preview(n.generator, n.preview), pair, "picture")
    result["render"], result["preview"] = own_render, own_preview
    if n.renderer is not n.generator:
        result["render"] = Graph("features", Render(n.renderer), pair, "picture")
        result["render_semantics"] = own_render
    if n.renderer_preview is not None:
        result["preview"] = Graph("edits", Preview(n.renderer, n.renderer_preview), pair, "picture")
        result["preview_semantics"] = own_preview
    if n.edits.skin:
        result["skin"] = Graph("edits", KeepSkin(n.generator, n.edits.skin), both, "kept")
    return result


@torch.no_grad()
def to_onnx(graph: Graph) -> bytes:
    """One network as an ONNX file, with its weights in it."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # sizes are the same always: the tracer need not warn
        _export(graph, file)
    return file.getvalue()


def _export(graph: Graph, file: Any) -> None:  # the exporter's types know of paths only
    torch.onnx.export(
        with_stored_weights(graph.network),
        tuple(graph.inputs.values()),
        file,
        input_names=list(graph.inputs),
        output_names=[graph.output],
        opset_version=OPSET,
        do_constant_folding=False,
        dynamo=False,
    )
