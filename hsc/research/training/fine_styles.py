"""Stage "styles": the basis, the curvature and the gains of the fine styles of both layers.

There is no training in steps. The basis is the principal directions of the gradients of the
distance of files' pictures from their photographs. The curvature is the change of the gradient per
unit of movement along a descent, the spread of a component that of what searches find. A quantiser
step then costs the same in every component.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from hsc.codec import Codec
from hsc.generators.base import SynthesisNetwork
from hsc.inversion.descent import descend
from hsc.inversion.distance import KnownPictures, picture_distance
from hsc.inversion.fine_styles import LONGEST, LONGEST_S, find_fine_styles
from hsc.latent_codecs.fine_styles import FineStyles
from hsc.latent_codecs.gaussian import MIN_LOG2

STEP_COSTS = {
    "scn": (0.0064, 0.0049, 0.0036, 0.0025, 0.0016, 0.0009),
    "fcn": (0.0022, 0.00044, 0.00028, 0.000144, 0.00002, 0.00001),
}
"""Second derivative of the distance with respect to a quantiser step, at levels 1 to 6. Those of
FCN follow the price of a byte."""
DESCENT_STEPS, DESCENT_RATE = 10, 0.3
"""Along which curvature is measured, in units of w's standard deviation."""
LEAST_CURVATURE, LEAST_SPREAD = 1e-4, 0.05
"""Few photographs may say nothing of a component."""
SMOOTHED = 5
"""Neighbouring components whose estimates are averaged: there are few photographs."""


@dataclass(frozen=True)
class FineStylesConfig:
    """``configs/styles.yaml``."""

    least_px: int
    basis_pictures: int
    searched: int


@dataclass(frozen=True)
class Drawn:
    """A picture that fine styles change.

    Attributes:
        known: its photograph.
        feature, w_plus: what is drawn, (1, 512, 32, 32) and (1, 23, 512).
        longest, half: of searches, as :func:`find_fine_styles` takes them.
    """

    renderer: SynthesisNetwork
    known: KnownPictures
    feature: Tensor
    w_plus: Tensor
    longest: float = LONGEST
    half: bool = False

    def gradient(self, x: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
        """Of its distance from the photograph, with respect to ``x``, which changes w+."""
        x = x.detach().requires_grad_()
        with torch.enable_grad():
            w_plus = self.w_plus + change(x)
            distance = picture_distance(self.renderer, self.known, self.feature, w_plus, self.half)
            (gradient,) = torch.autograd.grad(distance, x)
        return gradient


def drawn_by_files(
    codec: Codec, pictures: Iterator[Image.Image], count: int
) -> Iterator[dict[str, Drawn]]:
    """What files of photographs draw without fine styles, at levels 2 to 5 in turn.

    Yields:
        The pictures of a file by layer: of S alone ("scn"), and of S and F ("fcn").
    """
    refiner = codec.encoder.refiner
    for number, picture in zip(range(count), pictures):
        found = codec.analyse(picture)
        assert found.crop is not None
        bare = replace(found, fine_s=None, fine=None, secant=None)
        opened = codec.open(codec.compress(bare, 2.0 + number % 4))
        known, w_plus = codec.encoder.known_picture(found.crop), opened.semantics
        yield {
            "scn": Drawn(refiner.synthesis, known, opened.feature_s, w_plus, LONGEST_S, half=True),
            "fcn": Drawn(refiner.renderer, known, opened.feature, w_plus),
        }


def gradient_of_styles(styles: FineStyles, drawn: Drawn, w_std: Tensor) -> Tensor:
    """Of a picture's distance with respect to the styles above F, in standard deviations of w:
    (1, 13 x 512)."""

    def change(above: Tensor) -> Tensor:
        return F.pad(w_std * above, (0, 0, styles.first, 0))

    return drawn.gradient(torch.zeros_like(styles.basis[:1]), change).flatten(1)


def fit_fine_styles(
    styles: FineStyles,
    gradients: list[Tensor],
    searched: list[Drawn],
    w_std: Tensor,
    costs: tuple[float, ...],
) -> None:
    """Set the buffers of a layer's fine styles.

    Fewer photographs than components give fewer directions; the other components stay unused.

    Args:
        gradients: of :func:`gradient_of_styles`, one a picture.
        searched: pictures whose descents give curvature and spread.
        w_std: of w, (512,): the unit of directions before their spread is known.
        costs: of a quantiser step, at each named level.
    """
    rows = torch.linalg.svd(torch.cat(gradients), full_matrices=False)[2]
    directions = torch.zeros_like(styles.basis).flatten(1)
    directions[: len(rows)] = rows[: styles.components]
    styles.basis.copy_(w_std * directions.unflatten(1, styles.basis.shape[1:]))
    descents = [_descent(styles, each) for each in searched]
    changed, moved = (torch.stack(column).sum(0) for column in zip(*descents))
    curvature = (changed / moved.clamp_min(1e-9)).clamp_min(LEAST_CURVATURE)
    styles.curvature.copy_(_smooth(curvature))
    found = [
        find_fine_styles(
            styles, each.renderer, each.known, each.feature, each.w_plus, each.longest, each.half
        )[0]
        for each in searched
    ]
    spread = torch.cat(found).square().mean(0).sqrt().clamp_min(LEAST_SPREAD)  # (K,)
    root = styles.curvature.sqrt()
    spread = _smooth(spread * root) / root
    styles.basis.mul_(spread[:, None, None])
    styles.curvature.mul_(spread.square())
    steps = torch.tensor(costs)[:, None] / styles.curvature.cpu()
    used = styles.basis.flatten(1).any(1).cpu()
    styles.log2_gain.copy_(torch.where(used, -0.5 * steps.log2(), MIN_LOG2))


def _descent(styles: FineStyles, drawn: Drawn) -> tuple[Tensor, Tensor]:
    """Along a descent, by component: changes of the gradient times those of y, and the latter's
    squares, (K,) each."""
    y = torch.zeros_like(styles.curvature)[None].requires_grad_()
    first: Tensor | None = None
    changed, moved = torch.zeros_like(styles.curvature), torch.zeros_like(styles.curvature)
    for _ in descend([(y, DESCENT_RATE)], DESCENT_STEPS):
        y.grad = drawn.gradient(y, styles.change)
        first = y.grad if first is None else first
        changed += (y.detach() * (y.grad - first))[0]
        moved += y.detach().square()[0]
    return changed, moved


def _smooth(values: Tensor) -> Tensor:
    """The geometric mean of neighbours, (K,)."""
    edge = SMOOTHED // 2
    padded = F.pad(values.log()[None, None], (edge, edge), "replicate")
    return F.avg_pool1d(padded, SMOOTHED, 1)[0, 0].exp()
