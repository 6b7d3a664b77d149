"""Age, gender and expression networks from the npm package ``@vladmandic/face-api`` (MIT)."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from hsc.research.convert.identity import FACE_API
from hsc.weights.loading import ASSETS
from hsc.weights.packages import Recipe, read_tensors, the_file

NETWORKS = {"age_gender": "age_gender_model", "expression": "face_expression_model"}
SECTIONS = ("entry_flow", "middle_flow", "exit_flow", "fc")


def read_attributes(folder: Path) -> dict[str, Tensor]:
    """State dicts of hsc.vision.attributes' AgeGender and Expression, under their prefixes."""
    state = {}
    for prefix, model in NETWORKS.items():
        tensors = read_tensors(the_file(folder, f"{model}-weights_manifest.json"))
        for source, value in tensors.items():
            *path, leaf = source.split("/")
            if path[0] in SECTIONS and len(path) > 1:
                path = path[1:]  # the sections of the Xception are no modules here
            separable = "/".join([*source.split("/")[:-1], "depthwise_filter"]) in tensors
            parts = [prefix, *path, *_leaf(leaf, separable)]
            state[".".join(parts)] = torch.from_numpy(np.ascontiguousarray(_axes(value, leaf)))
    return state


def _leaf(leaf: str, separable: bool) -> tuple[str, ...]:
    """TensorFlow.js name of a tensor -> PyTorch's."""
    if leaf in ("depthwise_filter", "pointwise_filter"):
        return leaf.removesuffix("_filter"), "weight"
    if leaf == "bias":
        return ("pointwise", "bias") if separable else ("bias",)
    return ("weight",)


def _axes(value: np.ndarray, leaf: str) -> np.ndarray:
    """(kh, kw, C_in, C_out) -> (C_out, C_in, kh, kw); a depthwise kernel's last axis is 1."""
    if leaf == "depthwise_filter":
        return value.transpose(2, 3, 0, 1)
    return value.transpose(3, 2, 0, 1) if value.ndim == 4 else value.T


ATTRIBUTES = Recipe("attributes.safetensors", ASSETS, (FACE_API,), read_attributes)
