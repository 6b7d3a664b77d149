"""Where the trained weights are, and which model they make."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from hsc.errors import WeightsError

ASSETS = Path(__file__).resolve().parents[1] / "assets" / "weights"
DECODER_FILES = ("generator", "entropy", "scn", "fcn")
"""Weights that a decoder needs: together they are the model a file names."""


@dataclass(frozen=True)
class ModelId:
    """The identity of the decoder's weights.

    Attributes:
        name: human-readable, e.g. ``hsc-face-3fa2``.
        code: the 16-bit number in a file's header.
    """

    name: str
    code: int


def path_of(name: str, folder: Path | None = None) -> Path:
    return (folder or ASSETS) / f"{name}.safetensors"


def file_hash(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def model_id(folder: Path | None = None) -> ModelId:
    """Identify the decoder in a weights folder by the content of its files."""
    for name in DECODER_FILES:
        if not path_of(name, folder).is_file():
            raise _missing(path_of(name, folder))
    joined = "".join(file_hash(path_of(name, folder)) for name in DECODER_FILES)
    digest = hashlib.sha256(joined.encode()).hexdigest()[:4]
    return ModelId(f"hsc-face-{digest}", int(digest, 16))


def load_into(network: nn.Module, path: Path, prefix: str = "") -> nn.Module:
    """Fill a network from safetensors, frozen, in evaluation mode and float32.

    Args:
        prefix: take only the tensors under it, and remove it.

    Raises:
        WeightsError: the file is missing or belongs to another network.
    """
    if not path.is_file():
        raise _missing(path)
    try:
        state = {
            k.removeprefix(prefix): v for k, v in load_file(path).items() if k.startswith(prefix)
        }
        network.load_state_dict(state)
    except (SafetensorError, RuntimeError) as error:
        raise WeightsError(
            f"expected the weights of {type(network).__name__} in {path.name}, found something "
            "else: get the file of this version again."
        ) from error
    return network.eval().requires_grad_(False)


def halve(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Floating tensors in half precision, as they are shipped; integers as they are."""
    return {
        k: (v.half() if v.is_floating_point() else v).contiguous() for k, v in state.items()
    }


def _missing(path: Path) -> WeightsError:
    return WeightsError(
        f"expected weights at assets/weights/{path.name}, found no file: clone the repository "
        "with its large files, or train it with `python -m hsc train`."
    )
