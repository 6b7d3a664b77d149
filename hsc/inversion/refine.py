"""Refinement at encode time: gradient steps on one face's S and F, through the codec itself.

The encoder is one network for all pictures. For a single picture, a few gradient steps on the
picture that its *file* decodes to find better S and F for the same number of bytes. The decoder is
not affected.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from hsc.generators.base import SynthesisNetwork
from hsc.generators.exits import ExitHead, render_exit
from hsc.generators.pretrained import load_renderer
from hsc.images.bandwidth import all_band_limited
from hsc.inversion.descent import descend
from hsc.inversion.distance import KnownPictures
from hsc.inversion.self_renderer import SelfRenderer
from hsc.latent_codecs.feature_slices.model import FeatureCodec, Semantics
from hsc.latent_codecs.styles_klt import SemanticCodec
from hsc.metrics.loss import PictureLoss, PictureWeights
from hsc.metrics.lpips import Lpips
from hsc.metrics.picture import LATTICE_PX, lattice_of
from hsc.numerics.precision import gradient_autocast, gradient_dtype
from hsc.types import Inversion
from hsc.weights.model_id import path_or_shipped

FEATURE_RATE, STYLE_RATE, FINE_RATE = 0.015, 0.005, 0.015
"""Adam's initial rates: in standard deviations of F's channels, in those of w, and in those of the
components of fine styles. The search begins near: longer steps lose at first what the correction of
F gained, and change symbols needlessly."""
WEIGHTS = PictureWeights(l2=8.0, lpips=1.0, identity=0.15, statistics=2.0)
"""At 256 px. A smaller weight of identity than in training: steps on one picture overfit to that
network. Without the statistics a search draws meshes, which DISTS sees."""
SEMANTIC_WEIGHTS = PictureWeights(l2=1.0, lpips=1.0, identity=0.3)
WHOLE = 6.0
"""Weight of the distance of the whole picture, as the encoder has it. Windows of 512 px in its
place, half of them over eyes and mouth, bring these nearer and leave the rest where it is."""
LATTICE = 50.0
"""Weight of what repeats in each 8 or 16 px: LPIPS looks at every fourth pixel only."""
COLOUR, COLOUR_STRIDE = 12.0, 8
"""Weight of the mean absolute error of the small pictures, averaged over so many pixels: without it
skin drifts in the other losses' noise."""
PRICE, PRICE_GROWTH, MAX_PRICE = 0.4, 80.0, 16.0
"""Price of a file's size, relative to its initial size: at the aimed size, its growth with what
exceeds that, and its limit. It falls likewise below the aimed size. A penalty of larger files alone
makes smaller ones: it answers to the noise of the first steps."""
AIMED_SIZE = 0.98
"""Of the file, relative to the initial one: rounding leaves a noise of 1%, and files must not
grow."""
SCN_PRICE = 1.0
"""Price of exceeding the initial size of SCN, relative to it."""


@dataclass(frozen=True)
class Refiner:
    """The networks and losses that refinement differentiates through.

    ::

        S --> SCN, rounded --> S^ -----------+--> G at 64 px --> exit 128 px --> loss, bits
              F --> FCN, rounded --> F^ --+--+--> G at 1024 px --> loss, bits
       fine styles, rounded --> bits -----+

    Attributes:
        renderer: of files with a feature map; the others draw S alone.
        loss: at 256 px; semantic_loss: of S alone, at 128 px.
    """

    synthesis: SynthesisNetwork
    renderer: SynthesisNetwork
    scn: SemanticCodec
    fcn: FeatureCodec
    preview: ExitHead
    exit128: ExitHead
    loss: PictureLoss
    semantic_loss: PictureLoss

    @classmethod
    def load(
        cls,
        generator: SynthesisNetwork,
        scn: SemanticCodec,
        fcn: FeatureCodec,
        preview: ExitHead,
        self_renderer: SelfRenderer,
        folder: Path | None = None,
    ) -> Refiner:
        """From the networks of a codec, and LPIPS from its folder or the shipped one.

        Args:
            generator: as it was trained, in float32; it is copied, not changed.
            folder: the weights folder that the codec is from.

        Raises:
            WeightsError: LPIPS is missing.
        """
        device = fcn.feature_std.device
        lpips = Lpips.pretrained(path_or_shipped("lpips_alex", folder)).to(device)
        finetuned = load_renderer(generator, folder)
        return cls(
            _for_gradients(generator, device),
            _for_gradients(finetuned.synthesis, device),
            scn,
            fcn,
            preview,
            self_renderer.exit128,
            PictureLoss(lpips, self_renderer.identity, WEIGHTS),
            PictureLoss(lpips, self_renderer.identity, SEMANTIC_WEIGHTS),
        )

    def refine(
        self, known: KnownPictures, initial: Inversion, w_std: Tensor, level: float, steps: int
    ) -> Iterator[Inversion]:
        """Better and better S and F for one picture at one level, and fine styles of both.

        Those of S alone stay.

        Args:
            known: the picture.
            initial: the encoder's latents of it.
            w_std: standard deviation of w, (512,).
            level: of the file; at other levels the gain is smaller.
            steps: gradient steps.

        Yields:
            In each step the best S and F so far, whose file is no larger than that of ``initial``
            but for the rounding of bits; ``initial`` at first. The caller may stop at any time.
        """
        f_std = self.fcn.feature_std[:, None, None]
        d_feature = torch.zeros_like(initial.feature).requires_grad_()
        d_styles = torch.zeros_like(initial.w_plus).requires_grad_()
        d_fine = initial.w_plus.new_zeros(1, self.fcn.fine.components).requires_grad_()
        fine = torch.zeros_like(d_fine) if initial.fine is None else initial.fine
        initial_bits: Tensor | None = None
        best, least = initial, math.inf

        def moved() -> Inversion:
            w_plus = initial.w_plus + w_std * d_styles
            feature = initial.feature + f_std * d_feature
            return replace(initial, w_plus=w_plus, feature=feature, fine=fine + d_fine)

        rates = (d_feature, FEATURE_RATE), (d_styles, STYLE_RATE), (d_fine, FINE_RATE)
        for _ in descend(rates, steps):
            with torch.enable_grad():  # not around the loop, whose yields run the caller's code
                loss, bits = self._loss_and_bits(known, moved(), level)
                if initial_bits is None:
                    initial_bits = bits.detach()
                sizes = bits / initial_bits
                (loss + _size_price(sizes)).backward()
            with torch.no_grad():
                # not with the price of this step, which follows its own size
                objective = float(loss + PRICE * sizes[1])
                if objective < least and sizes[1] <= 1:
                    best, least = moved(), objective
            yield best

    def _loss_and_bits(
        self, known: KnownPictures, now: Inversion, level: float
    ) -> tuple[Tensor, Tensor]:
        """The loss of the decoded pictures; the bits of SCN and of both layers, (2,)."""
        g, spec = self.synthesis, self.synthesis.spec
        assert now.fine is not None
        w_plus_hat, scn_bits = self.scn(now.w_plus, level)
        styles = w_plus_hat.to(g.dtype)
        context_px = self.fcn.config.context_px
        context = g.feature(styles, context_px)  # (1, 512, 16, 16)
        feature_s = g.run(context, styles, context_px, spec.feature_px)
        with gradient_autocast(styles.device):
            semantics = Semantics(feature_s.float(), context.float())
            feature_hat, fcn_bits = self.fcn.code(now.feature, level, semantics)
            feature_hat = feature_hat.to(g.dtype).contiguous(memory_format=torch.channels_last)
            x_s = render_exit(g, self.exit128, feature_s, styles).float()  # (1, 3, 128, 128)
            fine_hat, fine_bits = self.fcn.fine(now.fine, level)
            drawn = self.fcn.fine.add(w_plus_hat, fine_hat).to(g.dtype)
            x_hat = self.renderer.image(feature_hat, drawn).float()  # (1, 3, 1024, 1024)
        of_scn, of_fcn = scn_bits.sum(), fcn_bits.sum() + fine_bits.sum()
        bits = torch.stack([of_scn, of_scn + of_fcn])
        return self.picture_loss(x_hat, x_s, known), bits

    def picture_loss(self, x_hat: Tensor, x_s: Tensor, known: KnownPictures) -> Tensor:
        """Of the picture of S and F at full size and at 256 px, and of that of S alone.

        Args:
            x_hat: (1, 3, 1024, 1024), of S and F; x_s: (1, 3, 128, 128), of S alone.
        """
        picture, _, small = known.pyramid
        side = x_hat.shape[-1]
        with gradient_autocast(x_hat.device):
            limited = all_band_limited(x_hat, known.px, side)
            whole = known.distance(limited, looked_at=True).sum()
        drawn = F.avg_pool2d(limited, side // small.shape[-1])
        colour = F.avg_pool2d(drawn - small, COLOUR_STRIDE).abs().mean()
        difference = limited - picture
        lattice = lattice_of(difference) + lattice_of(difference, LATTICE_PX // 2)
        loss = WHOLE * whole + self.loss(drawn, small)[0] + COLOUR * colour + LATTICE * lattice
        known_s = F.interpolate(small, size=x_s.shape[-1], mode="area")
        return loss + self.semantic_loss(x_s, known_s)[0]


def _size_price(sizes: Tensor) -> Tensor:
    """What the sizes of SCN and of the whole file cost, relative to the initial ones, (2,)."""
    of_scn, of_file = sizes
    price = PRICE * math.exp(PRICE_GROWTH * (float(of_file.detach()) - AIMED_SIZE))
    return SCN_PRICE * F.relu(of_scn - 1) + min(price, MAX_PRICE) * of_file


def _for_gradients(synthesis: SynthesisNetwork, device: torch.device) -> SynthesisNetwork:
    """A copy in the type that gradients are computed in."""
    network = copy.deepcopy(synthesis).to(gradient_dtype(device))
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
