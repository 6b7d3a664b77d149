"""The generator with its shipped weights."""

from dataclasses import dataclass
from pathlib import Path

import torch

from hsc.generators.mobilestylegan.exits import EXIT128_PX, ExitHead
from hsc.generators.mobilestylegan.mapping import Mapping
from hsc.generators.mobilestylegan.synthesis import Synthesis
from hsc.weights.loading import load_into, path_of


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


def load_mapping(folder: Path | None = None) -> Mapping:
    """The mapping network alone, on the CPU."""
    return load_into(Mapping(), path_of("generator", folder), "mapping.")


def load_preview(device: torch.device | str = "cpu", folder: Path | None = None) -> ExitHead:
    return load_into(ExitHead(), path_of("preview", folder)).to(device)


def load_exit128(device: torch.device | str = "cpu", folder: Path | None = None) -> ExitHead:
    """The 128-px exit, for training only."""
    head = ExitHead(exit_px=EXIT128_PX)
    return load_into(head, path_of("exit128", folder)).to(device)
