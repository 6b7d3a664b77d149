"""The loss of training and refinement: pixel, perceptual and identity distance."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.metrics.identity import FaceIdentity, crop_for_identity
from hsc.metrics.lpips import Lpips
from hsc.numerics.precision import gradient_autocast


@dataclass(frozen=True)
class PictureWeights:
    """Weights of the terms of the loss.

    ``l2`` acts on pictures of half the size, below the detail that an early exit gets wrong.
    """

    l2: float = 2.0
    lpips: float = 1.0
    identity: float = 0.5


SEMANTIC_WEIGHTS = PictureWeights(l2=1.0, lpips=1.0, identity=1.0)
"""For S alone: squared error makes bland what the semantics cannot place to the pixel."""


class PictureLoss(nn.Module):
    """L2 + LPIPS + identity distance between pictures.

    Args:
        lpips, identity: frozen networks.
    """

    def __init__(
        self, lpips: Lpips, identity: FaceIdentity, weights: PictureWeights = PictureWeights()
    ) -> None:
        super().__init__()
        self.lpips, self.identity, self.weights = lpips, identity, weights

    def forward(self, x: Tensor, target: Tensor) -> tuple[Tensor, dict[str, float]]:
        """(B, 3, H, H) twice, in [-1, 1]; returns the mean loss and its parts."""
        l2 = (F.avg_pool2d(x, 2) - F.avg_pool2d(target, 2)).square().mean()
        with gradient_autocast(x.device):
            lpips = self.lpips(x, target).float().mean()
            with torch.no_grad():
                known = self.identity(crop_for_identity(target)).float()
            identity = (self.identity(crop_for_identity(x)).float() - known).norm(dim=1).mean()
        w = self.weights
        total = w.l2 * l2 + w.lpips * lpips + w.identity * identity
        return total, {"l2": l2.item(), "lpips": lpips.item(), "id": identity.item()}
