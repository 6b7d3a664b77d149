"""Where the person is: a mask of people in a picture.

Source: MediaPipe Selfie Segmentation (Google 2021), a MobileNetV3 (Howard et al. 2019, arXiv
1905.02244) with a light decoder; the weights come from the Human library's copy of it.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.weights.loading import ASSETS, load_into

MASK_PX = 256
PERSON = 0.5
"""Probability from which a pixel counts as part of a person."""


class Gate(nn.Module):
    """Squeeze and excitation: one factor a channel from the mean of the picture."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 1)
        self.conv2 = nn.Conv2d(width, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.conv1(x.mean((2, 3), keepdim=True)))  # (B, width, 1, 1)
        return torch.sigmoid(self.conv2(h))  # (B, C, 1, 1)


class Bottleneck(nn.Module):
    """MobileNetV3's block: widen, depthwise, gate, narrow; halves the size when ``stride`` is 2."""

    def __init__(
        self, c_in: int, width: int, c_out: int, kernel: int, stride: int, gate: int, hard: bool
    ) -> None:
        super().__init__()
        self.residual = stride == 1 and c_in == c_out
        self.activation = nn.Hardswish() if hard else nn.ReLU()
        self.expand = nn.Conv2d(c_in, width, 1)
        self.depthwise = _same(width, width, kernel, stride, groups=width)
        self.gate = Gate(width, gate) if gate else None
        self.project = nn.Conv2d(width, c_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        h: Tensor = self.activation(self.expand(x))  # (B, width, H, W)
        h = self.activation(self.depthwise(h))  # (B, width, H / stride, W / stride)
        if self.gate is not None:
            h = h * self.gate(h)
        h = self.project(h)  # (B, C_out, H / stride, W / stride)
        return h + x if self.residual else h


class Head(nn.Module):
    """Features weighted by what the whole picture is of."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, 1)
        self.gate = nn.Conv2d(c_in, c_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        gate = torch.sigmoid(self.gate(x.mean((2, 3), keepdim=True)))  # (B, C_out, 1, 1)
        return F.relu(self.conv(x)) * gate  # (B, C_out, H, W)


class Up(nn.Module):
    """Double the size, with the encoder's features of that size gated in."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(c_in, c_out, 1)
        self.gate = Gate(c_out, c_out)
        self.conv = nn.Conv2d(c_out, c_out, 1)
        self.depthwise = nn.Conv2d(c_out, c_out, 3, padding=1, groups=c_out)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Args: x (B, C_in, H, W), skip (B, C_out, 2H, 2W). Returns the shape of skip."""
        x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        x = self.reduce(x)  # (B, C_out, 2H, 2W)
        h = F.relu(self.conv(skip * self.gate(skip + x) + x))
        return h + F.relu(self.depthwise(h))


class PersonSegmentation(nn.Module):
    """Picture -> probability of a person at every pixel.

    ::

        256 px -> stem -+-> block -+-> 2 blocks -+-> 5 blocks -> head
                        |          |             |                 |
        256 px <- up <- up <------ up <--------- up <--------------+
                128 px   64 px        32 px         16 px
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = _same(3, 16, 3, 2)
        self.blocks = nn.ModuleList(
            [
                Bottleneck(16, 16, 16, 3, 2, 8, False),
                Bottleneck(16, 72, 24, 3, 2, 0, False),
                Bottleneck(24, 88, 24, 3, 1, 0, False),
                Bottleneck(24, 96, 32, 5, 2, 24, True),
                Bottleneck(32, 128, 32, 5, 1, 32, True),
                Bottleneck(32, 128, 32, 5, 1, 32, True),
                Bottleneck(32, 96, 32, 5, 1, 24, True),
                Bottleneck(32, 96, 32, 5, 1, 24, True),
            ]
        )
        self.head = Head(32, 128)
        self.ups = nn.ModuleList([Up(128, 24), Up(24, 16), Up(16, 16)])
        self.out = nn.ConvTranspose2d(16, 1, 2, stride=2)

    @classmethod
    def pretrained(cls, path: str | Path = ASSETS / "person.safetensors") -> "PersonSegmentation":
        """The published weights, frozen. Raises WeightsError when the file is missing or odd."""
        return load_into(cls(), Path(path))

    def forward(self, pictures: Tensor) -> Tensor:
        """Args: pictures (B, 3, 256, 256) in [-1, 1]. Returns (B, 256, 256) in [0, 1]."""
        x = F.hardswish(self.stem((pictures + 1) / 2))  # (B, 16, 128, 128)
        skips = [x]
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in (0, 2):
                skips.append(x)  # (B, 16, 64, 64), then (B, 24, 32, 32)
        x = self.head(x)  # (B, 128, 16, 16)
        for up, skip in zip(self.ups, reversed(skips)):
            x = up(x, skip)
        return torch.sigmoid(self.out(x))[:, 0]  # (B, 256, 256)

    @torch.no_grad()
    def mask(self, image: Image.Image) -> NDArray[Any]:
        """Find the person in one picture.

        Args:
            image: square, of any size.

        Returns:
            (256, 256) float32, the probability of a person.
        """
        small = image.convert("RGB").resize((MASK_PX, MASK_PX), Image.Resampling.LANCZOS)
        pixels = torch.from_numpy(np.array(small)).permute(2, 0, 1)[None] / 127.5 - 1
        return np.asarray(self(pixels.to(self.out.weight))[0].cpu())


def overlap(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Intersection over union of two masks of one shape; 1 where neither has a person."""
    a, b = one >= PERSON, other >= PERSON
    union = (a | b).sum()
    return float((a & b).sum() / union) if union else 1.0


class _Same(nn.Conv2d):
    """A convolution padded as TensorFlow does: the odd row and column go to the end."""

    def forward(self, x: Tensor) -> Tensor:
        total = self.kernel_size[0] - self.stride[0]
        before = total // 2
        return super().forward(F.pad(x, (before, total - before, before, total - before)))


def _same(c_in: int, c_out: int, kernel: int, stride: int, groups: int = 1) -> nn.Conv2d:
    if stride == 1:
        return nn.Conv2d(c_in, c_out, kernel, padding=kernel // 2, groups=groups)
    return _Same(c_in, c_out, kernel, stride, groups=groups)
