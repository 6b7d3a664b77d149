"""Refinement at encode time: gradient steps on one face's S and F, through the codec itself.

The encoder is one network for all pictures. For a single picture, a few gradient steps on the
picture that its *file* decodes to find better S and F for the same number of bytes. The decoder is
not affected.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from hsc.config import SHIPPED
from hsc.generators.base import SynthesisNetwork
from hsc.generators.exits import ExitHead, render_exit
from hsc.generators.pretrained import load_finetuned
from hsc.inversion.descent import descend
from hsc.inversion.self_renderer import SelfRenderer
from hsc.latent_codecs.feature_slices.model import FeatureCodec, Semantics
from hsc.latent_codecs.styles_klt import SemanticCodec
from hsc.levels import MAX_LEVEL, MIN_LEVEL, REFINE_STEPS
from hsc.metrics.loss import PictureLoss, PictureWeights
from hsc.metrics.lpips import Lpips
from hsc.numerics.precision import gradient_autocast, gradient_dtype
from hsc.types import Inversion
from hsc.weights.model_id import FINETUNED, path_of, path_or_shipped

FEATURE_RATES, STYLE_RATE = (0.015, 0.05), 0.003
"""Adam's initial rates: in standard deviations of F's channels at the lowest and the highest level,
and in those of w. Where rounding is coarse, long steps change symbols needlessly."""
WEIGHTS = PictureWeights(l2=8.0, lpips=1.0, identity=0.15)
"""A smaller weight of identity than in training: steps on one picture overfit to that network."""
SEMANTIC_WEIGHTS = PictureWeights(l2=1.0, lpips=1.0, identity=0.3)
SIZE_PENALTIES = torch.tensor([1.0, 4.0])
"""Prices of exceeding the initial size of SCN, and of the whole file, relative to it."""

Progress = Callable[[int, int], None]
"""Called with the number of steps done and the total."""


@dataclass(frozen=True)
class Refiner:
    """The networks and losses that refinement differentiates through.

    ::

        S --> SCN, rounded --> S^ -----------+--> G at 64 px --> exit 128 px --> loss, bits
              F --> FCN, rounded --> F^ --+--+--> G at 128 px -> exit 256 px --> loss, bits
    """

    synthesis: SynthesisNetwork
    renderer: SynthesisNetwork  # of files with a feature map
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
        renderer, decoder = generator, path_of(FINETUNED, folder)
        if decoder.is_file():  # files are rendered by these blocks, and by their own exit
            finetuned = load_finetuned(generator, decoder)
            renderer = finetuned.synthesis
            preview = finetuned.preview.to(device) if finetuned.preview else preview
        return cls(
            _for_gradients(generator, device),
            _for_gradients(renderer, device),
            scn,
            fcn,
            preview,
            self_renderer.exit128,
            PictureLoss(lpips, self_renderer.identity, WEIGHTS),
            PictureLoss(lpips, self_renderer.identity, SEMANTIC_WEIGHTS),
        )

    def refine(
        self,
        image: Tensor,
        initial: Inversion,
        w_std: Tensor,
        level: float,
        steps: int = REFINE_STEPS,
        progress: Progress | None = None,
    ) -> Inversion:
        """Better S and F for one picture at one level.

        Args:
            image: (1, 3, 256, 256) in [-1, 1].
            initial: the encoder's latents of it.
            w_std: standard deviation of w, (512,).
            level: of the file; at other levels the gain is smaller.
            steps: gradient steps.

        Returns:
            S and F whose file is about as large as that of ``initial``, with a picture closer to
            the original.
        """
        f_std = self.fcn.feature_std[:, None, None]
        d_feature = torch.zeros_like(initial.feature).requires_grad_()
        d_styles = torch.zeros_like(initial.w_plus).requires_grad_()
        initial_bits: Tensor | None = None
        with torch.enable_grad():
            for step in descend([(d_feature, feature_rate(level)), (d_styles, STYLE_RATE)], steps):
                w_plus = initial.w_plus + w_std * d_styles
                feature = initial.feature + f_std * d_feature
                loss, bits = self._loss_and_bits(image, w_plus, feature, level)
                if initial_bits is None:
                    initial_bits = bits.detach()
                excess = F.relu(bits / initial_bits - 1)
                (loss + (SIZE_PENALTIES.to(bits) * excess).sum()).backward()
                if progress:
                    progress(step + 1, steps)
        w_plus = (initial.w_plus + w_std * d_styles).detach()
        feature = (initial.feature + f_std * d_feature).detach()
        return Inversion(w_plus, feature, initial.feature_s)

    def _loss_and_bits(
        self, image: Tensor, w_plus: Tensor, feature: Tensor, level: float
    ) -> tuple[Tensor, Tensor]:
        """The loss of the decoded pictures; the bits of SCN and of both layers, (2,)."""
        g, spec = self.synthesis, self.synthesis.spec
        w_plus_hat, scn_bits = self.scn(w_plus, level)
        styles = w_plus_hat.to(g.dtype)
        context = g.feature(styles, SHIPPED.context_px)  # (1, 512, 16, 16)
        feature_s = g.run(context, styles, SHIPPED.context_px, spec.feature_px)
        with gradient_autocast(image.device):
            semantics = Semantics(feature_s.float(), context.float())
            feature_hat, fcn_bits = self.fcn(feature, level, semantics)
            feature_hat = feature_hat.to(g.dtype).contiguous(memory_format=torch.channels_last)
            # (1, 3, 256, 256)
            x_hat = render_exit(self.renderer, self.preview, feature_hat, styles).float()
            x_s = render_exit(g, self.exit128, feature_s, styles).float()  # (1, 3, 128, 128)
        loss, _ = self.loss(x_hat, image)
        semantic_loss, _ = self.semantic_loss(x_s, F.avg_pool2d(image, 2))
        bits = torch.stack([scn_bits.sum(), scn_bits.sum() + fcn_bits.sum()])
        return loss + semantic_loss, bits


def _for_gradients(synthesis: SynthesisNetwork, device: torch.device) -> SynthesisNetwork:
    """A copy in the type that gradients are computed in."""
    network = copy.deepcopy(synthesis).to(gradient_dtype(device))
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def feature_rate(level: float) -> float:
    """Adam's initial rate for F at a level, between :data:`FEATURE_RATES`."""
    low, high = FEATURE_RATES
    return low * (high / low) ** ((level - MIN_LEVEL) / (MAX_LEVEL - MIN_LEVEL))
