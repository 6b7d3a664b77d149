"""What every stage of training is given, and where it leaves its result."""

from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from hsc.training.loop import Budget
from hsc.weights import halve


@dataclass(frozen=True)
class Setting:
    """What every stage is given.

    Attributes:
        work: folder of checkpoints, logs and synthetic pairs.
        data: folders of aligned real faces.
    """

    work: Path
    data: list[Path]
    device: torch.device
    steps: int
    minutes: float
    batch: int
    fresh: bool

    @classmethod
    def from_args(cls, args: Namespace) -> "Setting":
        device = args.device
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        return cls(
            Path(args.work),
            [Path(d) for d in args.data or []],
            torch.device(device),
            args.steps or 10**9,
            args.minutes or 60.0,
            args.batch or 0,
            not args.resume,
        )

    @property
    def budget(self) -> Budget:
        return Budget(self.steps, self.minutes)


def export(work: Path, name: str, out: Path) -> None:
    """Write a stage's averaged weights as they are shipped: half precision."""
    save_file(halve(load_file(work / name / "ema.safetensors")), out / f"{name}.safetensors")
