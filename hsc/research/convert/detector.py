"""The second face detector's weights from the PyPI package ``facenet-pytorch``."""

from pathlib import Path

import torch
from torch import Tensor

from hsc.weights.loading import ASSETS
from hsc.weights.packages import Package, Recipe, the_file

FACENET_PYTORCH = Package(
    "pypi",
    "facenet-pytorch",
    "2.6.0",
    "ecb82b27beb226d106f2219efe8f829b01b87a8595badd01545679bdb9f19cca",
    "MIT",
)
DENSE = {"pnet": ("conv4_1", "conv4_2"), "rnet": ("dense5_1", "dense5_2"),
         "onet": ("dense6_1", "dense6_2", "dense6_3")}  # fmt: skip
"""Layers for the score, the box and the points."""
HIDDEN = {"rnet": 4, "onet": 5}
"""Number of the hidden dense layer and of its PReLU."""


def read_detector(folder: Path) -> dict[str, Tensor]:
    """State dict of :class:`hsc.domains.ffhq_face.mtcnn.Mtcnn`."""
    state = {}
    for net, heads in DENSE.items():
        path = the_file(folder, f"data/{net}.pt")
        source = torch.load(path, map_location="cpu", weights_only=True)
        names = dict(zip(heads, ("score", "box", "points")))
        if net in HIDDEN:
            number = HIDDEN[net]
            names |= {f"dense{number}": "dense", f"prelu{number}": "prelu"}
        for name, value in source.items():
            layer, part = name.split(".")
            if layer not in names:
                kind, number = layer.rstrip("0123456789"), int(layer[-1]) - 1
                names[layer] = f"trunk.{kind}s.{number}"
            state[f"{net}.{names[layer]}.{part}"] = value
    return state


DETECTOR = Recipe("detector.safetensors", ASSETS, (FACENET_PYTORCH,), read_detector)
