"""The fine styles of one picture, found by gradient steps through the generator.

Steps are those of L-BFGS (Nocedal and Wright, Numerical Optimization, algorithm 7.4), in units in
which the second derivative usually is 1. Pictures differ in it: steps are therefore limited, and
one that led farther from the photograph is taken back. Without that, colours overshoot.
"""

from __future__ import annotations

from dataclasses import dataclass, field

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
STEPS_S, STEPS = 2, 3
"""Numbers of steps, for S alone and for S and F: once a photograph, for all levels. One more step
for each level brought LPIPS@1024 .003 nearer and took a second; at level 1 it tinted sepia."""


@dataclass
class _Curvature:
    """What steps so far say of the second derivative, as L-BFGS keeps it."""

    moved: list[Tensor] = field(default_factory=list)
    changed: list[Tensor] = field(default_factory=list)

    def learn(self, moved: Tensor, changed: Tensor) -> None:
        """Of a move (K,), and the change of the gradient along it."""
        if moved @ changed > 0:
            self.moved.append(moved)
            self.changed.append(changed)

    def newton(self, gradient: Tensor) -> Tensor:
        """The inverse of the second derivative times the gradient, (K,)."""
        pairs, q, parts = list(zip(self.moved, self.changed)), gradient, list[Tensor]()
        if not pairs:
            return FIRST_RATE * q
        for s, y in reversed(pairs):
            parts.append((s @ q) / (s @ y))
            q = q - parts[-1] * y
        s, y = pairs[-1]
        q = q * ((s @ y) / (y @ y)).clamp(max=1)
        for (s, y), part in zip(pairs, reversed(parts)):
            q = q + s * (part - (y @ q) / (s @ y))
        return q


@torch.no_grad()
def find_fine_styles(
    styles: FineStyles,
    renderer: SynthesisNetwork,
    known: KnownPictures,
    feature: Tensor,
    w_plus: Tensor,
    steps: int,
    longest: float = LONGEST,
) -> Tensor:
    """The latent of the fine styles with which a picture is nearer to the photograph.

    Args:
        known: the photograph.
        feature, w_plus: what is drawn, (1, 512, 32, 32) and (1, 23, 512).
        steps: each takes as long as rendering the picture and its gradient.
        longest: length of the first step.

    Returns:
        (1, K). No farther from the photograph than zero.
    """
    if not styles.components:
        return w_plus.new_zeros(1, 0)
    root = styles.curvature.sqrt()

    def distance_at(z: Tensor) -> Tensor:
        changed = w_plus + styles.change((z / root)[None])
        return picture_distance(renderer, known, feature, changed)

    z = torch.zeros_like(root)
    best, curvature = (torch.inf, z, torch.zeros_like(z)), _Curvature()
    before: tuple[Tensor, Tensor] | None = None
    for _ in range(steps):
        z.requires_grad_()
        with torch.enable_grad():
            distance = distance_at(z)
            (gradient,) = torch.autograd.grad(distance, z)
        z = z.detach()
        if before is not None:
            curvature.learn(z - before[0], gradient - before[1])
        before = z, gradient
        if distance < best[0]:
            best = distance.item(), z, gradient
        else:
            longest *= SHORTER
        step = curvature.newton(best[2])
        most = longest * (LONGER if curvature.moved else 1)
        z = best[1] - step * (most / step.norm().clamp_min(1e-9)).clamp(max=1)
    if not distance_at(z) < best[0]:
        z = best[1]
    return (z / root)[None]
