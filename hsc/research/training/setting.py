"""What every stage of training is given, and where it leaves its result."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from hsc.generators.exits import render_exit
from hsc.inversion.encoder import InversionEncoder
from hsc.research.options import TrainOptions
from hsc.research.training.loop import Budget, Checkpoint
from hsc.weights.loading import halve, load_into, path_of, renamed


@dataclass(frozen=True)
class Setting:
    """What every stage is given.

    Attributes:
        work: folder of checkpoints, logs and synthetic pairs.
        data: folders of aligned real faces.
        compile: compile the renders of the losses: minutes at the start, a third less a step.
    """

    work: Path
    data: list[Path]
    device: torch.device
    steps: int
    minutes: float
    batch: int
    fresh: bool
    compile: bool = False

    @classmethod
    def of(cls, options: TrainOptions) -> "Setting":
        device = options.device
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        return cls(
            options.work,
            options.data,
            torch.device(device),
            options.steps or 10**9,
            options.minutes or 60.0,
            options.batch or 0,
            not options.resume,
            options.compile,
        )

    @property
    def draw(self) -> Callable[..., Tensor]:
        """How losses draw through an exit of the generator."""
        return torch.compile(render_exit) if self.compile else render_exit

    @property
    def budget(self) -> Budget:
        return Budget(self.steps, self.minutes)


def export(state: dict[str, Tensor], name: str) -> None:
    """Write a stage's averaged weights as they are shipped: half precision."""
    save_file(halve(state), path_of(name))


def resumed(
    setting: Setting, name: str, network: nn.Module, start: Callable[[], None]
) -> Checkpoint:
    """A network's checkpoint: from the work folder, else the shipped weights, else ``start``."""
    checkpoint = Checkpoint(setting.work / name, network)
    if not setting.fresh and checkpoint.resume():
        return checkpoint
    if path_of(name).exists() and not setting.fresh:
        network.load_state_dict(renamed(load_file(path_of(name))))
    else:
        start()
    # made anew, because its average starts from the weights that it is given
    return Checkpoint(setting.work / name, network)


def finished_encoder(device: torch.device) -> InversionEncoder:
    """The encoder as the last stage that trained it left it."""
    encoder = load_into(InversionEncoder(), path_of("inversion"))
    return encoder.to(device, memory_format=torch.channels_last)
