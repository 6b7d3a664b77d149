"""Age, gender presentation and facial expression, read by two small networks.

Source: face-api (Vincent Mühler, Vladimir Mandic). They serve to find and
calibrate edits and to compare read-outs of two pictures; a decoder never needs them.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.weights.loading import load_into

FACE_PX = 112
MARGIN = 0.1
"""What is added on each side of the landmarks' box, in parts of it, to frame a face."""
EXPRESSIONS = ("neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised")
MEAN_RGB = (122.782, 117.001, 104.298)


class Separable(nn.Module):
    """Depthwise 3x3, then pointwise 1x1 with a bias; halves an even size when ``down``."""

    def __init__(self, c_in: int, c_out: int, down: bool = False) -> None:
        super().__init__()
        self.down = down
        stride, padding = (2, 0) if down else (1, 1)
        self.depthwise = nn.Conv2d(c_in, c_in, 3, stride, padding, groups=c_in, bias=False)
        self.pointwise = nn.Conv2d(c_in, c_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        if self.down:
            x = _pad_end(x)
        out: Tensor = self.pointwise(self.depthwise(x))
        return out


class DenseBlock(nn.Module):
    """Four convolutions, each fed the sum of all before it; the first one halves the size."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        first = c_in == 3
        self.conv0 = nn.Conv2d(3, c_out, 3, 2) if first else Separable(c_in, c_out, down=True)
        self.conv1 = Separable(c_out, c_out)
        self.conv2 = Separable(c_out, c_out)
        self.conv3 = Separable(c_out, c_out)

    def forward(self, x: Tensor) -> Tensor:
        first = isinstance(self.conv0, nn.Conv2d)
        h = F.relu(self.conv0(_pad_end(x) if first else x))  # (B, C_out, H / 2, W / 2)
        total = h
        for conv in (self.conv1, self.conv2, self.conv3):
            total = total + conv(h)
            h = F.relu(total)
        return h


class Expression(nn.Module):
    """Face -> one logit for each of :data:`EXPRESSIONS`.

    ::

        112 px -> dense 32 -> dense 64 -> dense 128 -> dense 256 -> mean -> 7
    """

    def __init__(self) -> None:
        super().__init__()
        self.dense0 = DenseBlock(3, 32)
        self.dense1 = DenseBlock(32, 64)
        self.dense2 = DenseBlock(64, 128)
        self.dense3 = DenseBlock(128, 256)
        self.fc = nn.Linear(256, len(EXPRESSIONS))

    def forward(self, faces: Tensor) -> Tensor:
        """Args: faces (B, 3, 112, 112) as :func:`frame` gives them. Returns (B, 7)."""
        x = _normalised(faces)
        for block in (self.dense0, self.dense1, self.dense2, self.dense3):
            x = block(x)
        logits: Tensor = self.fc(x.mean((2, 3)))  # (B, 256) -> (B, 7)
        return logits


class Reduction(nn.Module):
    """Two separable convolutions and a max pool beside a strided 1x1."""

    def __init__(self, c_in: int, c_out: int, activate: bool = True) -> None:
        super().__init__()
        self.activate = activate
        self.separable_conv0 = Separable(c_in, c_out)
        self.separable_conv1 = Separable(c_out, c_out)
        self.expansion_conv = nn.Conv2d(c_in, c_out, 1, 2)

    def forward(self, x: Tensor) -> Tensor:
        h: Tensor = self.separable_conv0(F.relu(x) if self.activate else x)
        h = self.separable_conv1(F.relu(h))  # (B, C_out, H, W)
        h = F.max_pool2d(F.pad(h, (0, 1, 0, 1), value=float("-inf")), 3, 2)
        shortcut: Tensor = self.expansion_conv(x)
        return h + shortcut  # (B, C_out, H / 2, W / 2)


class Residual(nn.Module):
    """Three separable convolutions beside a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.separable_conv0 = Separable(channels, channels)
        self.separable_conv1 = Separable(channels, channels)
        self.separable_conv2 = Separable(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        h = x
        for conv in (self.separable_conv0, self.separable_conv1, self.separable_conv2):
            h = conv(F.relu(h))
        return x + h


class AgeGender(nn.Module):
    """Face -> age and gender presentation, a small Xception.

    ::

        112 px -> 3x3 /2 -> reduce 64 -> reduce 128 -> 2 x residual -> reduce 256 -> 512 -> mean
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(3, 32, 3, 2)
        self.reduction_block_0 = Reduction(32, 64, activate=False)
        self.reduction_block_1 = Reduction(64, 128)
        self.main_block_0 = Residual(128)
        self.main_block_1 = Residual(128)
        self.reduction_block = Reduction(128, 256)
        self.separable_conv = Separable(256, 512)
        self.age = nn.Linear(512, 1)
        self.gender = nn.Linear(512, 2)

    def forward(self, faces: Tensor) -> tuple[Tensor, Tensor]:
        """Read faces.

        Args:
            faces: (B, 3, 112, 112) as :func:`frame` gives them.

        Returns:
            Age in years (B,), and the log-odds (B,) that the face is taken for a man's.
        """
        x = F.relu(self.conv_in(_pad_end(_normalised(faces))))  # (B, 32, 56, 56)
        x = self.reduction_block_1(self.reduction_block_0(x))  # (B, 128, 14, 14)
        x = self.main_block_1(self.main_block_0(x))
        x = F.relu(self.separable_conv(self.reduction_block(x)))  # (B, 512, 7, 7)
        x = x.mean((2, 3))
        gender = self.gender(x)  # (B, 2), men first
        return self.age(x)[:, 0], gender[:, 0] - gender[:, 1]


def load_attributes(path: Path) -> tuple[AgeGender, Expression]:
    """Both networks from one file; WeightsError when it is missing or odd."""
    return (
        load_into(AgeGender(), path, "age_gender."),
        load_into(Expression(), path, "expression."),
    )


def frame(image: Image.Image, landmarks: NDArray[Any]) -> Tensor:
    """Crop a face for the networks: its landmarks' box with a margin, in a black square.

    Args:
        image: RGB picture.
        landmarks: (68, 2) in its pixels.

    Returns:
        (3, 112, 112) float32 in 0..255.
    """
    low, high = landmarks.min(0), landmarks.max(0)
    margin = (high - low) * MARGIN
    low = np.maximum(low - margin, 0)
    high = np.minimum(high + margin, image.size)
    size = np.maximum(1, np.rint((high - low) * FACE_PX / (high - low).max()).astype(int))
    face = image.resize(tuple(size), Image.Resampling.BILINEAR, box=(*low, *high))
    square = Image.new("RGB", (FACE_PX, FACE_PX))
    square.paste(face, tuple((FACE_PX - size) // 2))
    return torch.from_numpy(np.array(square)).permute(2, 0, 1).float()


def _normalised(faces: Tensor) -> Tensor:
    mean = torch.tensor(MEAN_RGB, device=faces.device).view(1, 3, 1, 1)
    return (faces - mean) / 255


def _pad_end(x: Tensor) -> Tensor:
    """One row and column of zeros after the last, where TensorFlow puts them at stride two."""
    return F.pad(x, (0, 1, 0, 1))
