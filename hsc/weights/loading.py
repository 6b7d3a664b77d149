"""Load trained weights into networks; their paths are in ``hsc.weights.model_id``."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from hsc.config import SHIPPED, CodecConfig
from hsc.errors import WeightsError
from hsc.weights.model_id import (
    ASSETS,
    DECODER_FILES,
    ModelId,
    file_hash,
    missing,
    model_id,
    model_of,
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
    "model_config",
    "model_id",
    "path_of",
    "read_config",
    "renamed",
    "save_weights",
]


Network = TypeVar("Network", bound=nn.Module)
CONFIG_KEY = "codec"
"""Key of a :class:`CodecConfig` in a weight file's metadata."""


def load_into(network: Network, path: Path, prefix: str = "", made_by: str = "") -> Network:
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


def model_config(folder: Path | None = None) -> CodecConfig:
    """The sizes of a folder's model, of the one in use by default.

    Raises:
        WeightsError: its description and its generator do not agree.
    """
    config = model_of(folder).config
    path = path_of("generator", folder)
    if path.is_file() and (own := read_config(path)) != config:
        raise WeightsError(
            f"expected a generator of {config.generator.name} at {config.generator.image_px} px in "
            f"{path}, as model.json says, found {own.generator.name} at {own.generator.image_px} "
            "px: get the folder again."
        )
    return config


def read_config(path: Path) -> CodecConfig:
    """The codec that a weight file was made for; the shipped one without metadata.

    Raises:
        WeightsError: the file is missing, or its metadata are of another version.
    """
    if not path.is_file():
        raise missing(path)
    try:
        with safe_open(path, "pt") as file:
            text = (file.metadata() or {}).get(CONFIG_KEY)
        return SHIPPED if text is None else CodecConfig.from_json(text)
    except (SafetensorError, ValueError) as error:
        raise WeightsError(
            f"expected the metadata of a codec in {path.name}, found something else: get the file "
            "of this version again."
        ) from error


def save_weights(
    state: Mapping[str, torch.Tensor],
    path: Path,
    config: CodecConfig = SHIPPED,
    metadata: Mapping[str, str] | None = None,
    keep: Collection[str] = (),
) -> None:
    """Write tensors in half precision, with the codec's configuration as metadata.

    The shipped configuration is not written: the hashes of the shipped files identify the model, so
    their bytes must not change.

    Args:
        metadata: more facts about the weights, e.g. their source and licence.
        keep: names of tensors that stay in float32.
    """
    facts = dict(metadata or {})
    if config != SHIPPED:
        facts[CONFIG_KEY] = config.to_json()
    kept = {name: state[name].contiguous() for name in keep}
    save_file(halve(dict(state)) | kept, path, facts or None)


def renamed(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors of an older weight file under the names that networks have now."""
    for old, new in RENAMED.items():
        state = {new + k.removeprefix(old) if k.startswith(old) else k: v for k, v in state.items()}
    return state


def halve(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Floating tensors in half precision, as they are shipped; integers as they are."""
    return {k: (v.half() if v.is_floating_point() else v).contiguous() for k, v in state.items()}
