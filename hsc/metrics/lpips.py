"""LPIPS, the learned perceptual distance, on AlexNet features.

Source: Zhang et al. 2018, arXiv 1801.03924, version 0.1 of the weights.
Written out here because the package ``lpips`` cannot be imported without torchvision.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.weights.loading import ASSETS, load_into

CHANNELS = (64, 192, 384, 256, 256)


class Lpips(nn.Module):
    """Distance of two pictures; 0 for equal ones, around .7 for unrelated ones.

    ::

        x -> (x - shift) / scale -> conv1 - pool - conv2 - pool - conv3 - conv4 - conv5
                                      |              |              |       |       |
                              unit length over channels, squared difference to y's,
                              weighted by the head, mean over pixels, summed

    Differentiable with respect to both pictures. :meth:`features` and :meth:`distance` are the
    two halves of :meth:`forward`, for callers that compare many pictures with one.
    """

    shift: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            [
                nn.Conv2d(3, CHANNELS[0], 11, stride=4, padding=2),
                nn.Conv2d(CHANNELS[0], CHANNELS[1], 5, padding=2),
                nn.Conv2d(CHANNELS[1], CHANNELS[2], 3, padding=1),
                nn.Conv2d(CHANNELS[2], CHANNELS[3], 3, padding=1),
                nn.Conv2d(CHANNELS[3], CHANNELS[4], 3, padding=1),
            ]
        )
        self.heads = nn.ParameterList([nn.Parameter(torch.zeros(c)) for c in CHANNELS])
        shift, scale = torch.tensor([-0.030, -0.088, -0.188]), torch.tensor([0.458, 0.448, 0.450])
        self.register_buffer("shift", shift.view(1, 3, 1, 1), persistent=False)
        self.register_buffer("scale", scale.view(1, 3, 1, 1), persistent=False)

    @classmethod
    def pretrained(cls, path: str | Path = ASSETS / "lpips_alex.safetensors") -> "Lpips":
        """The published weights, frozen. Raises WeightsError when the file is missing or odd."""
        return load_into(cls(), Path(path))

    def features(self, x: Tensor) -> list[Tensor]:
        """Activations of unit length over channels.

        Args:
            x: (B, 3, H, W) in [-1, 1], at least 32 px a side.

        Returns:
            Five maps (B, C_i, H_i, W_i), float32.
        """
        # Added inside the root: where every channel is 0, sqrt has no gradient.
        return [
            wide / (wide.square().sum(1, keepdim=True) + 1e-20).sqrt()
            for wide in self.activations(x)
        ]

    def activations(self, x: Tensor) -> list[Tensor]:
        """The same maps before they are brought to unit length."""
        h = (x - self.shift) / self.scale  # (B, 3, H, W)
        maps = []
        for index, conv in enumerate(self.convs):
            if index in (1, 2):
                h = F.max_pool2d(h, 3, stride=2)
            h = F.relu(conv(h))  # (B, C_i, H_i, W_i)
            maps.append(h.float())
        return maps

    def distance(self, a: list[Tensor], b: list[Tensor], places: Tensor | None = None) -> Tensor:
        """Two results of :meth:`features` to their distance, (B,).

        Args:
            places: how much each part of the pictures counts, (1, 1, h, w); None: all count 1.
        """
        total = a[0].new_zeros(())
        for u, v, head in zip(a, b, self.heads, strict=True):
            squares = (u - v).square()  # (B, C_i, H_i, W_i)
            if places is not None:
                squares = squares * F.interpolate(places, size=squares.shape[-2:])
            per_channel = squares.mean(dim=(2, 3))  # (B, C_i)
            # Not a matrix product: autocast would round the distance to half precision.
            total = total + (per_channel * head).sum(1)  # (B,)
        return total

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Args: x, y (B, 3, H, W) in [-1, 1]. Returns (B,)."""
        return self.distance(self.features(x), self.features(y))
