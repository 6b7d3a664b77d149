"""Identity: a differentiable face descriptor.

Source: dlib's face recognition ResNet (King 2017), 29 convolutions, 99.38% on Labeled Faces in the
Wild; the weights come from face-api's copy of it.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.weights.loading import ASSETS, load_into

DESCRIPTOR_DIM = 128
FACE_PX = 150
SAME_PERSON = 0.6
"""Euclidean distance of two descriptors below which they usually show one person."""

# dlib frames a face by its landmarks: a square of 150 px, padding .25. On 36 aligned portraits that
# square measures .702 (standard deviation .030) of the FFHQ crop and is centred at (.501, .606)
# (.010, .008), turned by half a degree. Shrinking the crop to 214 px makes the square 150 px wide.
ALIGNED_PX = 214
CROP_LEFT, CROP_TOP = 32, 55


class Unit(nn.Module):
    """Two 3x3 convolutions beside a shortcut; the first may halve the size, and then the shortcut
    is averaged down. New channels and a missing last row or column count as zero, as in dlib.
    """

    def __init__(self, c_in: int, c_out: int, down: bool = False) -> None:
        super().__init__()
        self.down = down
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride=2 if down else 1, padding=0 if down else 1)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv2(F.relu(self.conv1(x)))  # (B, C_out, H', W')
        if self.down:
            x = F.avg_pool2d(x, 2)  # (B, C_in, H // 2, W // 2), never smaller than h
            bottom, right = x.shape[2] - h.shape[2], x.shape[3] - h.shape[3]
            h = F.pad(h, (0, right, 0, bottom))
            x = F.pad(x, (0, 0, 0, 0, 0, h.shape[1] - x.shape[1]))
        return F.relu(h + x)  # (B, C_out, H', W')


class FaceIdentity(nn.Module):
    """Face -> 128 numbers; a Euclidean distance under .6 usually means the same person.

    ::

        150 px -> 7x7 /2 - pool /2 - 3 x 32 - 4 x 64 - 3 x 128 - 3 x 256 - 256 /2 - mean -> 128
    """

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 7, stride=2)
        units = [Unit(32, 32), Unit(32, 32), Unit(32, 32)]
        units += [Unit(32, 64, down=True), Unit(64, 64), Unit(64, 64), Unit(64, 64)]
        units += [Unit(64, 128, down=True), Unit(128, 128), Unit(128, 128)]
        units += [Unit(128, 256, down=True), Unit(256, 256), Unit(256, 256)]
        units += [Unit(256, 256, down=True)]
        self.units = nn.Sequential(*units)
        self.out = nn.Linear(256, DESCRIPTOR_DIM, bias=False)
        mean = torch.tensor([122.782, 117.001, 104.298]).view(1, 3, 1, 1)
        self.register_buffer("mean", mean, persistent=False)

    @classmethod
    def pretrained(cls, path: str | Path = ASSETS / "identity.safetensors") -> "FaceIdentity":
        """The published weights, frozen. Raises WeightsError when the file is missing or odd."""
        return load_into(cls(), Path(path))

    def forward(self, faces: Tensor) -> Tensor:
        """Describe faces.

        Args:
            faces: (B, 3, 150, 150) RGB in [-1, 1], framed as :func:`crop_for_identity` does.

        Returns:
            (B, 128), not normalised: dlib's distances are meant for it as it is.
        """
        x = ((faces + 1) * 127.5 - self.mean) / 256  # (B, 3, 150, 150)
        x = F.max_pool2d(F.relu(self.stem(x)), 3, stride=2)  # (B, 32, 35, 35)
        x = self.units(x)  # (B, 256, 2, 2)
        descriptor: Tensor = self.out(x.mean(dim=(2, 3)))  # (B, 128)
        return descriptor


def crop_for_identity(images: Tensor) -> Tensor:
    """Cut the face out of FFHQ-aligned pictures the way dlib frames it, with a fixed box.

    Args:
        images: (B, 3, H, W) square FFHQ crops of any size and range.

    Returns:
        (B, 3, 150, 150) in the same range.
    """
    px = (ALIGNED_PX, ALIGNED_PX)
    small = F.interpolate(images, px, mode="bilinear", align_corners=False, antialias=True)
    return small[:, :, CROP_TOP : CROP_TOP + FACE_PX, CROP_LEFT : CROP_LEFT + FACE_PX]
