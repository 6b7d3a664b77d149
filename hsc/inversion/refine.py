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
from hsc.images.bandwidth import band_limited, bandwidth_px
from hsc.inversion.descent import descend
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
WEIGHTS = PictureWeights(l2=8.0, lpips=1.0, identity=0.15, statistics=1.0)
"""A smaller weight of identity than in training: steps on one picture overfit to that network.
Without the statistics a search draws meshes, which DISTS sees."""
SEMANTIC_WEIGHTS = PictureWeights(l2=1.0, lpips=1.0, identity=0.3)
WINDOW_PX, WINDOW_LPIPS, WINDOW_HALF, WINDOW_PIXELS, WINDOW_LATTICE = 512, 2.0, 1.0, 0.5, 50.0
"""Side of a window of the picture at full size, and weights of its LPIPS, of that at half of its
size, of its mean absolute error and of what repeats in each 8 or 16 px."""
FACE_CORNER = (288, 256)
"""Row and column where the window of every second step begins: it holds eyes and mouth. The other
windows lie anywhere."""
SHIFT_PX = LATTICE_PX
"""Largest shift of what is compared, for LPIPS looks at every fourth pixel only."""
LEAST_PX = 500
"""Photographs with less detail than this are compared at 256 px only."""
COLOUR, COLOUR_STRIDE = 4.0, 8
"""Weight of the mean absolute error of the small pictures, averaged over so many pixels: without it
skin drifts in the other losses' noise."""
PRICE, PRICE_GROWTH, MAX_PRICE = 0.2, 60.0, 8.0
"""Price of a file's size, relative to its initial size: at the aimed size, its growth with what
exceeds that, and its limit. It falls likewise below the aimed size. A penalty of larger files alone
makes smaller ones: it answers to the noise of the first steps."""
AIMED_SIZE = 0.98
"""Of the file, relative to the initial one: rounding leaves a noise of 1%, and files must not
grow."""
SCN_PRICE = 1.0
"""Price of exceeding the initial size of SCN, relative to it."""


@dataclass(frozen=True)
class Target:
    """The picture that refinement comes closer to.

    Attributes:
        picture: (1, 3, 1024, 1024) in [-1, 1]; small: at 256 px.
        px: see :func:`hsc.images.bandwidth.bandwidth_px`.
        random: places windows and shifts, the same ones in each search: it is repeatable.
    """

    picture: Tensor
    small: Tensor
    px: int
    random: torch.Generator

    def integers(self, below: int, count: int = 2) -> list[int]:
        """Random ones from 0."""
        numbers: list[int] = torch.randint(below, (count,), generator=self.random).tolist()
        return numbers

    @classmethod
    def of(cls, picture: Tensor, input_px: int) -> Target:
        """Of a crop, (1, 3, 1024, 1024), compared at ``input_px`` too."""
        small = F.interpolate(picture, size=input_px, mode="area")
        return cls(picture, small, bandwidth_px(picture), torch.Generator().manual_seed(0))


@dataclass(frozen=True)
class Refiner:
    """The networks and losses that refinement differentiates through.

    ::

        S --> SCN, rounded --> S^ -----------+--> G at 64 px --> exit 128 px --> loss, bits
              F --> FCN, rounded --> F^ --+--+--> G at 1024 px --> loss at 256 px, bits
       fine styles, rounded --> bits -----+               +--> loss of a window
    """

    synthesis: SynthesisNetwork
    renderer: SynthesisNetwork  # of files with a feature map; the others draw S alone
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
        self, picture: Tensor, initial: Inversion, w_std: Tensor, level: float, steps: int
    ) -> Iterator[Inversion]:
        """Better and better S and F for one picture at one level, and fine styles of both.

        Those of S alone stay.

        Args:
            picture: the crop, (1, 3, 1024, 1024) in [-1, 1].
            initial: the encoder's latents of it.
            w_std: standard deviation of w, (512,).
            level: of the file; at other levels the gain is smaller.
            steps: gradient steps.

        Yields:
            After each step, S and F whose file is about as large as that of ``initial``, with a
            picture closer to the original. The caller may stop at any time.
        """
        f_std = self.fcn.feature_std[:, None, None]
        d_feature = torch.zeros_like(initial.feature).requires_grad_()
        d_styles = torch.zeros_like(initial.w_plus).requires_grad_()
        d_fine = initial.w_plus.new_zeros(1, self.fcn.fine.components).requires_grad_()
        fine = torch.zeros_like(d_fine) if initial.fine is None else initial.fine
        target = Target.of(picture, self.fcn.config.input_px)
        initial_bits: Tensor | None = None

        def moved() -> Inversion:
            w_plus = initial.w_plus + w_std * d_styles
            feature = initial.feature + f_std * d_feature
            return replace(initial, w_plus=w_plus, feature=feature, fine=fine + d_fine)

        rates = (d_feature, FEATURE_RATE), (d_styles, STYLE_RATE), (d_fine, FINE_RATE)
        for step in descend(rates, steps):
            if step:
                with torch.no_grad():
                    better = moved()
                yield better
            with torch.enable_grad():  # not around the loop, whose yields run the caller's code
                loss, bits = self._loss_and_bits(target, moved(), level, step)
                if initial_bits is None:
                    initial_bits = bits.detach()
                (loss + _size_price(bits / initial_bits)).backward()
        with torch.no_grad():
            better = moved()
        yield better

    def _loss_and_bits(
        self, target: Target, now: Inversion, level: float, step: int
    ) -> tuple[Tensor, Tensor]:
        """The loss of the decoded pictures; the bits of SCN and of both layers, (2,)."""
        g, spec = self.synthesis, self.synthesis.spec
        assert now.fine is not None
        w_plus_hat, scn_bits = self.scn(now.w_plus, level)
        styles = w_plus_hat.to(g.dtype)
        context_px = self.fcn.config.context_px
        context = g.feature(styles, context_px)  # (1, 512, 16, 16)
        feature_s = g.run(context, styles, context_px, spec.feature_px)
        with gradient_autocast(target.picture.device):
            semantics = Semantics(feature_s.float(), context.float())
            feature_hat, fcn_bits = self.fcn.code(now.feature, level, semantics)
            feature_hat = feature_hat.to(g.dtype).contiguous(memory_format=torch.channels_last)
            x_s = render_exit(g, self.exit128, feature_s, styles).float()  # (1, 3, 128, 128)
            fine_hat, fine_bits = self.fcn.fine(now.fine, level)
            drawn = self.fcn.fine.add(w_plus_hat, fine_hat).to(g.dtype)
            x_hat = self.renderer.image(feature_hat, drawn).float()  # (1, 3, 1024, 1024)
        of_scn, of_fcn = scn_bits.sum(), fcn_bits.sum() + fine_bits.sum()
        bits = torch.stack([of_scn, of_scn + of_fcn])
        return self.picture_loss(x_hat, x_s, target, step), bits

    def picture_loss(self, x_hat: Tensor, x_s: Tensor, target: Target, step: int) -> Tensor:
        """Of the whole picture at 256 px, of a window at full size, and of S alone.

        Args:
            x_hat: (1, 3, 1024, 1024), of S and F; x_s: (1, 3, 128, 128), of S alone.
            step: every second window is over eyes and mouth.
        """
        known = F.interpolate(target.small, size=x_s.shape[-1], mode="area")
        semantic_loss, _ = self.semantic_loss(x_s, known)
        loss = self._small_loss(x_hat, target) + semantic_loss
        if target.px >= LEAST_PX:
            loss = loss + self._window_loss(x_hat, target, face=step % 2 == 1)
        return loss

    def _small_loss(self, x_hat: Tensor, target: Target) -> Tensor:
        """At 256 px, from a random shift of both pictures (1, 3, 1024, 1024)."""
        shift = target.integers(SHIFT_PX)
        small, known = (
            F.interpolate(x.roll(shift, (2, 3)), size=self.fcn.config.input_px, mode="area")
            for x in (x_hat, target.picture)
        )
        difference = F.avg_pool2d(small - known, COLOUR_STRIDE)
        return self.loss(small, known)[0] + COLOUR * difference.abs().mean()

    def _window_loss(self, x_hat: Tensor, target: Target, face: bool) -> Tensor:
        """Of a window at full size, no sharper than the photograph is; ``face``: eyes and mouth."""
        if face:
            top, left = (a + b for a, b in zip(FACE_CORNER, target.integers(SHIFT_PX)))
        else:
            top, left = target.integers(x_hat.shape[-1] - WINDOW_PX + 1)
        rows, columns = slice(top, top + WINDOW_PX), slice(left, left + WINDOW_PX)
        window = band_limited(x_hat[..., rows, columns], target.px, x_hat.shape[-1])
        known = target.picture[..., rows, columns]
        difference = window - known
        with gradient_autocast(known.device):
            full = self.loss.lpips(window, known).float().mean()
            half = self.loss.lpips(F.avg_pool2d(window, 2), F.avg_pool2d(known, 2)).float().mean()
        lattice = lattice_of(difference) + lattice_of(difference, 8)
        value = WINDOW_LPIPS * full + WINDOW_HALF * half + WINDOW_LATTICE * lattice
        return value + WINDOW_PIXELS * difference.abs().mean()


def _size_price(sizes: Tensor) -> Tensor:
    """What the sizes of SCN and of the whole file cost, relative to the initial ones, (2,)."""
    of_scn, of_file = sizes
    price = PRICE * math.exp(PRICE_GROWTH * (float(of_file.detach()) - AIMED_SIZE))
    return SCN_PRICE * F.relu(of_scn - 1) + min(price, MAX_PRICE) * of_file


def _for_gradients(synthesis: SynthesisNetwork, device: torch.device) -> SynthesisNetwork:
    """A copy in the type that gradients are computed in."""
    network = copy.deepcopy(synthesis).to(gradient_dtype(device))
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
