"""The inputs of a training stage, and how its weights are saved and resumed."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from hsc.config import CodecConfig
from hsc.generators.base import SynthesisNetwork
from hsc.generators.exits import render_exit
from hsc.generators.pretrained import load_generator
from hsc.inversion.encoder import InversionEncoder
from hsc.metrics.identity import FaceIdentity
from hsc.numerics.precision import gradient_dtype
from hsc.research import distributed
from hsc.research.options import TrainOptions
from hsc.research.training.config import build, values_of
from hsc.research.training.loop import DECAY, Budget, Checkpoint
from hsc.weights.loading import (
    file_hash,
    load_into,
    model_config,
    path_of,
    renamed,
    save_weights,
)

STAMP = "weights.json"
Kind = TypeVar("Kind")
Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Setting:
    """The inputs of a training stage.

    Attributes:
        work: folder of checkpoints, logs and synthetic pairs.
        data: folders of aligned real faces.
        steps, minutes: the budget of this call.
        fresh: start from nothing instead of the checkpoint or the committed weights.
        compile: compile the renders of the losses: minutes at the start, a third less a step.
        values: the stage's hyperparameters, see :meth:`configured`.
    """

    work: Path
    data: list[Path]
    device: torch.device
    steps: int
    minutes: float
    fresh: bool
    compile: bool
    values: Mapping[str, Any]

    @classmethod
    def of(cls, stage: str, options: TrainOptions) -> "Setting":
        """Raises HscError for a configuration that does not fit the stage."""
        values = values_of(stage, options.config, options.changes)
        if options.batch:
            batches = [key for key in values if key == "batch" or key.endswith("_batch")]
            values |= dict.fromkeys(batches, options.batch)
        return cls(
            work=options.work,
            data=options.data,
            device=distributed.device_of(options.device),
            steps=options.steps or 10**9,
            minutes=options.minutes or 60.0,
            fresh=not options.resume,
            compile=options.compile,
            values=values,
        )

    def configured(self, kind: type[Kind]) -> Kind:
        """The hyperparameters as the stage's dataclass."""
        return build(kind, self.values)

    @property
    def sizes(self) -> CodecConfig:
        """Of the model in use, which is trained."""
        return model_config()

    @property
    def identity(self) -> FaceIdentity | None:
        """The face recogniser of losses, where the model's encoder has one."""
        if not self.sizes.identity:
            return None
        return FaceIdentity.pretrained(path_of("identity")).to(self.device)

    @property
    def draw(self) -> Callable[..., Tensor]:
        """The function by which losses render through an exit: compiled where asked for."""
        return torch.compile(render_exit) if self.compile else render_exit

    @property
    def budget(self) -> Budget:
        return Budget(self.steps, self.minutes)


def export(
    state: dict[str, Tensor], name: str, folder: Path | None = None, keep: Collection[str] = ()
) -> None:
    """Write a stage's averaged weights as they are shipped: half precision.

    Args:
        folder: of the checkpoint that they are the average of.
        keep: names of tensors that stay in float32.
    """
    if distributed.is_first():
        save_weights(state, path_of(name), model_config(), keep=keep)
        print(f"weights in {path_of(name)}", flush=True)
        if folder:
            stamp(folder, name)
    distributed.wait()  # the next stage reads it


def stamp(folder: Path, *names: str) -> None:
    """Note which weight files a checkpoint goes with: other stages may write them too."""
    if not distributed.is_first():
        return
    hashes = {name: file_hash(path_of(name)) for name in names if path_of(name).exists()}
    (folder / STAMP).write_text(json.dumps(hashes))


def is_current(folder: Path, *names: str) -> bool:
    """Whether the weight files are still those that the checkpoint in a folder goes with."""
    if not (folder / STAMP).exists():
        return True
    known = json.loads((folder / STAMP).read_text())
    changed = [n for n in names if path_of(n).exists() and known.get(n) != file_hash(path_of(n))]
    if changed:
        print(f"{', '.join(changed)}: written since {folder} was, begins from the file", flush=True)
    return not changed


def resumed(
    setting: Setting,
    name: str,
    network: nn.Module,
    start: Callable[[], None],
    decay: float = DECAY,
) -> Checkpoint:
    """A network's checkpoint: from the work folder, else the shipped weights, else ``start``."""
    folder = setting.work / name
    checkpoint = Checkpoint(folder, network, decay)
    # the first process stamps below, which the others must not see while they look
    current = distributed.of_first(not setting.fresh and is_current(folder, name))
    if current and checkpoint.resume():
        return checkpoint
    if path_of(name).exists() and not setting.fresh:
        network.load_state_dict(renamed(load_file(path_of(name))))
    else:
        start()
    # made anew, because its average starts from the weights that it is given
    stamp(folder, name)
    return Checkpoint(folder, network, decay)


def loaded(network: Network, name: str, device: torch.device) -> Network:
    """A network with its shipped weights, frozen."""
    load_into(network, path_of(name))
    return network.to(device)


def fast_synthesis(device: torch.device) -> SynthesisNetwork:
    """The original generator for losses and targets: in :func:`gradient_dtype`, channels last,
    frozen."""
    return channels_last(load_generator(device).synthesis.to(gradient_dtype(device)))


def channels_last(network: Network) -> Network:
    """Convolutions run faster with channels last; the network itself is changed."""
    torch.nn.Module.to(network, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def finished_encoder(device: torch.device) -> InversionEncoder:
    """The encoder with its shipped weights, channels last."""
    return channels_last(loaded(InversionEncoder(model_config()), "inversion", device))
