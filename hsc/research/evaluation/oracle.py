"""The best S and F for one picture, by optimisation, without quantisation.

Gradient descent from the encoder's latents, through the generator alone: a bound on how close any
encoder could bring this generator to a picture, as far as the number of steps allows.
"""

from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from hsc.codec import Codec
from hsc.generators.exits import render_exit
from hsc.inversion.descent import descend
from hsc.inversion.distance import KnownPictures
from hsc.inversion.refine import Refiner
from hsc.numerics.precision import gradient_autocast
from hsc.types import Inversion

STEPS = 60
FEATURE_RATE, STYLE_RATE = 0.05, 0.01
"""Adam's first rates, in standard deviations of F's channels and of w: nothing is rounded here."""


@dataclass(frozen=True)
class Oracle:
    """Fits S and F to pictures; the losses are those of ``hsc.inversion.refine``.

    ::

        S --+--> G at 64 px ------> exit 128 px --> loss of S alone
            |
        F --+--> G at 1024 px ----> loss of the picture
    """

    codec: Codec
    refiner: Refiner

    @classmethod
    def load(cls, codec: Codec) -> "Oracle":
        """Raises WeightsError where weights of an exit or of LPIPS are missing."""
        return cls(codec, codec.encoder.refiner)

    def fit(self, image: Image.Image, initial: Inversion, steps: int = STEPS) -> Inversion:
        """S and F for one picture.

        Args:
            image: aligned, 1024 x 1024.
            initial: the encoder's latents of it, where the search begins.
            steps: gradient steps; the rates fall over the second half.
        """
        n = self.codec.networks
        known = self.codec.encoder.known_picture(self.codec.encoder.pixels(image))
        assert n.encoder is not None, "the codec encoded the picture"
        w_std, f_std = n.encoder.semantic_head.w_std, n.fcn.feature_std[:, None, None]
        fine = initial.w_plus.new_zeros(1, n.fcn.fine.components)
        change = n.fcn.fine.change(fine if initial.fine is None else initial.fine)
        moved = [torch.zeros_like(t).requires_grad_() for t in (initial.w_plus, initial.feature)]
        with torch.enable_grad():
            for _ in descend(list(zip(moved, (STYLE_RATE, FEATURE_RATE))), steps):
                value = self._loss(
                    initial.w_plus + w_std * moved[0], change,
                    initial.feature + f_std * moved[1], known,
                )  # fmt: skip
                value.backward()
        with torch.no_grad():
            w_plus = (initial.w_plus + w_std * moved[0]).detach()
            feature = (initial.feature + f_std * moved[1]).detach()
            return Inversion(
                w_plus, feature, n.synthesis.feature(w_plus), enhanced=True,
                fine_s=initial.fine_s, fine=initial.fine,
            )  # fmt: skip

    def _loss(
        self, w_plus: Tensor, change: Tensor, feature: Tensor, known: KnownPictures
    ) -> Tensor:
        r = self.refiner
        styles, drawn = w_plus.to(r.synthesis.dtype), (w_plus + change).to(r.synthesis.dtype)
        inner = feature.to(r.synthesis.dtype).contiguous(memory_format=torch.channels_last)
        with gradient_autocast(w_plus.device):
            x_hat = r.renderer.image(inner, drawn).float()  # (1, 3, 1024, 1024)
            x_s = render_exit(r.synthesis, r.exit128, r.synthesis.feature(styles), styles).float()
        return r.picture_loss(x_hat, x_s, known)
