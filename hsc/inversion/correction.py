"""A correction of F for one level: learned gradient steps through the whole codec.

The encoder finds F before anything is coded, and compares what F draws with the photograph at 128
px only. The correction draws what the *file* would draw, at full size, and takes the gradient of
its distance from the photograph, and of the price of its bits, with respect to F. A network turns
this gradient into a change of F, twice. The fine styles of S and F, whose gradient comes with it,
take a step of L-BFGS each time. Only the encoder has it: files and their decoder stay as they are.

Source: iterative amortised inference (Marino et al. 2018, arXiv 1807.09356), two steps of it; the
same gradients as in :mod:`hsc.inversion.refine`, which takes plain steps with them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.config import SHIPPED, CodecConfig
from hsc.generators.base import SynthesisNetwork
from hsc.images.bandwidth import all_band_limited
from hsc.inversion.distance import KnownPictures
from hsc.inversion.feedback import style_above_feature
from hsc.inversion.fine_styles import LimitedSteps
from hsc.inversion.progress import Stepped, nothing
from hsc.latent_codecs.feature_slices.model import FeatureCodec, Semantics
from hsc.layers import ResidualBlock, zeroed
from hsc.levels import LEVELS, MIN_LEVEL, interpolation
from hsc.numerics.precision import gradient_autocast

CORRECTION = "correction"
"""Name of the weight file, which a model's encoder may lack."""
STEPS = 2
START_STRENGTHS = (1.0, 0.5)
"""Parts of a change that are made in each step, before training."""
START_RATE = 0.02
"""Initial rate of the plain step, in standard deviations of F for a typical gradient."""
FINE_LONGEST = 0.2
"""Length of a step of the fine styles, as in :mod:`hsc.inversion.fine_styles`; less below level 2,
since there is no correction at level 1."""
LIMIT = 4.0
"""Gradients are limited to so many times their typical size."""

FULL_LEVEL = 3.0
"""From this level on the whole change is made, below it a part, at level 1 none. In few bytes the
gradient trades the person for texture: at level 1 LPIPS@1024 went from .322 to .317, and dlib's
distance from .295 to .356, that of FaceRes, which nothing was trained on, from .462 to .515."""

Render = Callable[[Tensor, Tensor | None], Tensor]
"""F^ (B, 512, h, h) and the latent of fine styles, (1, K) or None, to a picture or a window."""


def strength_at(level: float) -> float:
    """Part of the change that is made at a level, 0 to 1."""
    return min(1.0, (level - MIN_LEVEL) / (FULL_LEVEL - MIN_LEVEL))


def limited_gradient(u: Tensor) -> Tensor:
    """A gradient in units of its typical size, none of it above ``LIMIT``."""
    return u / (1 + u.abs() / LIMIT)


class FeatureCorrection(nn.Module):
    """Gradient with respect to F, F and F^ -> a better F.

    ::

        gradient / its typical size at the level, limited = u -> 1x1 -+
        F / std -> 1x1 -----------------------------------------------+
        (F - F^) / std -> 1x1 ----------------------------------------+
             -> sum x (1 + a) + b -> residual blocks -> leaky -> 1x1 -> + -> x strength(step)
                      a, b <- style of the block above F, level, step   |      x std -> + F
        - rate(level) x u ----------------------------------------------+

    The last layer is initialised to zero: before training it is a plain gradient step.

    Args:
        config: sizes of F and of styles.

    Attributes:
        scale: root mean square of the gradient of each channel at each level, (6, 512).
        price: of a kilobyte at each level, (6,), in the gradient's objective.
    """

    def __init__(self, config: CodecConfig = SHIPPED, width: int = 256, depth: int = 3) -> None:
        super().__init__()
        generator = config.generator
        channels = generator.feature_channels
        self.gradient = nn.Conv2d(channels, width, 1)
        self.feature = nn.Conv2d(channels, width, 1)
        self.coded = nn.Conv2d(channels, width, 1)
        self.style = zeroed(nn.Linear(generator.style_dim, 2 * width))
        self.level = zeroed(nn.Linear(len(LEVELS), 2 * width, bias=False))
        self.step = zeroed(nn.Linear(STEPS, 2 * width, bias=False))
        self.strength = nn.Parameter(torch.tensor(START_STRENGTHS))
        self.rate = nn.Parameter(torch.full((len(LEVELS), channels), START_RATE))
        self.blocks = nn.Sequential(*[ResidualBlock(width) for _ in range(depth)])
        self.out = zeroed(nn.Conv2d(width, channels, 1))
        self.scale: Tensor
        self.price: Tensor
        self.register_buffer("scale", torch.ones(len(LEVELS), channels))
        self.register_buffer("price", torch.ones(len(LEVELS)))

    def price_at(self, level: float) -> float:
        """Of a kilobyte, between the levels by its logarithm."""
        low, high, t = interpolation(level)
        below, above = (math.log(float(self.price[i])) for i in (low, high))
        return math.exp((1 - t) * below + t * above)

    def forward(
        self,
        gradient: Tensor,
        feature: Tensor,
        feature_hat: Tensor,
        style: Tensor,
        level: float,
        step: int,
    ) -> Tensor:
        """What to add to F, in standard deviations of its channels: (B, 512, h, h).

        Args:
            gradient: with respect to F / std, (B, 512, h, h).
            feature, feature_hat: F / std and F^ / std, of the same shape.
            style: (B, 512), the style of the block above F, standardised.
            step: from 0.
        """
        low, high, t = interpolation(level)
        share = gradient.new_zeros(len(LEVELS))  # of each named level
        share[low] += 1 - t
        share[high] += t
        u = limited_gradient(gradient / (share @ self.scale)[:, None, None])  # (B, 512, h, h)
        h = self.gradient(u) + self.feature(feature) + self.coded(feature - feature_hat)
        modulation = self.style(style) + self.level(share) + self.step.weight[:, step]
        a, b = modulation[:, :, None, None].chunk(2, 1)  # (B, width, 1, 1) each
        h = self.blocks(h * (1 + a) + b)  # (B, width, h, h)
        change: Tensor = self.out(F.leaky_relu(h, 0.2)).float()  # (B, 512, h, h)
        return self.strength[step] * (change - (share @ self.rate)[:, None, None] * u)


class Gradients(NamedTuple):
    """What :class:`FileGradient` gives: gradients, and where they were computed.

    Attributes:
        feature: with respect to F / std.
        fine: of the picture's distance alone, with respect to the latent of the fine styles.
        feature_hat: F^.
    """

    feature: Tensor
    fine: Tensor | None
    feature_hat: Tensor


@dataclass(frozen=True)
class FileGradient:
    """The gradient of what a file costs and draws, with respect to F and to its fine styles.

    Attributes:
        fcn: frozen.
    """

    fcn: FeatureCodec

    def __call__(
        self,
        feature: Tensor,
        level: float,
        semantics: Semantics,
        price: float,
        render: Render,
        known: KnownPictures,
        rated: Tensor | None = None,
        fine: Tensor | None = None,
    ) -> Gradients:
        """Code F and draw F^.

        Args:
            feature: F, (B, 512, h, h), the whole or a part of it.
            price: of a kilobyte.
            render: draws what is compared with ``known``.
            rated: where bits count, see :meth:`FeatureCodec.forward`.
            fine: latent of the fine styles to draw with; their bits are not counted.
        """
        spec = self.fcn.config.generator
        std = self.fcn.feature_std[:, None, None]
        cells = (known.pyramid[0].shape[-1] * spec.feature_px / spec.image_px) ** 2
        feature = feature.detach().requires_grad_()
        moved = [feature]
        if fine is not None:
            fine = fine.detach().requires_grad_()
            moved.append(fine)
        with torch.enable_grad(), gradient_autocast(feature.device):
            feature_hat, bits = self.fcn(feature, level, semantics, rated=rated)
            feature_hat = feature_hat.float()
            limited = all_band_limited(render(feature_hat, fine).float(), known.px, spec.image_px)
            # a cell's share in both does not depend on how many there are
            objective = cells * known.distance(limited, looked_at=True).sum()
            objective = objective + spec.feature_px**2 * price / 8000 * bits.sum()
        of_feature, *of_fine = torch.autograd.grad(objective, moved)
        return Gradients(
            of_feature.float() * std, of_fine[0] / cells if of_fine else None, feature_hat.detach()
        )


@dataclass(frozen=True)
class Corrector:
    """Corrects F of one picture, and its fine styles, for a level.

    ::

        F -> FCN, rounded -> F^ -> G at 1024 px, with S^, fine styles -> distance from the picture
        |                                                                          |
        |         FCN's bits x price ----------------------------------------> + --+--> gradients
        +-> + <- FeatureCorrection <--------------------------------------------------------+
            +--> F again, for the next step; fine styles, by a step of L-BFGS <-------------+

    Attributes:
        renderer: renders files, in the type that gradients are computed in.
        w_mean, w_std: of w, (512,).
    """

    network: FeatureCorrection
    gradient: FileGradient
    renderer: SynthesisNetwork
    w_mean: Tensor
    w_std: Tensor

    def __call__(
        self,
        known: KnownPictures,
        feature: Tensor,
        w_plus_hat: Tensor,
        level: float,
        semantics: Semantics,
        fine: Tensor | None = None,
        secant: Tensor | None = None,
        stepped: Stepped = nothing,
    ) -> tuple[Tensor, Tensor | None]:
        """A better F, (1, 512, 32, 32), and better fine styles.

        Args:
            known: the picture.
            feature: F; w_plus_hat: S^, (1, 23, 512), both on the networks' device.
            semantics: what FCN is given of S^.
            fine, secant: of the fine styles, as in :class:`hsc.types.Inversion`; without the latter
                they stay. No step is taken back.
            stepped: called after each step.
        """
        strength = strength_at(level)
        if strength == 0:
            return feature, fine
        g, fine_styles = self.renderer, self.gradient.fcn.fine

        def render(feature_hat: Tensor, fine: Tensor | None) -> Tensor:
            x = feature_hat.to(g.dtype).contiguous(memory_format=torch.channels_last)
            return g.image(x, fine_styles.add(w_plus_hat, fine).to(g.dtype))

        price = self.network.price_at(level)
        steps, longest = LimitedSteps(fine_styles, secant), FINE_LONGEST * min(1, level - MIN_LEVEL)
        for step in range(STEPS):
            found = self.gradient(feature, level, semantics, price, render, known, fine=fine)
            with torch.no_grad(), gradient_autocast(feature.device):
                styles = fine_styles.add(w_plus_hat, fine)
                change = self.change(found, feature, styles, level, step)
            feature = feature + strength * change
            if fine is not None and found.fine is not None and secant is not None:
                # F has moved too: learning from that is better than to know the first steps only
                steps.learn(fine, found.fine)
                fine = fine + steps.step(found.fine, longest)
            stepped()
        return feature, fine

    def change(
        self, found: Gradients, feature: Tensor, styles: Tensor, level: float, step: int
    ) -> Tensor:
        """What the network would add to F, of F's shape.

        Args:
            styles: with which F^ was drawn, (B, 23, 512).
        """
        std = self.gradient.fcn.feature_std[:, None, None]
        style = style_above_feature(styles, self.w_mean, self.w_std, self.renderer.spec)
        f, f_hat = feature / std, found.feature_hat / std
        return std * self.network(found.feature, f, f_hat, style, level, step)
