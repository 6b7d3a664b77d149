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
    ``statistics`` is the weight of :func:`statistics_distance`.
    """

    l2: float = 2.0
    lpips: float = 1.0
    identity: float = 0.5
    statistics: float = 0.0


SEMANTIC_WEIGHTS = PictureWeights(l2=1.0, lpips=1.0, identity=1.0)
"""For S alone: squared error makes bland what the semantics cannot place to the pixel."""


class PictureLoss(nn.Module):
    """L2 + LPIPS + identity distance between pictures.

    Args:
        lpips, identity: frozen networks; no identity in domains that have none.
    """

    def __init__(
        self,
        lpips: Lpips,
        identity: FaceIdentity | None,
        weights: PictureWeights = PictureWeights(),
    ) -> None:
        super().__init__()
        self.lpips, self.identity, self.weights = lpips, identity, weights

    def forward(self, x: Tensor, target: Tensor) -> tuple[Tensor, dict[str, float]]:
        """(B, 3, H, H) twice, in [-1, 1]; returns the mean loss and its parts."""
        l2 = (F.avg_pool2d(x, 2) - F.avg_pool2d(target, 2)).square().mean()
        with gradient_autocast(x.device):
            lpips = self.lpips(x, target).float().mean()
        w = self.weights
        total = w.l2 * l2 + w.lpips * lpips
        parts = {"l2": l2.item(), "lpips": lpips.item()}
        if w.statistics:
            with gradient_autocast(x.device):
                statistics = statistics_distance(self.lpips, x, target)
            total = total + w.statistics * statistics
            parts["statistics"] = statistics.item()
        if self.identity is None:
            return total, parts
        with gradient_autocast(x.device):
            with torch.no_grad():
                known = self.identity(crop_for_identity(target)).float()
            identity = (self.identity(crop_for_identity(x)).float() - known).norm(dim=1).mean()
        return total + w.identity * identity, parts | {"id": identity.item()}


STABLE_PIXELS, STABLE_FEATURES = 1e-2, 1e-3
"""Added to both sides of a ratio of statistics, so that flat channels count as alike."""


def statistics_distance(lpips: Lpips, x: Tensor, y: Tensor) -> Tensor:
    """How far apart means and covariances of pixels and AlexNet's features are: 0 to 1.

    LPIPS alone trades texture for likeness at each point: a search that minimises it draws meshes.
    Source: the form of DISTS (Ding et al. 2020, arXiv 2004.07728), with the features of LPIPS
    instead of VGG's, so that DISTS itself can still judge the result.

    Args:
        x, y: (B, 3, H, W) in [-1, 1].
    """
    total = x.new_zeros(())
    pairs = zip([x, *lpips.activations(x)], [y, *lpips.activations(y)], strict=True)
    for index, (u, v) in enumerate(pairs):
        stable = STABLE_FEATURES if index else STABLE_PIXELS
        u, v = u.float(), v.float()
        mean_u, mean_v = u.mean((2, 3), keepdim=True), v.mean((2, 3), keepdim=True)
        covariance = ((u - mean_u) * (v - mean_v)).mean((2, 3))  # (B, C)
        variances = u.var((2, 3), correction=0) + v.var((2, 3), correction=0)
        squares = mean_u.square() + mean_v.square()
        texture = 1 - (2 * mean_u * mean_v + stable) / (squares + stable)
        structure = 1 - (2 * covariance + stable) / (variances + stable)
        total = total + (texture.mean() + structure.mean()) / 2
    return total / (len(lpips.convs) + 1)
