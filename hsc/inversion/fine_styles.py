"""The fine styles of one picture, found by gradient steps through the generator.

Steps are those of L-BFGS with a memory of one (Nocedal and Wright, Numerical Optimization,
algorithm 7.4), in units in which the second derivative usually is 1. Pictures differ in it: steps
are therefore limited, and here one that led farther from the photograph is taken back. Without
that, colours overshoot.

The fine styles of S alone change all styles, and need no more than a quarter of the size: a step
through the exit for previews takes a sixth of the time. Most are taken once a photograph, the last
ones for a level, with S as that level codes it. Those of S and F, which change texture and colour,
begin once a photograph, at full size. The correction of F, which computes gradients anyway, goes on
with them for every level above 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hsc.inversion.distance import FULL, QUARTER, Drawn
from hsc.inversion.progress import Stepped, nothing
from hsc.latent_codecs.fine_styles import FineStyles


@dataclass(frozen=True)
class Search:
    """How the fine styles of a layer are searched for.

    Attributes:
        size: at which pictures are compared.
        steps: how many.
        longest: limit of a step while nothing is known of the picture's second derivative.
    """

    size: int
    steps: int
    longest: float


OF_S, OF_S_AND_F = Search(QUARTER, steps=6, longest=1.0), Search(FULL, steps=2, longest=0.15)
"""Once a photograph. Fewer steps of S and F leave nothing known of the second derivative; each
takes as long as the gradient of a whole picture."""
OF_S_AT_LEVEL = Search(QUARTER, steps=3, longest=1.0)
"""The last steps of S alone, for each level."""
FIRST_RATE = 0.3
"""Share of a step of Newton's method that is taken while nothing is known of the picture's second
derivative."""
LONGER = 2.5
"""Factor by which later steps, which know more of the picture, may be longer."""
SHORTER = 0.25
"""Factor on the length of steps after one that led farther away."""


class LimitedSteps:
    """Steps of one latent of fine styles.

    Args:
        secant: what earlier steps have learned, as :attr:`secant`.

    Attributes:
        secant: the last move along which the gradient grew, and the change of the gradient along
            it, in units in which the second derivative usually is 1: (2, K). None: there is none.
    """

    def __init__(self, styles: FineStyles, secant: Tensor | None = None) -> None:
        self.root, self.secant = styles.curvature.sqrt(), secant
        self._before: tuple[Tensor, Tensor] | None = None

    def learn(self, y: Tensor, gradient: Tensor) -> None:
        """Take in the gradient of the distance with respect to the latent at y, (1, K) both."""
        if self._before is not None:
            moved, changed = y - self._before[0], gradient - self._before[1]
            secant = torch.cat([moved * self.root, changed / self.root])
            if secant[0] @ secant[1] > 0:
                self.secant = secant
        self._before = y, gradient

    def step(self, gradient: Tensor, longest: float) -> Tensor:
        """What a step adds to the latent, (1, K).

        Args:
            gradient: at the latent, (1, K).
            longest: length of the step, where the second derivative usually is 1.
        """
        q = gradient[0] / self.root
        if self.secant is None:
            step = FIRST_RATE * q
        else:
            moved, changed = self.secant
            slope = moved @ changed
            part = (moved @ q) / slope
            step = (slope / (changed @ changed)).clamp(max=1) * (q - part * changed)
            step = step + moved * (part - (changed @ step) / slope)
        return -(step * (longest / step.norm().clamp_min(1e-9)).clamp(max=1) / self.root)[None]


@torch.no_grad()
def find_fine_styles(
    styles: FineStyles,
    drawn: Drawn,
    search: Search,
    start: Tensor | None = None,
    secant: Tensor | None = None,
    stepped: Stepped = nothing,
) -> tuple[Tensor, Tensor | None]:
    """The latent of the fine styles with which a picture is nearer to the photograph.

    Args:
        drawn: the picture without them.
        start, secant: latent and secant that an earlier search has found, (1, K) and (2, K).
        stepped: called after each step.

    Returns:
        The latent, (1, K), no farther from the photograph than any before it, and
        :attr:`LimitedSteps.secant`.
    """
    y = drawn.w_plus.new_zeros(1, styles.components) if start is None else start
    if not styles.components:
        return y, None

    steps, best, longest = LimitedSteps(styles, secant), (torch.inf, y, y), search.longest
    for _ in range(search.steps):
        y = y.detach().requires_grad_()
        with torch.enable_grad():
            distance = drawn.distance(styles.add(drawn.w_plus, y), search.size)
            (gradient,) = torch.autograd.grad(distance, y)
        y = y.detach()
        steps.learn(y, gradient)
        if distance < best[0]:
            best = distance.item(), y, gradient
        else:
            longest *= SHORTER
        most = longest if steps.secant is None else LONGER * longest
        y = best[1] + steps.step(best[2], most)
        stepped()
    nearer = drawn.distance(styles.add(drawn.w_plus, y), search.size) < best[0]
    return (y if nearer else best[1]), steps.secant
