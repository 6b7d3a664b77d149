"""The generator with its shipped weights."""

import copy
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from hsc.config import FACE_1024
from hsc.errors import WeightsError
from hsc.generators.mobilestylegan.exits import EXIT128_PX, ExitHead
from hsc.generators.mobilestylegan.mapping import Mapping
from hsc.generators.mobilestylegan.synthesis import Synthesis
from hsc.weights.loading import load_into, path_of

LOWER_PX = [px for px in FACE_1024.block_px if px <= FACE_1024.feature_px]
LOWER = ("const", "conv1.", *(f"blocks.{px}." for px in LOWER_PX))
"""Prefixes of what gives F: symbols depend on it, so no finetuned decoder may change it."""


@dataclass(frozen=True)
class Generator:
    """Frozen networks on one device: z -> w and w+ -> picture."""

    mapping: Mapping
    synthesis: Synthesis


def load_generator(device: torch.device | str = "cpu", folder: Path | None = None) -> Generator:
    path = path_of("generator", folder)
    return Generator(
        load_into(Mapping(), path, "mapping.").to(device),
        load_into(Synthesis(), path, "synthesis.").to(device),
    )


def load_finetuned(synthesis: Synthesis, path: Path) -> Synthesis:
    """The generator with other weights above F: blocks from 64 px on and ``to_img``.

    Everything up to F is shared with ``synthesis``, so files and their symbols stay what they are
    and only pictures change. Noise maps are those of ``synthesis`` where the file has none.

    Args:
        synthesis: the generator as it was trained; it is not changed.
        path: a safetensors file of those tensors, in any precision.

    Raises:
        WeightsError: the file is missing or holds something else.
    """
    lower = [synthesis.const, synthesis.conv1]
    lower += [synthesis.blocks[str(px)] for px in LOWER_PX]
    # what is in deepcopy's memory is not copied but shared
    finetuned = copy.deepcopy(synthesis, {id(part): part for part in lower})
    try:
        given = load_file(path)
        if set(given) - set(upper_tensors(synthesis, noise=True)):
            raise WeightsError(f"expected tensors above F only in {path.name}, found others.")
        noise = {k: v for k, v in synthesis.state_dict().items() if k not in given and _is_noise(k)}
        kept = {k: v for k, v in synthesis.state_dict().items() if k.startswith(LOWER)}
        finetuned.load_state_dict(kept | noise | given)
    except (FileNotFoundError, SafetensorError, RuntimeError) as error:
        raise WeightsError(
            f"expected the generator's blocks above F in {path.name}, found something else: get "
            "the file of this version again."
        ) from error
    return finetuned.eval().requires_grad_(False)


def upper_tensors(synthesis: Synthesis, noise: bool = False) -> dict[str, Tensor]:
    """The generator's tensors above F by name, as a finetuned decoder's file holds them.

    Args:
        noise: with the fixed noise maps, which finetuning leaves as they are.
    """
    return {
        name: tensor
        for name, tensor in synthesis.state_dict().items()
        if not name.startswith(LOWER) and (noise or not _is_noise(name))
    }


def _is_noise(name: str) -> bool:
    return name.endswith(".noise")


def load_mapping(folder: Path | None = None) -> Mapping:
    """The mapping network alone, on the CPU."""
    return load_into(Mapping(), path_of("generator", folder), "mapping.")


def load_preview(device: torch.device | str = "cpu", folder: Path | None = None) -> ExitHead:
    return load_into(ExitHead(), path_of("preview", folder)).to(device)


def load_exit128(device: torch.device | str = "cpu", folder: Path | None = None) -> ExitHead:
    """The 128-px exit, for training only."""
    head = ExitHead(exit_px=EXIT128_PX)
    return load_into(head, path_of("exit128", folder)).to(device)
