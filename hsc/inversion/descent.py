"""A search by gradient descent for one picture, or a few: how long its steps are."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

FULL_RATE_SHARE = 0.5
"""Share of the steps after which the rates begin to fall, to nothing at the last."""


def descend(moved: Sequence[tuple[Tensor, float]], steps: int) -> Iterator[int]:
    """Adam's steps on some tensors, each with a first rate of its own.

    Yields:
        The number of the step, from 0; whoever asked is to leave gradients in the tensors before
        asking for the next.
    """
    optimiser = torch.optim.Adam([{"params": [tensor]} for tensor, _ in moved], betas=(0.9, 0.99))
    for step in range(steps):
        fall = min(1.0, (steps - step) / (steps * (1 - FULL_RATE_SHARE)))
        for group, (_, rate) in zip(optimiser.param_groups, moved):
            group["lr"] = rate * fall
        optimiser.zero_grad(set_to_none=True)
        yield step
        optimiser.step()
