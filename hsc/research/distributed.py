"""Training in several processes, which ``torchrun`` starts: who does what, and what they agree on.

::

    torchrun --nproc-per-node 2 -m hsc train joint --data FACES

Every process takes its share of the pictures and a batch of its own. DistributedDataParallel
averages the gradients, so that all keep the same weights. The first process writes the checkpoints,
the weights and the one log. In a single process nothing here does anything.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from datetime import timedelta
from functools import wraps
from os import environ
from typing import Any, ParamSpec, TypeVar

import torch
from torch import distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

Item = TypeVar("Item")
Value = TypeVar("Value")
Args = ParamSpec("Args")

LONGEST_WAIT = timedelta(hours=3)
"""For the first process, which may be measuring held-out people or fitting in closed form."""

COMMON = torch.Generator()
"""Gives every process the same numbers, for what a step has once: its level."""

_alone = False


def world() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_initialized() and not _alone else 1


def rank() -> int:
    """Which of them this one is."""
    return dist.get_rank() if dist.is_initialized() and not _alone else 0


def is_first() -> bool:
    """Whether this process writes files and the log."""
    return rank() == 0


def device_of(name: str) -> torch.device:
    """``auto``, ``cpu`` or ``cuda``; with several processes on a machine, each has its own GPU."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and world() > 1:
        return torch.device("cuda", int(environ["LOCAL_RANK"]))
    return torch.device(name)


@contextmanager
def processes(device: str) -> Iterator[None]:
    """Join the other processes that ``torchrun`` started, if it did.

    Args:
        device: ``auto``, ``cpu`` or ``cuda``.
    """
    if dist.is_initialized() or not dist.is_torchelastic_launched():
        yield
        return
    on_gpu = device != "cpu" and torch.cuda.is_available()
    # gloo for what processes tell each other, whose tensors are on the CPU
    dist.init_process_group("cpu:gloo,cuda:nccl" if on_gpu else "gloo", timeout=LONGEST_WAIT)
    if on_gpu:
        torch.cuda.set_device(device_of("cuda"))
    # pictures, windows and noise differ from process to process
    torch.manual_seed(torch.initial_seed() + rank())
    try:
        with nullcontext() if is_first() else redirect_stdout(io.StringIO()):
            yield
    finally:
        dist.destroy_process_group()


@contextmanager
def alone() -> Iterator[None]:
    """Inside, this process behaves as if there were no other."""
    global _alone
    before, _alone = _alone, True
    try:
        yield
    finally:
        _alone = before


def by_the_first(stage: Callable[Args, None]) -> Callable[Args, None]:
    """A stage without gradient steps: the first process does it while the others wait."""

    @wraps(stage)
    def run(*args: Args.args, **options: Args.kwargs) -> None:
        if is_first():
            with alone():
                stage(*args, **options)
        wait()

    return run


def wait() -> None:
    """Until every process is here."""
    if world() > 1:
        # a barrier of NCCL would guess the device
        gathered(None)


def of_first(value: Value) -> Value:
    """What the first process has, in all of them: clocks and files may look different to each."""
    if world() == 1:
        return value
    box = [value]
    dist.broadcast_object_list(box, src=0, device=torch.device("cpu"))
    return box[0]


def gathered(value: Value) -> list[Value]:
    """The values of all processes, in all of them."""
    if world() == 1:
        return [value]
    values: list[Any] = [None] * world()
    dist.all_gather_object(values, value)
    return values


def mean(value: float) -> float:
    """The mean over the processes."""
    if world() == 1:
        return value
    total = torch.tensor(value, dtype=torch.float64)
    dist.all_reduce(total)
    return total.item() / world()


def total(values: torch.Tensor) -> torch.Tensor:
    """The sum over the processes of a tensor on the CPU, which is changed in place."""
    if world() > 1:
        dist.all_reduce(values)
    return values


def own(items: list[Item]) -> list[Item]:
    """This process's share of some items; all of them where there are fewer than processes."""
    return items if len(items) < world() else items[rank() :: world()]


def own_rows(count: int) -> slice:
    """This process's share of ``count`` rows, next to each other; all where there are too few."""
    if count < world():
        return slice(0, count)
    return slice(count * rank() // world(), count * (rank() + 1) // world())


def share_of(count: int) -> int:
    """How many of ``count`` each process does, at least one."""
    return -(-count // world())


class Step(nn.Module):
    """A step's loss as the ``forward`` of a module that holds what is trained.

    DistributedDataParallel wants one ``forward``. A loss calls several methods of what is trained,
    so it is the loss that is wrapped.
    """

    def __init__(self, trained: nn.Module, loss: Callable[..., Any]) -> None:
        super().__init__()
        self.trained, self.loss = trained, loss

    def forward(self, step: int, spent: float) -> Any:
        return self.loss(step, spent)


def averaged(trained: nn.Module, loss: Callable[..., Any]) -> Callable[..., Any]:
    """The loss, with gradients that are the mean over the processes.

    The weights and buffers of the first process are copied to the others now. Parameters that a
    step does not use are found each time: which ones differs between steps, not between processes.
    """
    if world() == 1:
        return loss
    return DistributedDataParallel(Step(trained, loss), find_unused_parameters=True)
