"""Stage "styles": the basis, the curvature and the gains of the fine styles of both layers.

There is no training in steps. The basis is the principal components of where descents of the
distance of files' pictures from their photographs lead, under a metric of what a change of each
style does: the principal directions of gradients lead away from the person. The curvature is the
change of the gradient per unit of movement along a descent, the spread of a component that of what
searches find. A quantiser step then costs the same in every component.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from hsc.codec import Codec
from hsc.images.tensors import to_pixels
from hsc.inversion.descent import descend
from hsc.inversion.distance import FULL, HALF, QUARTER, Drawn
from hsc.inversion.fine_styles import OF_S, OF_S_AND_F, Search, find_fine_styles
from hsc.latent_codecs.fine_styles import FineStyles
from hsc.latent_codecs.gaussian import MIN_LOG2

STEP_COSTS = {
    "scn": (0.011, 0.009, 0.0075, 0.006, 0.005, 0.004),
    "fcn": (0.0022, 0.00044, 0.00028, 0.000144, 0.00002, 0.00001),
}
"""Second derivative of the distance with respect to a quantiser step, at levels 1 to 6. Those of
FCN follow the price of a byte."""
FITTED_LEVELS = {"scn": (1.0, 1.0, 2.0, 3.0), "fcn": (2.0, 3.0, 4.0, 5.0)}
"""Of the files that are looked at, in turn."""
DESCENT_STEPS, DESCENT_RATE = 10, 0.3
"""Along which curvature is measured, in units of components before their spread is known."""
FREE_RATE = 0.025
"""Of a descent of all styles that a layer changes, in standard deviations of w."""
LEAST_CURVATURE, LEAST_SPREAD = 1e-4, 0.05
"""Few photographs may say nothing of a component."""
SMOOTHED = 5
"""Neighbouring components whose estimates are averaged: there are few photographs."""


@dataclass(frozen=True)
class FineStylesConfig:
    """``configs/styles.yaml``."""

    layers: str
    least_px: int
    basis_pictures: int
    searched: int


SEARCHES = {"scn": OF_S, "fcn": OF_S_AND_F}
FREE_SIZES = {"scn": [*[QUARTER] * 11, *[HALF] * 3], "fcn": [FULL] * 6}
"""At which size each step of a descent of all styles compares."""


def drawn_by_file(codec: Codec, picture: Image.Image, level: float, layer: str) -> Drawn:
    """What the file of a photograph draws without fine styles and correction of F.

    Args:
        layer: "scn", the picture of S alone, or "fcn", that of S and F.
    """
    encoder = codec.encoder
    found = encoder.analyse(picture, correct=False)
    known = encoder.known_picture(to_pixels(picture).contiguous())
    if layer == "scn":
        w_plus = codec.networks.scn.decoded(found.w_plus, level).to(found.w_plus)
        return encoder.drawn_alone(known, w_plus)
    opened = codec.open(codec.compress(found, level))
    return Drawn(encoder.refiner.renderer, known, opened.feature, opened.semantics)


def gradient(drawn: Drawn, x: Tensor, change: Callable[[Tensor], Tensor], size: int) -> Tensor:
    """Of a picture's distance, with respect to ``x``, which changes w+."""
    x = x.detach().requires_grad_()
    with torch.enable_grad():
        distance = drawn.distance(drawn.w_plus + change(x), size)
        (found,) = torch.autograd.grad(distance, x)
    return found


def free_descent(drawn: Drawn, first: int, sizes: Sequence[int], w_std: Tensor) -> Tensor:
    """What a descent of all styles from the first on changes, in standard deviations of w:
    (1, 23 - first, 512)."""

    def change(x: Tensor) -> Tensor:
        return F.pad(w_std * x, (0, 0, first, 0))

    x = torch.zeros_like(drawn.w_plus[:, first:]).requires_grad_()
    for step in descend([(x, FREE_RATE)], len(sizes)):
        x.grad = gradient(drawn, x, change, sizes[step])
    return x.detach()


def components_of_descents(
    changes: Tensor, w_plus: Tensor, affine: Sequence[Tensor], count: int
) -> Tensor:
    """The principal components of changes of styles around no change, each of one standard
    deviation: (count, n, 512).

    Fewer changes than components give fewer; the others are zero.

    Args:
        changes: (N, n, 512), in standard deviations of w; w_plus: what they changed, likewise.
        affine: (C, 512) for each style: how the generator's channels follow it. A change counts by
            what it changes there, relative to the spread over faces.
    """
    spread = w_plus - w_plus.mean(0)
    views = []
    for index, matrix in enumerate(affine):
        usual = (spread[:, index] @ matrix.T).square().sum(1).mean().sqrt()
        views.append(changes[:, index] @ matrix.T / usual.clamp_min(1e-9))
    left = torch.linalg.svd(torch.cat(views, 1), full_matrices=False)[0][:, :count]  # (N, K)
    components = torch.einsum("nk,nsd->ksd", left, changes) / len(changes) ** 0.5
    return F.pad(components, (0, 0, 0, 0, 0, count - len(components)))


def fit_fine_styles(
    styles: FineStyles,
    directions: Tensor,
    searched: list[Drawn],
    search: Search,
    costs: tuple[float, ...],
) -> None:
    """Set the buffers of a layer's fine styles.

    Args:
        directions: of changes of w+, of the basis's shape; those of zero stay unused.
        searched: pictures whose descents give curvature and spread.
        costs: of a quantiser step, at each named level.
    """
    styles.basis.copy_(directions)
    descents = [_descent(styles, each, search.size) for each in searched]
    changed, moved = (torch.stack(column).sum(0) for column in zip(*descents))
    curvature = (changed / moved.clamp_min(1e-9)).clamp_min(LEAST_CURVATURE)
    styles.curvature.copy_(_smooth(curvature))
    found = [find_fine_styles(styles, each, search)[0] for each in searched]
    spread = torch.cat(found).square().mean(0).sqrt().clamp_min(LEAST_SPREAD)  # (K,)
    root = styles.curvature.sqrt()
    spread = _smooth(spread * root) / root
    styles.basis.mul_(spread[:, None, None])
    styles.curvature.mul_(spread.square())
    steps = torch.tensor(costs)[:, None] / styles.curvature.cpu()
    used = styles.basis.flatten(1).any(1).cpu()
    styles.log2_gain.copy_(torch.where(used, -0.5 * steps.log2(), MIN_LOG2))


def _descent(styles: FineStyles, drawn: Drawn, size: int) -> tuple[Tensor, Tensor]:
    """Along a descent, by component: changes of the gradient times those of y, and the latter's
    squares, (K,) each."""
    y = torch.zeros_like(styles.curvature)[None].requires_grad_()
    first: Tensor | None = None
    changed, moved = torch.zeros_like(styles.curvature), torch.zeros_like(styles.curvature)
    for _ in descend([(y, DESCENT_RATE)], DESCENT_STEPS):
        y.grad = gradient(drawn, y, styles.change, size)
        first = y.grad if first is None else first
        changed += (y.detach() * (y.grad - first))[0]
        moved += y.detach().square()[0]
    return changed, moved


def _smooth(values: Tensor) -> Tensor:
    """The geometric mean of neighbours, (K,)."""
    edge = SMOOTHED // 2
    padded = F.pad(values.log()[None, None], (edge, edge), "replicate")
    return F.avg_pool1d(padded, SMOOTHED, 1)[0, 0].exp()
