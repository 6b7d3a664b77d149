"""The fine styles of one picture, found by gradient steps through the generator.

Steps are those of L-BFGS with a memory of one (Nocedal and Wright, Numerical Optimization,
algorithm 7.4), in units in which the second derivative usually is 1. Pictures differ in it: steps
are therefore limited, and one that led farther from the photograph is taken back. Without that,
colours overshoot.

The fine styles of S alone are found once a photograph, at half the size of the picture. Those of S
and F begin likewise, at full size; the correction of F, which computes gradients anyway, goes on
with them for each level.
"""

from __future__ import annotations

import torch
from torch import Tensor

from hsc.generators.base import SynthesisNetwork
from hsc.inversion.distance import KnownPictures, picture_distance
from hsc.latent_codecs.fine_styles import FineStyles

LONGEST_S, LONGEST = 0.3, 0.15
"""Length of the first step, of S alone and of S and F."""
FIRST_RATE = 0.3
"""Share of a step of Newton's method that is taken while nothing is known of the picture's second
derivative."""
LONGER = 2.5
"""Factor by which later steps, which know more of the picture, may be longer."""
SHORTER = 0.25
"""Factor on the length of steps after one that led farther away."""
STEPS = 2
"""Once a photograph. Fewer leave nothing known of the second derivative; each takes as long as the
gradient of a whole picture."""


@torch.no_grad()
def find_fine_styles(
    styles: FineStyles,
    renderer: SynthesisNetwork,
    known: KnownPictures,
    feature: Tensor,
    w_plus: Tensor,
    longest: float = LONGEST,
    half: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """The latent of the fine styles with which a picture is nearer to the photograph.

    Args:
        known: the photograph.
        feature, w_plus: what is drawn, (1, 512, 32, 32) and (1, 23, 512).
        longest: length of the first step.
        half: compare at half the size.

    Returns:
        The latent, (1, K), no farther from the photograph than zero; and :func:`secant_of` the
        last move.
    """
    y = w_plus.new_zeros(1, styles.components)
    if not styles.components:
        return y, None

    def distance_at(y: Tensor) -> Tensor:
        return picture_distance(renderer, known, feature, w_plus + styles.change(y), half)

    best, secant = (torch.inf, y, y), None
    before: tuple[Tensor, Tensor] | None = None
    for _ in range(STEPS):
        y.requires_grad_()
        with torch.enable_grad():
            distance = distance_at(y)
            (gradient,) = torch.autograd.grad(distance, y)
        y = y.detach()
        if before is not None:
            secant = secant_of(styles, y - before[0], gradient - before[1])
        before = y, gradient
        if distance < best[0]:
            best = distance.item(), y, gradient
        else:
            longest *= SHORTER
        most = longest if secant is None else LONGER * longest
        y = best[1] + step_along(styles, best[2], secant, most)
    return (y if distance_at(y) < best[0] else best[1]), secant


def secant_of(styles: FineStyles, moved: Tensor, changed: Tensor) -> Tensor | None:
    """What a move says of the second derivative: (2, K), or None where it is not positive.

    Args:
        moved: the move of the latent, (1, K).
        changed: the change of the distance's gradient along it, (1, K).
    """
    root = styles.curvature.sqrt()
    pair = torch.cat([moved * root, changed / root])
    return pair if pair[0] @ pair[1] > 0 else None


def step_along(
    styles: FineStyles, gradient: Tensor, secant: Tensor | None, longest: float
) -> Tensor:
    """What a step adds to the latent of fine styles, (1, K).

    Args:
        gradient: of the distance with respect to the latent, (1, K).
        secant: of :func:`secant_of`.
        longest: length of the step, where the second derivative usually is 1.
    """
    root = styles.curvature.sqrt()
    q = gradient[0] / root
    if secant is None:
        step = FIRST_RATE * q
    else:
        moved, changed = secant
        slope = moved @ changed
        part = (moved @ q) / slope
        step = (slope / (changed @ changed)).clamp(max=1) * (q - part * changed)
        step = step + moved * (part - (changed @ step) / slope)
    return -(step * (longest / step.norm().clamp_min(1e-9)).clamp(max=1) / root)[None]
