"""Rate-distortion of a feature map by search, without encoder or trained entropy model.

Gradient descent on the coefficients y of a :class:`BlockKlt`, through the generator alone, with the
ideal length of their symbols as a price. An oracle for comparing resolutions, not a codec: scales
and steps are fitted to the measured pictures themselves, and their bits are not counted.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional as F

from hsc.generators.exits import render_exit
from hsc.inversion.descent import descend
from hsc.inversion.refine import Refiner
from hsc.numerics.precision import gradient_autocast
from hsc.research.evaluation.block_klt import GRID, BlockKlt

RATE = 0.1
"""Adam's first rate for y, in standard deviations of each component among rendered faces."""
STEP_RATE = 0.03
"""And for the logarithm of a component's quantiser step."""
PERCEPTUAL = 3.0
"""How much steeper than its L2 part the whole loss is taken to be, where a search begins."""
PROBES = 2
"""Random pictures that the generator's sensitivity is estimated with, for each face."""


@dataclass(frozen=True)
class Coefficients:
    """y of every picture and how it is rounded.

    Attributes:
        y: (N, K, 16, 16), not rounded.
        log_step: natural logarithm of each component's quantiser step, (K,).
        price: what a bit was taken to cost in the loss; 0 where nothing is rounded.
    """

    y: Tensor
    log_step: Tensor
    price: float

    @property
    def symbols(self) -> Tensor:
        return torch.round(self.y / self._step)

    @property
    def y_hat(self) -> Tensor:
        """The decoded y; y itself where nothing is rounded."""
        return self.symbols * self._step if self.price else self.y

    def sizes(self) -> Tensor:
        """Ideal bytes of each picture, (N,)."""
        symbols = self.symbols
        return laplace_bits(symbols, laplace_scale(symbols)).sum((1, 2, 3)) / 8

    @property
    def _step(self) -> Tensor:
        return self.log_step.exp()[:, None, None]


@dataclass(frozen=True)
class RateSearch:
    """Pictures, their S, and one resolution to describe them at.

    ::

        S -> G -> F_S --+
        y -> round -> g_s -> F -> G at 128 px -> exit 256 px -> loss + price x bits

    Attributes:
        pictures: (N, 3, 256, 256) in [-1, 1].
        w_plus: S, constant, (N, 23, 512).
    """

    klt: BlockKlt
    refiner: Refiner
    pictures: Tensor
    w_plus: Tensor

    def free(self, steps: int) -> Coefficients:
        """Optimise y without rounding and without a price on bits."""
        shape = (len(self.pictures), self.klt.basis.shape[1], GRID, GRID)
        start = Coefficients(self.pictures.new_zeros(shape), self._fine_steps(), 0.0)
        return self._descend(start, steps, 0.0)

    def priced(self, start: Coefficients, price: float, steps: int) -> Coefficients:
        """Continue from the result without a price or at a lower one.

        Steps begin where a bit more and the error less that it buys cost the same, were y dense.
        """
        log_step = start.log_step + 0.5 * math.log(price / (start.price or 1.0))
        return self._descend(Coefficients(start.y, log_step, price), steps, price)

    def _descend(self, start: Coefficients, steps: int, price: float) -> Coefficients:
        scale = self.klt.spread[:, None, None]
        unit = (start.y / scale).requires_grad_()
        log_step = start.log_step.clone().requires_grad_()
        with torch.enable_grad():
            for _ in descend(((unit, RATE), (log_step, STEP_RATE)), steps):
                self._gradients(unit * scale, log_step, price)
        return Coefficients((unit * scale).detach(), log_step.detach(), price)

    def _gradients(self, y: Tensor, log_step: Tensor, price: float) -> None:
        """Of the loss, summed over pictures; pictures pass through the generator one by one."""
        y_hat = y
        if price:
            quantiser_step = log_step.exp()[:, None, None]
            scaled = y / quantiser_step
            rounded = torch.round(scaled).detach()
            # between whole numbers the price goes on evenly, so that it also moves what rounds to 0
            bits = laplace_bits(scaled, laplace_scale(rounded))
            y_hat = (scaled + (rounded - scaled).detach()) * quantiser_step
            (price * bits.sum()).backward(retain_graph=True)
        leaf = y_hat.detach().requires_grad_()
        for index, picture in enumerate(self.pictures.split(1)):
            rendered = self._draw(leaf[index : index + 1], index)
            self.refiner.loss(rendered, picture)[0].backward()
        y_hat.backward(leaf.grad)

    @cached_property
    @torch.no_grad()
    def _features(self) -> list[Tensor]:
        """F_S of each picture, (1, C, px, px)."""
        synthesis = self.refiner.synthesis
        return [
            synthesis.feature(w.to(self.refiner.synthesis.dtype), self.klt.px)
            for w in self.w_plus.split(1)
        ]

    def _draw(self, y_hat: Tensor, index: int) -> Tensor:
        """(1, K, 16, 16) and the S of a picture to that of the 256-px exit."""
        r, styles = self.refiner, self.w_plus[index : index + 1].to(self.refiner.synthesis.dtype)
        with gradient_autocast(y_hat.device):
            feature = self.klt.restore(y_hat, self._features[index]).to(r.synthesis.dtype)
            inner = feature.contiguous(memory_format=torch.channels_last)
            return render_exit(r.synthesis, r.preview, inner, styles).float()

    def _fine_steps(self) -> Tensor:
        """Logarithm of the steps for a price of 1 a bit, (K,).

        With D = a step^2 / 12 and R = -log2 step, the sum D + price R is least at
        step^2 = 6 price / (a ln 2); a is how steeply the loss rises with a component.
        """
        steepness = PERCEPTUAL * self.refiner.loss.weights.l2 * self._sensitivity()
        return 0.5 * (6 / (math.log(2) * steepness)).log()

    def _sensitivity(self) -> Tensor:
        """Squared error of a picture, 128 px, for a unit of each component: (K,)."""
        generator = torch.Generator().manual_seed(0)
        total = torch.zeros_like(self.klt.spread)
        for index in range(len(self.w_plus)):
            y = total.new_zeros(1, len(total), GRID, GRID).requires_grad_()
            with torch.enable_grad():
                small = F.avg_pool2d(self._draw(y, index), 2)  # (1, 3, 128, 128)
            for _ in range(PROBES):
                noise = torch.randn(small.shape, generator=generator).to(small)
                (gradient,) = torch.autograd.grad((small * noise).sum(), y, retain_graph=True)
                total += gradient.square().mean((0, 2, 3)) / small.numel()
        return (total / (PROBES * len(self.w_plus))).clamp_min(1e-12)


def laplace_scale(symbols: Tensor) -> Tensor:
    """The Laplacian that fits each component best, in steps: (K, 1, 1).

    The likelihood of rounded values has one maximum in t = exp(-1 / 2 scale), the root of a
    quadratic. Half a symbol of size 1 is added to each component, so that none is beyond price.

    Args:
        symbols: whole numbers, (N, K, H, W).
    """
    magnitude = symbols.abs().transpose(0, 1).flatten(1).double()  # (K, N H W)
    count, total = magnitude.shape[1], magnitude.sum(1) + 0.5
    some = (magnitude > 0).sum(1) + 0.5
    zeros, a = count - some, 2 * total - some
    whole = count + 2 * total
    t = ((zeros.square() + 4 * whole * a).sqrt() - zeros) / (2 * whole)
    return (-0.5 / t.log()).to(symbols)[:, None, None]


def laplace_bits(values: Tensor, scale: Tensor) -> Tensor:
    """Ideal code length of values under a Laplacian integrated over steps of 1, of that shape.

    Exact at whole numbers, and differentiable between them.
    """
    m = values.abs()
    within = 1 - 0.5 * (((m - 0.5).clamp_max(0) / scale).exp() + (-(m + 0.5) / scale).exp())
    half = 0.5 / scale
    beyond = m / scale - half - torch.log1p(-torch.exp(-2 * half)) + math.log(2)
    return torch.where(m < 0.5, -within.clamp_min(1e-12).log(), beyond) / math.log(2)
