"""Refinement at encode time: gradient steps on one face's S and F, through the codec itself.

An encoder answers in one pass, for everybody. For one picture, a few steps against what its own
*file* would draw find S and F that the same number of bytes serve better; the decoder knows
nothing of it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from hsc.generators.exits import ExitHead, render_exit
from hsc.generators.mobilestylegan.synthesis import Synthesis
from hsc.generators.pretrained import load_generator
from hsc.inversion.descent import descend
from hsc.inversion.self_renderer import SelfRenderer
from hsc.latent_codecs.feature_slices.model import FeatureCodec, Semantics
from hsc.latent_codecs.styles_klt import SemanticCodec
from hsc.levels import MAX_LEVEL, MIN_LEVEL, REFINE_STEPS
from hsc.metrics.loss import PictureLoss, PictureWeights
from hsc.metrics.lpips import Lpips
from hsc.numerics.precision import gradient_autocast, gradient_dtype
from hsc.types import Inversion
from hsc.weights.loading import load_into, path_of

FEATURE_RATES, STYLE_RATE = (0.015, 0.05), 0.005
"""Adam's first rates, in standard deviations of F's channels, at the lowest level and the highest,
and of w. Where rounding is coarse, long steps change symbols that nothing asked to change."""
WEIGHTS = PictureWeights(l2=8.0, lpips=1.0, identity=0.15)
"""Less of identity than in training: steps on one picture learn to please a judge very fast."""
SEMANTIC_WEIGHTS = PictureWeights(l2=1.0, lpips=1.0, identity=0.3)
PRICES = torch.tensor([1.0, 4.0])
"""Of exceeding the size that SCN, and the whole file, had before: relative to it."""

Progress = Callable[[int, int], None]
"""Called with the steps that are done and all of them."""


@dataclass(frozen=True)
class Refiner:
    """What refinement differentiates through, beside the encoder.

    ::

        S --> SCN, rounded --> S^ -----------+--> G at 64 px --> exit 128 px --> loss, bits
              F --> FCN, rounded --> F^ --+--+--> G at 128 px -> exit 256 px --> loss, bits
    """

    synthesis: Synthesis
    scn: SemanticCodec
    fcn: FeatureCodec
    head: ExitHead
    exit128: ExitHead
    loss: PictureLoss
    semantic_loss: PictureLoss

    @classmethod
    def load(
        cls, fcn: FeatureCodec, head: ExitHead, self_renderer: SelfRenderer, device: torch.device
    ) -> "Refiner":
        """Load what a codec does not hold.

        Args:
            head: the 256-px exit; ``self_renderer``: what the encoder looks with.

        Raises:
            WeightsError: the judge's weights are missing.
        """
        lpips = Lpips.pretrained().to(device)
        synthesis = load_generator(device).synthesis.to(gradient_dtype(device))
        return cls(
            synthesis.to(memory_format=torch.channels_last),
            load_into(SemanticCodec(), path_of("scn")).to(device),
            fcn,
            head,
            self_renderer.exit128,
            PictureLoss(lpips, self_renderer.identity, WEIGHTS),
            PictureLoss(lpips, self_renderer.identity, SEMANTIC_WEIGHTS),
        )

    @property
    def dtype(self) -> torch.dtype:
        """What the generator is computed in."""
        return self.synthesis.const.dtype

    def refine(
        self,
        image: Tensor,
        found: Inversion,
        w_std: Tensor,
        level: float,
        steps: int = REFINE_STEPS,
        progress: Progress | None = None,
    ) -> Inversion:
        """Better S and F for one picture at one level.

        Args:
            image: (1, 3, 256, 256) in [-1, 1].
            found: what the encoder found in it.
            w_std: spread of w, (512,).
            level: the one that the file is going to have; others gain less.
            steps: gradient steps.

        Returns:
            S and F whose file is about as large as that of ``found``, and draws more alike.
        """
        small = F.avg_pool2d(image, 2)  # (1, 3, 128, 128)
        f_std = self.fcn.feature_std[:, None, None]
        d_feature = torch.zeros_like(found.feature).requires_grad_()
        d_styles = torch.zeros_like(found.w_plus).requires_grad_()
        moved = ((d_feature, feature_rate(level)), (d_styles, STYLE_RATE))
        allowed: Tensor | None = None
        with torch.enable_grad():
            for step in descend(moved, steps):
                w_plus, feature = found.w_plus + w_std * d_styles, found.feature + f_std * d_feature
                value, bits = self._coded(image, small, w_plus, feature, level)
                if allowed is None:
                    allowed = bits.detach()
                value = value + (PRICES.to(bits) * F.relu(bits / allowed - 1)).sum()
                value.backward()
                if progress:
                    progress(step + 1, steps)
        w_plus = (found.w_plus + w_std * d_styles).detach()
        feature = (found.feature + f_std * d_feature).detach()
        return Inversion(w_plus, feature, found.feature_s)

    def _coded(
        self, image: Tensor, small: Tensor, w_plus: Tensor, feature: Tensor, level: float
    ) -> tuple[Tensor, Tensor]:
        """The loss of what a file draws; the bits of SCN and of both layers, (2,)."""
        w_plus_hat, scn_bits = self.scn(w_plus, level)
        styles = w_plus_hat.to(self.dtype)
        context = self.synthesis.feature(styles, 16)  # (1, 512, 16, 16)
        feature_s = self.synthesis.run(context, styles, 16, 32)  # (1, 512, 32, 32)
        with gradient_autocast(image.device):
            feature_hat, fcn_bits = self.fcn(
                feature, level, Semantics(feature_s.float(), context.float())
            )
            inner = feature_hat.to(self.dtype).contiguous(memory_format=torch.channels_last)
            drawn = render_exit(self.synthesis, self.head, inner, styles).float()
            core = render_exit(self.synthesis, self.exit128, feature_s, styles).float()
        value, _ = self.loss(drawn, image)
        semantic, _ = self.semantic_loss(core, small)
        bits = torch.stack([scn_bits.sum(), scn_bits.sum() + fcn_bits.sum()])
        return value + semantic, bits


def feature_rate(level: float) -> float:
    """Adam's first rate for F at a level, between :data:`FEATURE_RATES`."""
    low, high = FEATURE_RATES
    return low * (high / low) ** ((level - MIN_LEVEL) / (MAX_LEVEL - MIN_LEVEL))
