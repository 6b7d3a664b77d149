"""Trained weights into networks; where they are says ``hsc.weights.model_id``."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from hsc.errors import WeightsError
from hsc.weights.model_id import (
    ASSETS,
    DECODER_FILES,
    ModelId,
    file_hash,
    missing,
    model_id,
    path_of,
)

RENAMED = {"semantic_look.": "style_feedback.", "second_look.": "feature_feedback."}
"""Prefixes of tensors in older weight files, and what they are called now."""

__all__ = [
    "ASSETS",
    "DECODER_FILES",
    "ModelId",
    "file_hash",
    "halve",
    "load_into",
    "model_id",
    "path_of",
    "renamed",
]


def load_into(network: nn.Module, path: Path, prefix: str = "", made_by: str = "") -> nn.Module:
    """Fill a network from safetensors, frozen, in evaluation mode and float32.

    Args:
        prefix: take only the tensors under it, and remove it.
        made_by: the command that makes the file, where it does not ship.

    Raises:
        WeightsError: the file is missing or belongs to another network.
    """
    if not path.is_file():
        raise missing(path, made_by)
    try:
        state = {
            k.removeprefix(prefix): v for k, v in load_file(path).items() if k.startswith(prefix)
        }
        network.load_state_dict(renamed(state))
    except (SafetensorError, RuntimeError) as error:
        raise WeightsError(
            f"expected the weights of {type(network).__name__} in {path.name}, found something "
            "else: get the file of this version again."
        ) from error
    return network.eval().requires_grad_(False)


def renamed(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors of an older weight file under the names that networks have now."""
    for old, new in RENAMED.items():
        state = {new + k.removeprefix(old) if k.startswith(old) else k: v for k, v in state.items()}
    return state


def halve(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Floating tensors in half precision, as they are shipped; integers as they are."""
    return {k: (v.half() if v.is_floating_point() else v).contiguous() for k, v in state.items()}
