"""The one training loop: budget, schedule, EMA, checkpoints and log, whatever is trained."""

import json
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from hsc.research import distributed
from hsc.research.training.log import CsvLog

Item = TypeVar("Item")
REWARM_STEPS = 60
CHECKPOINT_SECONDS = 120
DECAY = 0.998
"""Of the moving average of weights."""


@dataclass
class Budget:
    """How long to train: whichever of steps and minutes ends first.

    Attributes:
        steps: optimiser steps of this call.
        minutes: wall-clock minutes of this call.
    """

    steps: int
    minutes: float

    def __post_init__(self) -> None:
        self.started = time.monotonic()

    def spent(self, step: int) -> float:
        """Fraction of the budget used, in [0, 1]."""
        minutes = (time.monotonic() - self.started) / 60
        return min(1.0, max(step / self.steps, minutes / self.minutes))


class Checkpoint:
    """Weights and their moving average on disk, without pickle.

    ``<folder>/weights.safetensors`` holds the live weights, ``ema.safetensors`` the average and
    ``state.json`` the counters. Optimiser moments are not kept: a resumed run re-warms them. Of
    several processes the first one averages and writes; a checkpoint does not tell how many there
    were.
    """

    def __init__(self, folder: Path, module: nn.Module, decay: float = DECAY) -> None:
        self.folder, self.module, self.decay = folder, module, decay
        folder.mkdir(parents=True, exist_ok=True)
        self.counters: dict[str, float] = {"steps": 0, "images": 0, "minutes": 0.0}
        self.ema = {k: v.detach().clone().float() for k, v in module.state_dict().items()}

    def resume(self) -> bool:
        """Load what the folder holds; False when there is nothing."""
        if not (self.folder / "weights.safetensors").exists():
            return False
        self.module.load_state_dict(load_file(self.folder / "weights.safetensors"))
        self.ema = load_file(self.folder / "ema.safetensors")
        self.counters |= json.loads((self.folder / "state.json").read_text())
        return True

    @torch.no_grad()
    def count(self, images: int) -> None:
        """Count a step of so many pictures, and take its weights into their average."""
        self.counters["steps"] += 1
        self.counters["images"] += images
        if not distributed.is_first():
            return
        step = self.counters["steps"]
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, value in self.module.state_dict().items():
            self.ema[name].lerp_(value.float().to(self.ema[name].device), 1 - decay)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The module has its averaged weights meanwhile, to be measured."""
        live = {k: v.clone() for k, v in self.module.state_dict().items()}
        self.module.load_state_dict(self.ema)
        try:
            yield
        finally:
            self.module.load_state_dict(live)

    def means(
        self, items: Sequence[Item], figures: Callable[[Item], dict[str, float]]
    ) -> dict[str, float]:
        """The mean of each figure over some items, with the averaged weights."""
        sums: dict[str, float] = {}
        with self.averaged():
            for item in items:
                for name, figure in figures(item).items():
                    sums[name] = sums.get(name, 0.0) + figure / len(items)
        return sums

    def save(self) -> None:
        if not distributed.is_first():
            return
        live = {k: v.detach().contiguous() for k, v in self.module.state_dict().items()}
        for name, tensors in (("weights", live), ("ema", self.ema)):
            # written beside and renamed, so that a run stopped half way leaves the old file whole
            path = self.folder / f"{name}.safetensors"
            save_file({k: v.contiguous() for k, v in tensors.items()}, path.with_suffix(".new"))
            path.with_suffix(".new").replace(path)
        (self.folder / "state.json").write_text(json.dumps(self.counters))


def train(
    checkpoint: Checkpoint,
    groups: Iterable[dict],
    loss: Callable[[int, float], tuple[Tensor, dict[str, float]]],
    budget: Budget,
    log: CsvLog,
    *,
    batch: int,
    log_every: int = 20,
    clip: float = 1.0,
    evaluate: Callable[[], dict[str, float]] | None = None,
    evaluate_minutes: float = 15.0,
) -> None:
    """Run the optimiser until the budget is spent.

    Several processes take each step together, see :mod:`hsc.research.distributed`: with the mean of
    their gradients, by the clock of the first one, which alone evaluates.

    Args:
        checkpoint: what is trained and where it is kept.
        groups: AdamW parameter groups, each with its own ``lr``.
        loss: ``loss(step, spent)`` gives the scalar to minimise and the figures to log. What is
            trained is part of ``checkpoint``'s module.
        budget: steps and minutes of this call.
        log: receives a row every ``log_every`` steps.
        batch: pictures a step and process, for the count of pictures seen.
        clip: gradient norm above which the gradient is scaled down.
        evaluate: validation figures, logged every ``evaluate_minutes`` and at the end.
    """
    groups = list(groups)
    optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.99), weight_decay=0.0)
    base = [g["lr"] for g in groups]
    parameters = [p for g in groups for p in g["params"]]
    minutes_before = checkpoint.counters["minutes"]
    figures_since: dict[str, list[float]] = {}
    saved = evaluated = time.monotonic()
    measures = distributed.is_first()
    step = 0
    step_loss = distributed.averaged(checkpoint.module, loss)
    while (spent := distributed.of_first(budget.spent(step))) < 1.0:
        # cosine over the budget, and a warm-up because the optimiser's moments start from nothing
        factor = min(1.0, (step + 1) / REWARM_STEPS) * (0.02 + 0.98 * _cosine(spent))
        for group, lr in zip(optimiser.param_groups, base):
            group["lr"] = lr * factor
        value, figures = step_loss(step, spent)
        if not math.isfinite(value.item()):
            raise RuntimeError(f"the loss became {value.item()} at step {step}: lower the rate")
        optimiser.zero_grad(set_to_none=True)
        value.backward()
        torch.nn.utils.clip_grad_norm_(parameters, clip)
        optimiser.step()
        step += 1
        checkpoint.count(batch * distributed.world())
        now = time.monotonic()
        checkpoint.counters["minutes"] = minutes_before + (now - budget.started) / 60
        for name, figure in ({"loss": value.item()} | figures).items():
            figures_since.setdefault(name, []).append(figure)
        if step % log_every == 0:
            # steps differ in their figures: each mean is over the steps that have it
            means = _means(distributed.gathered(figures_since))
            log.write({"step": checkpoint.counters["steps"], "spent": round(spent, 3)} | means)
            figures_since = {}
        if now - saved > CHECKPOINT_SECONDS:
            checkpoint.save()
            saved = now
        if measures and evaluate and now - evaluated > 60 * evaluate_minutes:
            log.write({"step": checkpoint.counters["steps"]} | evaluate())
            evaluated = time.monotonic()
    checkpoint.save()
    if measures and evaluate:
        log.write({"step": checkpoint.counters["steps"]} | evaluate())
    print(f"checkpoint in {checkpoint.folder}, log in {log.path}", flush=True)


def _means(figures: list[dict[str, list[float]]]) -> dict[str, float]:
    """Of each figure, over the steps of every process that have it."""
    joined: dict[str, list[float]] = {}
    for of_process in figures:
        for name, values in of_process.items():
            joined.setdefault(name, []).extend(values)
    return {name: sum(values) / len(values) for name, values in joined.items()}


def _cosine(spent: float, flat: float = 0.4) -> float:
    """1 for the first ``flat`` of the budget, then half a cosine down to 0."""
    if spent < flat:
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (spent - flat) / (1 - flat)))
