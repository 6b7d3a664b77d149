"""DINOv2 features: the content of a picture, by a network trained without labels.

Source: Oquab et al. 2023, arXiv 2304.07193, ViT-S/14.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.weights.loading import load_into
from hsc.weights.packages import fetched

INPUT_PX = 224
PATCH = 14
WIDTH, DEPTH, HEADS = 384, 12, 6
TRAINED_GRID = 37
"""The positions were learnt for 37 x 37 patches, and are interpolated for other sizes."""


class Attention(nn.Module):
    """Multi-head self-attention: (B, T, 384) -> the same."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        def split(y: Tensor) -> Tensor:
            return y.reshape(*y.shape[:2], HEADS, -1).transpose(1, 2)  # (B, heads, T, 64)

        q, k, v = split(self.query(x)), split(self.key(x)), split(self.value(x))
        h = F.scaled_dot_product_attention(q, k, v)
        out: Tensor = self.out(h.transpose(1, 2).flatten(2))
        return out


class Layer(nn.Module):
    """x + scale1 attention(norm1(x)), then x + scale2 mlp(norm2(x))."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = (nn.LayerNorm(WIDTH, eps=1e-6) for _ in range(2))
        self.attention = Attention()
        self.fc1, self.fc2 = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
        self.scale1, self.scale2 = (nn.Parameter(torch.ones(WIDTH)) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.scale1 * self.attention(self.norm1(x))
        h: Tensor = self.fc2(F.gelu(self.fc1(self.norm2(x))))
        return x + self.scale2 * h


class Dino(nn.Module):
    """ViT-S/14.

    ::

        224 px -> 14x14 patches (16 x 16) -> + class token, + position -> 12 layers -> norm
    """

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, PATCH, stride=PATCH)
        self.class_token = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.class_position = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.positions = nn.Parameter(torch.zeros(1, TRAINED_GRID**2, WIDTH))
        self.layers = nn.ModuleList([Layer() for _ in range(DEPTH)])
        self.norm = nn.LayerNorm(WIDTH, eps=1e-6)
        mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        self.register_buffer("mean", mean.view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", std.view(1, 3, 1, 1), persistent=False)

    @classmethod
    def pretrained(cls, path: str | Path | None = None) -> "Dino":
        """The published weights, frozen; without a path fetched into the user's cache if need be.

        Raises:
            WeightsError: the file is missing or odd, or cannot be fetched.
        """
        from hsc.metrics.recipes import DINO

        file = fetched(DINO) if path is None else Path(path)
        return load_into(cls(), file, made_by="python -m hsc import-weights dino")

    def tokens(self, x: Tensor) -> Tensor:
        """Args: x (B, 3, 224, 224) in [-1, 1]. Returns (B, 1 + 256, 384), the class token first."""
        x = ((x + 1) / 2 - self.mean) / self.std
        h: Tensor = self.patches(x).flatten(2).transpose(1, 2)  # (B, 256, 384)
        grid = round(h.shape[1] ** 0.5)
        positions = self.positions.transpose(1, 2).reshape(1, WIDTH, TRAINED_GRID, TRAINED_GRID)
        positions = F.interpolate(positions, size=(grid, grid), mode="bicubic")
        h = h + positions.flatten(2).transpose(1, 2)
        first = (self.class_token + self.class_position).expand(len(h), -1, -1)
        h = torch.cat([first, h], 1)  # (B, 257, 384)
        for layer in (*self.layers, self.norm):
            h = layer(h)
        return h

    def forward(self, images: Tensor) -> Tensor:
        """Features of the whole picture.

        Args:
            images: (B, 3, H, H) in [-1, 1], resampled to 224 px.

        Returns:
            (B, 384), the class token after the last norm.
        """
        if images.shape[-1] != INPUT_PX:
            images = F.interpolate(
                images, size=(INPUT_PX, INPUT_PX), mode="bicubic", antialias=True
            )
        return self.tokens(images)[:, 0]


def frechet(a: Tensor, b: Tensor) -> float:
    """Frechet distance of two sets of features, each modelled as a Gaussian.

    It is biased upwards for few pictures, by an amount that depends on their number: compare only
    values for equally many.

    Args:
        a, b: (N, D) and (M, D); with N, M >= 2.
    """
    a, b = a.double(), b.double()
    mean_a, mean_b = a.mean(0), b.mean(0)
    x, y = (a - mean_a) / (len(a) - 1) ** 0.5, (b - mean_b) / (len(b) - 1) ** 0.5
    # tr((A B)^1/2) of the covariances A = x'x and B = y'y is the sum of singular values of x y'
    crossed = torch.linalg.svdvals(x @ y.T).sum()
    spread = x.square().sum() + y.square().sum() - 2 * crossed
    return float((mean_a - mean_b).square().sum() + spread.clamp_min(0))
