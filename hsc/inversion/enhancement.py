"""The latent of FCN's enhancement slice for one picture: gradient steps through the generator.

The base slices are coded first, and stay. The latent begins at zero. Each step draws the file's
picture at full size and moves the latent against the gradient of its distance from the photograph,
which counts for more where people look.
What each symbol has gained on the way is added up, and symbols that gained less than their bits
cost are dropped. Only the encoder does this.

Steps are proportional to the gradient: those of Adam are as large for what hardly matters, and took
more bytes for the same distance.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hsc.generators.base import SynthesisNetwork
from hsc.inversion.correction import limited_gradient
from hsc.inversion.distance import LOOKED_AT, Drawn, KnownPictures
from hsc.inversion.progress import Stepped, nothing
from hsc.latent_codecs.base import round_ste
from hsc.latent_codecs.feature_slices.enhancement import ABOVE
from hsc.latent_codecs.feature_slices.model import FeatureCodec, Semantics
from hsc.latent_codecs.feature_slices.places import place_weights
from hsc.latent_codecs.gaussian import bits

STEPS = 6
RATE, LAST_RATE = 0.35, 0.105
"""Of the first step and of the last, in quantiser steps for a typical gradient."""
MOMENTUM = 0.5
FREE_STEPS = 3
"""Steps before values are rounded: the first ones could not leave zero otherwise."""
MOST_CREDIT = 1.5
"""A rounded value is credited with what the value gained, in proportion, up to so many times."""
PRICES = (0.4, 0.034)
"""Of a kilobyte at levels 5 and 6. At the latter files have the size that the level aims at."""


@dataclass(frozen=True)
class Enhancer:
    """Puts something into the enhancement slice of F.

    ::

        F -> base slices, rounded -> F^ -> + -> G at 1024 px, with S^ -> distance from the picture
                                           |                                        |
                       y -> rounded -> basis^T                                  gradient
                       ^                                                            |
                       +------------------------------------------------------------+

    Attributes:
        renderer: renders files, in the type that gradients are computed in.
    """

    fcn: FeatureCodec
    renderer: SynthesisNetwork

    @torch.no_grad()
    def __call__(
        self,
        known: KnownPictures,
        feature: Tensor,
        w_plus_hat: Tensor,
        level: float,
        semantics: Semantics,
        stepped: Stepped = nothing,
    ) -> Tensor:
        """F with what its file is to have in the slice, (1, 512, 32, 32).

        Args:
            known: the picture. feature: F, its slice empty.
            w_plus_hat: the styles to draw with, (1, 23, 512). semantics: what FCN is given of S^.
            level: one that has the slice. stepped: called after each step.
        """
        fcn = self.fcn
        assert fcn.enhancement is not None
        base_y_hat, base_hat = fcn.base_hat(feature, level, semantics)
        log2_scale = fcn.enhancement_scale(base_y_hat, level, semantics)
        quantiser_step = torch.exp2(-fcn.enhancement.log2_gain_of(level))[:, None, None]
        weights = torch.from_numpy(place_weights(fcn.config, LOOKED_AT)).to(log2_scale)

        def gradient_at(values: Tensor, rounding: bool) -> Tensor:
            values = values.clone().requires_grad_()
            with torch.enable_grad():
                y = quantiser_step * (round_ste(values) if rounding else values)
                feature_hat = fcn.with_enhancement(base_hat, y)
                distance = Drawn(self.renderer, known, feature_hat, w_plus_hat).distance()
                (gradient,) = torch.autograd.grad(distance, values)
            return gradient * weights

        values = torch.zeros_like(log2_scale)  # y in quantiser steps, (1, 128, 16, 16)
        moved, gained, typical = torch.zeros_like(values), torch.zeros_like(values), None
        for step in range(STEPS):
            gradient = gradient_at(values, rounding=step >= FREE_STEPS)
            typical = gradient.square().mean().sqrt() if typical is None else typical
            moved = MOMENTUM * moved + limited_gradient(gradient / typical)
            change = -(RATE + (LAST_RATE - RATE) * step / (STEPS - 1)) * moved
            gained -= gradient * change
            values = values + change
            stepped()
        symbols = torch.round(values)
        credit = (symbols / values).abs().nan_to_num().clamp(max=MOST_CREDIT) * gained
        more_bits = bits(symbols, log2_scale) - bits(torch.zeros_like(symbols), log2_scale)
        worth = credit > price_at(level) / 8000 * more_bits
        return fcn.with_enhancement(feature, torch.where(worth, symbols, 0.0) * quantiser_step)


def price_at(level: float) -> float:
    """Of a kilobyte, between the levels by its logarithm."""
    t = level - ABOVE
    return float(PRICES[0] ** (1 - t) * PRICES[1] ** t)
