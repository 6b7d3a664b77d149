"""Training of the inversion encoder: synthetic pairs first, then pictures through the preview exit.

Phase "pairs" regresses S and F of generated faces, where both are known; nothing is
back-propagated through the generator. Phase "pictures" adds real faces and looks at both renders
(S only, S + F) through the 256-px exit.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.generator.preview import PreviewHead, preview
from hsc.generator.synthesis import Synthesis
from hsc.inversion.encoder import Inversion, InversionEncoder
from hsc.metrics.identity import FaceIdentity, crop_for_identity
from hsc.metrics.lpips import Lpips
from hsc.training.augment import degrade, grey_some, jitter
from hsc.training.faces import RealFaces, SyntheticPairs, to_unit


@dataclass(frozen=True)
class InversionWeights:
    """How the terms of the loss are weighed.

    ``l2`` acts on pictures at 128 px, below the detail that the preview exit gets wrong;
    ``residual`` keeps the 23 styles near one w.
    """

    w: float = 1.0
    feature: float = 2.0
    l2: float = 2.0
    lpips: float = 1.0
    identity: float = 0.5
    s_only: float = 1.0
    residual: float = 0.02


class PictureLoss(nn.Module):
    """L2 + LPIPS + identity distance between pictures of 256 px.

    Args:
        lpips, identity: frozen networks.
    """

    def __init__(self, lpips: Lpips, identity: FaceIdentity, weights: InversionWeights) -> None:
        super().__init__()
        self.lpips, self.identity, self.weights = lpips, identity, weights

    def forward(self, x: Tensor, target: Tensor) -> tuple[Tensor, dict[str, float]]:
        """(B, 3, 256, 256) twice, in [-1, 1]; returns the mean loss and its parts."""
        l2 = (F.avg_pool2d(x, 2) - F.avg_pool2d(target, 2)).square().mean()
        with torch.autocast(x.device.type, torch.bfloat16):
            lpips = self.lpips(x, target).float().mean()
            with torch.no_grad():
                known = self.identity(crop_for_identity(target)).float()
            identity = (self.identity(crop_for_identity(x)).float() - known).norm(dim=1).mean()
        w = self.weights
        total = w.l2 * l2 + w.lpips * lpips + w.identity * identity
        return total, {"l2": l2.item(), "lpips": lpips.item(), "id": identity.item()}


class InversionLoss:
    """The encoder's loss on a mixed batch; see the module's text for the two phases.

    Args:
        encoder: trained.
        synthesis: float32, for F_S and targets; ``fast``: the same in bfloat16, for renders.
    """

    def __init__(
        self,
        encoder: InversionEncoder,
        synthesis: Synthesis,
        fast: Synthesis,
        head: PreviewHead,
        pairs: SyntheticPairs,
        real: RealFaces,
        picture_loss: PictureLoss,
        device: torch.device,
    ) -> None:
        self.encoder, self.synthesis, self.fast, self.head = encoder, synthesis, fast, head
        self.pairs, self.real, self.picture_loss, self.device = pairs, real, picture_loss, device
        self.weights = picture_loss.weights

    def invert(self, image: Tensor, feature_s_grad: bool = False) -> Inversion:
        with torch.autocast(self.device.type, torch.bfloat16):
            image = image.contiguous(memory_format=torch.channels_last)
            return self.encoder(image, self.synthesis, feature_s_grad)

    def render(self, feature: Tensor, w_plus: Tensor) -> Tensor:
        feature = feature.bfloat16().contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16):
            return preview(self.fast, self.head, feature, w_plus.bfloat16()).float()

    def regression(self, inversion: Inversion, w_plus: Tensor) -> tuple[Tensor, Tensor]:
        """Squared errors of S and F relative to their spread over the prior."""
        with torch.no_grad(), torch.autocast(self.device.type, torch.bfloat16):
            target = self.synthesis.feature(w_plus).float()  # (B, 512, 32, 32)
        w_std = self.encoder.semantic_head.w_std
        f_std = self.encoder.feature_head.feature_std[:, None, None]
        w_error = ((inversion.w_plus - w_plus) / w_std).square().mean()
        f_error = F.smooth_l1_loss(inversion.feature / f_std, target / f_std, beta=0.5)
        return w_error, f_error

    def pair_phase(self, batch: int) -> tuple[Tensor, dict[str, float]]:
        """Regression of S and F on synthetic pairs alone."""
        sample = self.pairs.sample(batch, self.device)
        inversion = self.invert(degrade(to_unit(sample.images)))
        w_error, f_error = self.regression(inversion, sample.w_plus)
        total = self.weights.w * w_error + self.weights.feature * f_error
        return total, {"w": w_error.item(), "f": f_error.item()}

    def picture_phase(
        self, synthetic: int, real: int, with_s: bool
    ) -> tuple[Tensor, dict[str, float]]:
        """Regression on pairs, and both renders against the pictures.

        Args:
            synthetic, real: pictures of each kind in the batch.
            with_s: also render S alone (costs as much again).
        """
        sample = self.pairs.sample(synthetic, self.device)
        photos = jitter(grey_some(to_unit(self.real.sample(real)).to(self.device)))
        clean = torch.cat([to_unit(sample.images), photos])  # (B, 3, 256, 256)
        inversion = self.invert(degrade(clean, 0.25), feature_s_grad=with_s)
        known = Inversion(
            inversion.w_plus[:synthetic], inversion.feature[:synthetic], inversion.feature_s
        )
        w_error, f_error = self.regression(known, sample.w_plus)
        total = 0.1 * (self.weights.w * w_error + self.weights.feature * f_error)
        spread = inversion.w_plus - inversion.w_plus.mean(1, keepdim=True)
        residual = (spread / self.encoder.semantic_head.w_std).square().mean()
        total = total + self.weights.residual * residual
        figures = {"w": w_error.item(), "f": f_error.item(), "residual": residual.item()}
        drawn = self.render(inversion.feature, inversion.w_plus)
        value, parts = self.picture_loss(drawn, clean)
        total = total + value
        figures |= parts
        if with_s:
            drawn_s = self.render(inversion.feature_s, inversion.w_plus)
            value, parts = self.picture_loss(drawn_s, clean)
            total = total + self.weights.s_only * value
            figures |= {f"{name}_s": figure for name, figure in parts.items()}
        return total, figures
