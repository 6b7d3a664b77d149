"""Training of the inversion encoder: synthetic pairs first, then pictures through the preview exit.

Phase "pairs" regresses S and F of generated faces, where both are known; nothing is
back-propagated through the generator. Phase "pictures" adds real faces and compares two renders:
S + F through the 256-px exit, and S alone through the 128-px exit, which costs a third and is
sharp enough for what S can represent.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from hsc.generators.base import SynthesisNetwork
from hsc.generators.exits import ExitHead, render_exit
from hsc.images.tensors import to_unit
from hsc.inversion.encoder import InversionEncoder
from hsc.metrics.loss import PictureLoss
from hsc.numerics.precision import gradient_autocast, gradient_dtype
from hsc.research.data.augment import degrade, grey_some, jitter
from hsc.research.data.faces import RealFaces
from hsc.research.training.pairs import PairSource
from hsc.types import Inversion


@dataclass(frozen=True)
class InversionConfig:
    """``configs/inversion.yaml``."""

    pair_batch: int
    picture_batch: int
    synthetic_part: int
    head_rate: float
    trunk_rate: float
    picture_factor: float
    w: float
    feature: float
    residual: float
    pair_factor: float
    pair_degraded: float
    picture_degraded: float


@dataclass(frozen=True)
class RenderLoss:
    """An exit of the generator, and the loss of the pictures that it renders.

    ``draw`` is :func:`render_exit`, or its compiled version.
    """

    head: ExitHead
    loss: PictureLoss
    draw: Callable[..., Tensor] = render_exit

    def __call__(
        self, fast: SynthesisNetwork, feature: Tensor, w_plus: Tensor, target: Tensor
    ) -> tuple[Tensor, dict[str, float]]:
        """Render as :meth:`render`, and compare with (B, 3, 256, 256)."""
        rendered = self.render(fast, feature, w_plus)
        if rendered.shape != target.shape:
            target = F.interpolate(target, rendered.shape[-2:], mode="area")
        return self.loss(rendered, target)

    def render(self, fast: SynthesisNetwork, feature: Tensor, w_plus: Tensor) -> Tensor:
        """The picture of (B, C, px, px) by ``fast``, see :func:`fast_synthesis`."""
        dtype = gradient_dtype(feature.device)
        feature = feature.to(dtype).contiguous(memory_format=torch.channels_last)
        with gradient_autocast(feature.device):
            return self.draw(fast, self.head, feature, w_plus.to(dtype)).float()


class InversionLoss:
    """The encoder's loss on a mixed batch; see the module's docstring for the two phases.

    Args:
        encoder: trained.
        synthesis: float32, for F_S and targets; ``fast``: the same for renders, see
            :func:`fast_synthesis`.
        both, core: the exits and losses of S + F and of S alone.
    """

    def __init__(
        self,
        encoder: InversionEncoder,
        synthesis: SynthesisNetwork,
        fast: SynthesisNetwork,
        pairs: PairSource,
        real: RealFaces | None,
        both: RenderLoss,
        core: RenderLoss,
        config: InversionConfig,
        device: torch.device,
    ) -> None:
        self.encoder, self.synthesis, self.fast = encoder, synthesis, fast
        self.pairs, self.real, self.device = pairs, real, device
        self.both, self.core, self.config = both, core, config

    def invert(self, image: Tensor, feature_s_grad: bool = False) -> Inversion:
        with gradient_autocast(self.device):
            image = image.contiguous(memory_format=torch.channels_last)
            return self.encoder(image, self.synthesis, feature_s_grad=feature_s_grad)

    def rendered(self, image: Tensor) -> dict[str, Tensor]:
        """Both renders of (B, 3, 256, 256) through the 256-px exit, for :class:`Watch`."""
        inversion = self.invert(image)
        features = {"s": inversion.feature_s, "sf": inversion.feature}
        return {n: self.both.render(self.fast, f, inversion.w_plus) for n, f in features.items()}

    def regression(self, inversion: Inversion, w_plus: Tensor) -> tuple[Tensor, Tensor]:
        """Squared errors of S and F relative to their spread over the prior."""
        with torch.no_grad(), gradient_autocast(self.device):
            target = self.synthesis.feature(w_plus).float()  # (B, 512, 32, 32)
        w_std = self.encoder.semantic_head.w_std
        f_std = self.encoder.feature_head.feature_std[:, None, None]
        w_error = ((inversion.w_plus - w_plus) / w_std).square().mean()
        f_error = F.smooth_l1_loss(inversion.feature / f_std, target / f_std, beta=0.5)
        return w_error, f_error

    def pair_phase(self, batch: int) -> tuple[Tensor, dict[str, float]]:
        """Regression of S and F on synthetic pairs alone."""
        sample = self.pairs.sample(batch, self.device)
        inversion = self.invert(degrade(to_unit(sample.images), self.config.pair_degraded))
        w_error, f_error = self.regression(inversion, sample.w_plus)
        total = self.config.pair_factor * (self.config.w * w_error + self.config.feature * f_error)
        return total, {"w": w_error.item(), "f": f_error.item()}

    def picture_phase(self, synthetic: int, real: int) -> tuple[Tensor, dict[str, float]]:
        """Regression on pairs, and both renders against the pictures.

        Args:
            synthetic, real: pictures of each kind in the batch.
        """
        sample = self.pairs.sample(synthetic, self.device)
        if self.real is None:
            raise ValueError("expected photographs to compare renders with, got none.")
        photos = jitter(grey_some(to_unit(self.real.sample(real)).to(self.device)))
        clean = torch.cat([to_unit(sample.images), photos])  # (B, 3, 256, 256)
        inversion = self.invert(degrade(clean, self.config.picture_degraded), feature_s_grad=True)
        known = Inversion(
            inversion.w_plus[:synthetic], inversion.feature[:synthetic], inversion.feature_s
        )
        w_error, f_error = self.regression(known, sample.w_plus)
        total = self.config.w * w_error + self.config.feature * f_error
        spread = inversion.w_plus - inversion.w_plus.mean(1, keepdim=True)
        residual = (spread / self.encoder.semantic_head.w_std).square().mean()
        total = total + self.config.residual * residual
        figures = {"w": w_error.item(), "f": f_error.item(), "residual": residual.item()}
        value, parts = self.both(self.fast, inversion.feature, inversion.w_plus, clean)
        value_s, parts_s = self.core(self.fast, inversion.feature_s, inversion.w_plus, clean)
        figures |= parts | {f"{name}_s": figure for name, figure in parts_s.items()}
        return total + value + value_s, figures
