"""Adam with a decaying rate, to optimise the latents of one picture or a few."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

FULL_RATE_SHARE = 0.5
"""Share of the steps after which the rates begin to fall, to nothing at the last."""


def descend(parameters: Sequence[tuple[Tensor, float]], steps: int) -> Iterator[int]:
    """Steps of Adam on tensors, each with an initial rate of its own.

    Args:
        parameters: tensors and their initial rates.

    Yields:
        The number of the step, from 0. The caller leaves gradients in the tensors before it asks
        for the next.
    """
    optimiser = torch.optim.Adam(
        [{"params": [tensor]} for tensor, _ in parameters], betas=(0.9, 0.99)
    )
    for step in range(steps):
        fall = min(1.0, (steps - step) / (steps * (1 - FULL_RATE_SHARE)))
        for group, (_, rate) in zip(optimiser.param_groups, parameters):
            group["lr"] = rate * fall
        optimiser.zero_grad(set_to_none=True)
        yield step
        optimiser.step()
