"""Two small trainings over data that is known in advance, in as many processes as start this.

    python training_processes.py FOLDER BATCH [STEPS]
    torchrun --nproc-per-node 2 training_processes.py FOLDER BATCH [STEPS]

In FOLDER a small network is trained for some steps in ``begun``, and for more of them in every
other folder that has a checkpoint; a small FCN in ``feature``. Row r of step s is the same whoever
computes it: process k of two with batches of n takes rows k n to k n + n, one process with a batch
of 2 n takes them all.
"""

import shutil
import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from hsc.config import CodecConfig, GeneratorSpec
from hsc.latent_codecs.feature_slices.model import FeatureCodec
from hsc.research import distributed
from hsc.research.training.feature import CodedBatch, FeatureLoss
from hsc.research.training.log import CsvLog
from hsc.research.training.loop import Budget, Checkpoint, train

STEPS = 6
TINY = CodecConfig(
    GeneratorSpec("tiny", "ffhq_face", 64, 32, 8, 3, {4: 8, 8: 8, 16: 8, 32: 8, 64: 8}),
)


def rows(step: int, batch: int, *shape: int) -> Tensor:
    """This process's rows of a step's random numbers."""
    seeded = torch.Generator().manual_seed(step)
    every = torch.randn(batch * distributed.world(), *shape, generator=seeded)
    return every[batch * distributed.rank() :][:batch]


class TwoBranches(nn.Module):
    """A small network of which odd steps use a part only, as stages do."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.enter, self.sometimes = nn.Linear(6, 8), nn.Linear(8, 8)
        self.leave = nn.Linear(8, 2)
        self.register_buffer("scale", torch.full((1,), 1.0 + distributed.rank()))

    def loss(self, step: int, batch: int) -> tuple[Tensor, dict[str, float]]:
        x = rows(step, batch, 6)
        h = torch.tanh(self.enter(x * self.scale))
        if step % 2 == 0:
            h = h + self.sometimes(h)
        value = (self.leave(h) - x[:, :2] * x[:, 2:4]).square().mean()
        return value, {"even" if step % 2 == 0 else "odd": value.item(), "x": x.mean().item()}


class KnownFeatures:
    """In the place of `CodedLatents`."""

    def __init__(self) -> None:
        self.step = 0

    def sample(self, n: int, level: float) -> CodedBatch:
        self.step += 1
        feature, feature_s = rows(self.step, n, 2, 8, 32, 32).unbind(1)
        context = rows(self.step + 1000, n, 8, 16, 16)
        return CodedBatch(feature, feature_s, context, torch.full((n,), 300.0))


def small(folder: Path, batch: int, steps: int) -> None:
    """Begin, or go on from the checkpoint of a folder."""
    network = TwoBranches()
    checkpoint = Checkpoint(folder, network)
    checkpoint.resume()
    first = int(checkpoint.counters["steps"])
    measured = {"held_out": float(distributed.rank())}
    train(
        checkpoint,
        [{"params": list(network.parameters()), "lr": 1e-3}],
        lambda step, _: network.loss(first + step, batch),
        Budget(steps, 5),
        CsvLog(folder / "log.csv"),
        batch=batch,
        log_every=2,
        evaluate=lambda: measured,
    )


def feature(folder: Path, batch: int, steps: int) -> None:
    """FCN, and the price of its bytes."""
    torch.manual_seed(2)
    network = FeatureCodec(TINY)
    # what is rated is rounded or made noisy, and each process draws noise of its own
    torch.rand_like = lambda x: torch.full_like(x, 0.5)
    loss = FeatureLoss(network, KnownFeatures(), 2.0)
    train(
        Checkpoint(folder, network),
        [{"params": list(network.parameters()), "lr": 1e-3}],
        lambda step, _: loss(batch, step),
        Budget(steps, 5),
        CsvLog(folder / "log.csv"),
        batch=batch,
        log_every=2,
    )
    (folder / f"price{distributed.rank()}").write_text(repr(loss.price.log_price))


def main() -> None:
    folder, batch = Path(sys.argv[1]), int(sys.argv[2])
    steps = int(sys.argv[3]) if len(sys.argv) > 3 else STEPS
    torch.set_num_threads(1)
    with distributed.processes("cpu"):
        there = [path.parent for path in sorted(folder.glob("*/state.json"))]
        small(folder / "begun", batch, steps)
        if distributed.is_first():
            shutil.copytree(folder / "begun", folder / "resumed")
        distributed.wait()
        for each in [folder / "resumed", *there]:
            small(each, batch, steps)
        feature(folder / "feature", batch, steps)


if __name__ == "__main__":
    main()
