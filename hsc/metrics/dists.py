"""DISTS, a perceptual distance that forgives resampled texture, on VGG16 features.

Source: Ding et al. 2020, arXiv 2004.07728.
Written out here because the package ``DISTS-pytorch`` cannot be imported without torchvision.
"""

from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.weights.loading import load_into
from hsc.weights.packages import fetched

STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
CHANNELS = (3, *(stage[-1] for stage in STAGES))


class Dists(nn.Module):
    """Distance of two pictures; 0 for equal ones.

    ::

        x -> [2 convs] - L2 pool - [2 convs] - L2 pool - [3] - L2 pool - [3] - L2 pool - [3]
        |        |                    |                   |               |               |
          per channel: alpha x similarity of means + beta x correlation; 1 - their sum

    The published weights are for pictures whose shorter side is 256 px.
    """

    mean: Tensor
    std: Tensor
    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        widths = [3, *(c for stage in STAGES for c in stage)]
        self.convs = nn.ModuleList([nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(widths)])
        self.alpha = nn.Parameter(torch.zeros(sum(CHANNELS)))
        self.beta = nn.Parameter(torch.zeros(sum(CHANNELS)))
        mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        hann = torch.tensor([0.5, 1.0, 0.5])
        kernel = hann[:, None] * hann / hann.sum() ** 2
        self.register_buffer("mean", mean.view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", std.view(1, 3, 1, 1), persistent=False)
        self.register_buffer("kernel", kernel[None, None], persistent=False)

    @classmethod
    def pretrained(cls, path: str | Path | None = None) -> "Dists":
        """The published weights, frozen; without a path fetched into the user's cache if need be.

        Raises:
            WeightsError: the file is missing or odd, or cannot be fetched.
        """
        from hsc.metrics.recipes import DISTS

        file = fetched(DISTS) if path is None else Path(path)
        return load_into(cls(), file, made_by="python -m hsc import-weights perceptual")

    def pool(self, x: Tensor) -> Tensor:
        """Halve the size: the root of a blurred square, so that no energy aliases."""
        kernel = self.kernel.expand(x.shape[1], 1, 3, 3)
        power = F.conv2d(x.square(), kernel, stride=2, padding=1, groups=x.shape[1])
        return (power + 1e-12).sqrt()  # (B, C, H / 2, W / 2)

    def features(self, x: Tensor) -> list[Tensor]:
        """Args: x (B, 3, H, W) in [-1, 1]. Returns the picture in [0, 1] and five activations."""
        x = (x + 1) / 2
        maps = [x]
        h = (x - self.mean) / self.std  # (B, 3, H, W)
        convs = iter(self.convs)
        for index, stage in enumerate(STAGES):
            if index:
                h = self.pool(h)
            for _ in stage:
                h = F.relu(next(convs)(h))  # (B, C_i, H / 2^i, W / 2^i)
            maps.append(h)
        return maps

    def distance(self, x: list[Tensor], y: list[Tensor]) -> Tensor:
        """Two results of :meth:`features` to their distance, (B,)."""
        similarity = x[0].new_zeros(())
        whole = self.alpha.sum() + self.beta.sum()
        alphas, betas = (torch.split(p, list(CHANNELS)) for p in (self.alpha, self.beta))
        for a, b, alpha, beta in zip(x, y, alphas, betas, strict=True):
            mean_a, mean_b = a.mean((2, 3)), b.mean((2, 3))  # (B, C_i)
            da, db = a - mean_a[:, :, None, None], b - mean_b[:, :, None, None]
            variances = da.square().mean((2, 3)) + db.square().mean((2, 3))
            covariance = (da * db).mean((2, 3))
            luminance = (2 * mean_a * mean_b + 1e-6) / (mean_a.square() + mean_b.square() + 1e-6)
            structure = (2 * covariance + 1e-6) / (variances + 1e-6)
            similarity = similarity + luminance @ alpha + structure @ beta  # (B,)
        return 1 - similarity / whole

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Args: x, y (B, 3, H, W) in [-1, 1]. Returns (B,)."""
        return self.distance(self.features(x), self.features(y))
