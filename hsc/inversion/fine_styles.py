"""The fine styles of one picture, found by gradient steps through the generator.

Steps are those of gradient descent with momentum. Each component's gradient is divided by the
second derivative that it usually has, so a rate of 1 would be Newton's method.
"""

from __future__ import annotations

import torch
from torch import Tensor

from hsc.generators.base import SynthesisNetwork
from hsc.inversion.distance import KnownPictures, picture_distance
from hsc.latent_codecs.fine_styles import FineStyles

RATE, LAST_RATE = 0.3, 0.09
"""Of the first step and of the last."""
MOMENTUM = 0.5
LIMIT = 0.1
"""Largest step of a component, in units in which its second derivative is 1."""
STEPS_S, STEPS, LATER_STEPS = 2, 3, 1
"""Of S alone; of S and F, before F is corrected for a level; after that."""


def find_fine_styles(
    styles: FineStyles,
    renderer: SynthesisNetwork,
    known: KnownPictures,
    feature: Tensor,
    w_plus: Tensor,
    steps: int,
    start: Tensor | None = None,
) -> Tensor:
    """The latent of the fine styles with which a picture is nearer to the photograph.

    Args:
        known: the photograph.
        feature, w_plus: what is drawn, (1, 512, 32, 32) and (1, 23, 512).
        steps: each takes as long as rendering the picture and its gradient.
        start: the latent to begin with; zero by default. The rate is then that of the last step.

    Returns:
        (1, 64).
    """
    y = w_plus.new_zeros(1, styles.components) if start is None else start
    moved, most = torch.zeros_like(y), LIMIT / styles.curvature.sqrt()
    for step in range(steps):
        y = y.clone().requires_grad_()
        with torch.enable_grad():
            distance = picture_distance(renderer, known, feature, w_plus + styles.change(y))
            (gradient,) = torch.autograd.grad(distance, y)
        moved = MOMENTUM * moved + gradient / styles.curvature
        part = 1.0 if start is not None else step / max(1, steps - 1)
        rate = RATE + (LAST_RATE - RATE) * part
        y = y.detach() - torch.minimum((rate * moved).abs(), most) * moved.sign()
    return y
