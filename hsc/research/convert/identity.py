"""Face descriptor weights from the npm package ``@vladmandic/face-api`` (MIT).

The package keeps dlib's network as eight-bit numbers with a scale and an offset a tensor, and each
convolution's learned gain apart; the gain is folded into the convolution here.
"""

import json
import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from hsc.errors import WeightsError
from hsc.weights.packages import Package, Recipe, the_file
from hsc.weights.loading import ASSETS

FACE_API = Package(
    "npm",
    "@vladmandic/face-api",
    "1.7.15",
    "0d77fffeef362ef9c0939cf6c567f3a2e8e177f114fa257a3270cbd2e509b031",
    "MIT",
)

UNITS = (
    *("conv32_1", "conv32_2", "conv32_3"),
    *("conv64_down", "conv64_1", "conv64_2", "conv64_3"),
    *("conv128_down", "conv128_1", "conv128_2"),
    *("conv256_down", "conv256_1", "conv256_2", "conv256_down_out"),
)


def read_tensors(manifest: Path) -> dict[str, np.ndarray]:
    """Every tensor that a TensorFlow.js weights manifest describes, as float32, by name.

    Args:
        manifest: the JSON file of the manifest alone, or of a graph with its manifest.
    """
    tensors = {}
    groups = json.loads(manifest.read_text())
    for group in groups if isinstance(groups, list) else groups["weightsManifest"]:
        blob = b"".join((manifest.parent / path).read_bytes() for path in group["paths"])
        start = 0
        for entry in group["weights"]:
            packing = {"dtype": entry["dtype"], "scale": 1.0, "min": 0.0}
            packing |= entry.get("quantization", {})
            count = math.prod(entry["shape"])
            raw = np.frombuffer(blob, packing["dtype"], count, start)
            start += raw.nbytes
            value = raw.astype(np.float32) * packing["scale"] + packing["min"]
            tensors[entry["name"]] = value.reshape(entry["shape"]).astype(np.float32)
        if start != len(blob):
            raise WeightsError(
                f"expected {start} bytes of weights beside {manifest.name}, found {len(blob)}: "
                "the package is not the pinned one."
            )
    return tensors


def read_identity(folder: Path) -> dict[str, Tensor]:
    """State dict of :class:`hsc.metrics.identity.FaceIdentity`."""
    tensors = read_tensors(the_file(folder, "face_recognition_model-weights_manifest.json"))
    state: dict[str, np.ndarray] = {}

    def convolution(source: str, target: str) -> None:
        gain = tensors[f"{source}/scale/weights"]  # (C_out,)
        kernel = tensors[f"{source}/conv/filters"] * gain  # (kh, kw, C_in, C_out)
        state[f"{target}.weight"] = kernel.transpose(3, 2, 0, 1)
        bias = tensors[f"{source}/conv/bias"] * gain
        state[f"{target}.bias"] = bias + tensors[f"{source}/scale/biases"]

    convolution("conv32_down", "stem")
    for index, unit in enumerate(UNITS):
        convolution(f"{unit}/conv1", f"units.{index}.conv1")
        convolution(f"{unit}/conv2", f"units.{index}.conv2")
    state["out.weight"] = tensors["fc"].T
    return {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in state.items()}


IDENTITY = Recipe("identity.safetensors", ASSETS, (FACE_API,), read_identity)
