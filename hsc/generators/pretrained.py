"""The generator and its early exits with the weights of a folder."""

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from hsc.config import GeneratorSpec
from hsc.errors import WeightsError
from hsc.generators.base import ExactFeatures, MappingNetwork, SynthesisNetwork
from hsc.generators.exits import ExitHead
from hsc.generators.registry import family
from hsc.weights.loading import load_into, path_of, read_config
from hsc.weights.model_id import FINETUNED

FINETUNED_PREVIEW = "preview."
"""Prefix of a preview exit's tensors in a file of finetuned blocks."""


@dataclass(frozen=True)
class Generator:
    """Frozen networks on one device: z -> w and w+ -> picture."""

    mapping: MappingNetwork
    synthesis: SynthesisNetwork

    @property
    def spec(self) -> GeneratorSpec:
        """Its sizes."""
        return self.synthesis.spec

    def exact_features(self, px: int) -> ExactFeatures:
        """The blocks up to ``px`` in exact arithmetic, copied from the weights as they are now."""
        return family(self.spec.name).exact_features(self.synthesis, px)


def load_generator(device: torch.device | str = "cpu", folder: Path | None = None) -> Generator:
    """The generator of a weights folder, the shipped one by default.

    Raises:
        WeightsError: the file is missing or belongs to another network.
    """
    path = path_of("generator", folder)
    spec = read_config(path).generator
    networks = family(spec.name)
    return Generator(
        load_into(networks.mapping(spec), path, "mapping.").to(device),
        load_into(networks.synthesis(spec), path, "synthesis.").to(device),
    )


@dataclass(frozen=True)
class Finetuned:
    """A generator whose blocks above F were finetuned on what files of photographs hold.

    Attributes:
        preview: its own exit at 256 px; None where none was distilled.
    """

    synthesis: SynthesisNetwork
    preview: ExitHead | None


def load_finetuned(synthesis: SynthesisNetwork, path: Path) -> Finetuned:
    """The generator with other weights above F: blocks from 64 px on and ``to_img``.

    Everything up to F is shared with ``synthesis``, so files and their symbols stay what they are
    and only pictures change. Noise maps are those of ``synthesis`` where the file has none.

    Args:
        synthesis: the generator as it was trained; it is not changed.
        path: a safetensors file of those tensors, in any precision, and of its preview exit's under
            ``FINETUNED_PREVIEW``, where it has one.

    Raises:
        WeightsError: the file is missing or holds something else.
    """
    # symbols depend on what gives F; what is in deepcopy's memory is not copied but shared
    lower = synthesis.parts_to_feature()
    finetuned = copy.deepcopy(synthesis, {id(part): part for part in lower.values()})
    try:
        tensors = load_file(path)
        head = {k: v for k, v in tensors.items() if k.startswith(FINETUNED_PREVIEW)}
        given = {k: v for k, v in tensors.items() if k not in head}
        if set(given) - set(upper_tensors(synthesis, noise=True)):
            raise WeightsError(f"expected tensors above F only in {path.name}, found others.")
        noise = {k: v for k, v in synthesis.state_dict().items() if k not in given and _is_noise(k)}
        kept = {k: v for k, v in synthesis.state_dict().items() if _is_of(k, lower)}
        finetuned.load_state_dict(kept | noise | given)
        preview = None
        if head:
            preview = ExitHead(read_config(path).preview_exit_px, synthesis.spec)
            preview.load_state_dict({k.removeprefix(FINETUNED_PREVIEW): v for k, v in head.items()})
            preview.to(next(synthesis.parameters()).device).eval().requires_grad_(False)
    except (FileNotFoundError, SafetensorError, RuntimeError) as error:
        raise WeightsError(
            f"expected the generator's blocks above F in {path.name}, found something else: get "
            "the file of this version again."
        ) from error
    return Finetuned(finetuned.eval().requires_grad_(False), preview)


def load_renderer(synthesis: SynthesisNetwork, folder: Path | None = None) -> Finetuned:
    """What renders files: finetuned blocks where the folder has such, else ``synthesis`` itself.

    Raises:
        WeightsError: as :func:`load_finetuned`.
    """
    path = path_of(FINETUNED, folder)
    return load_finetuned(synthesis, path) if path.is_file() else Finetuned(synthesis, None)


def upper_tensors(synthesis: SynthesisNetwork, noise: bool = False) -> dict[str, Tensor]:
    """The generator's tensors above F by name, as a finetuned decoder's file holds them.

    Args:
        noise: with the fixed noise maps, which finetuning leaves as they are.
    """
    lower = synthesis.parts_to_feature()
    return {
        name: tensor
        for name, tensor in synthesis.state_dict().items()
        if not _is_of(name, lower) and (noise or not _is_noise(name))
    }


def _is_of(name: str, parts: Iterable[str]) -> bool:
    return any(name == part or name.startswith(f"{part}.") for part in parts)


def _is_noise(name: str) -> bool:
    return name.endswith(".noise")


def load_mapping(folder: Path | None = None) -> MappingNetwork:
    """The mapping network alone, on the CPU."""
    path = path_of("generator", folder)
    spec = read_config(path).generator
    return load_into(family(spec.name).mapping(spec), path, "mapping.")


def load_preview(device: torch.device | str = "cpu", folder: Path | None = None) -> ExitHead:
    """The exit at 256 px."""
    path = path_of("preview", folder)
    config = read_config(path)
    return load_into(ExitHead(config.preview_exit_px, config.generator), path).to(device)


def load_exit128(device: torch.device | str = "cpu", folder: Path | None = None) -> ExitHead:
    """The exit at 128 px: the encoder's feedback, and losses of training."""
    path = path_of("exit128", folder)
    config = read_config(path)
    return load_into(ExitHead(config.feedback_exit_px, config.generator), path).to(device)
