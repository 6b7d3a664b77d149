"""Degradations that uploads have: the encoder sees the damaged picture, the loss the clean one."""

import io
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F


def jitter(
    images: Tensor, shift: float = 0.02, scale: float = 0.04, degrees: float = 3.0
) -> Tensor:
    """Random similarity transforms, as imperfect alignment gives.

    Args:
        images: (B, 3, H, W) in [-1, 1].
        shift: standard deviation as a fraction of the side; scale likewise; degrees of rotation.
    """
    b = len(images)
    angle = torch.randn(b) * degrees * torch.pi / 180
    zoom = 1 + torch.randn(b) * scale
    cos, sin = torch.cos(angle) / zoom, torch.sin(angle) / zoom
    move = torch.randn(b, 2) * shift * 2
    theta = torch.stack(
        [torch.stack([cos, -sin, move[:, 0]], 1), torch.stack([sin, cos, move[:, 1]], 1)], 1
    )  # (B, 2, 3)
    grid = F.affine_grid(theta.to(images), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def degrade(images: Tensor, probability: float = 0.35) -> Tensor:
    """Low resolution, JPEG and noise, each on some of the pictures.

    Darkness and colour are not among them: a dark or grey upload is to come back as it is.

    Args:
        images: (B, 3, H, W) in [-1, 1].
    """
    out = []
    for image in images:
        if torch.rand(()) < probability:
            image = _DEGRADATIONS[int(torch.randint(len(_DEGRADATIONS), ()))](image)
        out.append(image)
    return torch.stack(out)


def _low_resolution(image: Tensor) -> Tensor:
    px = int(torch.randint(48, 160, ()))
    small = F.interpolate(image[None], size=px, mode="bilinear", antialias=True)
    return F.interpolate(small, size=image.shape[-2:], mode="bicubic").clamp(-1, 1)[0]


def _jpeg(image: Tensor) -> Tensor:
    pixels = ((image + 1) * 127.5).round().clamp(0, 255).byte().permute(1, 2, 0).cpu().numpy()
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=int(torch.randint(15, 60, ())))
    decoded = np.array(Image.open(buffer))
    return (torch.from_numpy(decoded).permute(2, 0, 1).float() / 127.5 - 1).to(image)


def _noise(image: Tensor) -> Tensor:
    noisy = image + torch.randn_like(image) * float(torch.empty(()).uniform_(0.02, 0.12))
    return noisy.clamp(-1, 1)


_DEGRADATIONS = (_low_resolution, _low_resolution, _jpeg, _noise)


def grey_some(images: Tensor, probability: float = 0.03) -> Tensor:
    """Turn some pictures black and white, for input and target alike."""
    grey = images.mean(1, keepdim=True).expand_as(images)
    chosen = torch.rand(len(images), 1, 1, 1, device=images.device) < probability
    return torch.where(chosen, grey, images)


SHARE_GREY, SHARE_TINTED, SHARE_DARK = 0.05, 0.01, 0.06
"""Of the photographs that :class:`ColourChange` makes grey, sepia and dark."""
SEPIA = torch.tensor([1.08, 0.95, 0.76])[:, None, None]


@dataclass(frozen=True)
class ColourChange:
    """A random change of exposure and colour, for input and target alike; some also mirror.

    Attributes:
        gain: of each channel, (3, 1, 1).
    """

    flip: bool
    gamma: float
    gain: Tensor
    saturation: float

    @classmethod
    def random(cls, probability: float = 0.6) -> "ColourChange":
        """One at random; without ``probability`` nothing but the mirroring."""
        varied = float(torch.rand(()) < probability)
        tint = torch.rand(()) < SHARE_TINTED
        grey = tint or torch.rand(()) < SHARE_GREY
        dark = torch.rand(()) < SHARE_DARK

        def normal(scale: float, *shape: int) -> Tensor:
            return varied * scale * torch.randn(shape).clamp(-2, 2)

        return cls(
            flip=bool(torch.rand(()) < 0.5),
            gamma=2 ** float(torch.empty(()).uniform_(0.5, 1.5) if dark else normal(0.25)),
            gain=SEPIA if tint else 1 + normal(0.0 if grey else 0.04, 3, 1, 1) + normal(0.1),
            saturation=0.0 if grey else 1 + float(normal(0.2)),
        )

    def __call__(self, pixels: Tensor) -> Tensor:
        """uint8 (3, H, W) to float (3, H, W) in [-1, 1]."""
        x = (pixels.float() / 255) ** self.gamma
        grey = x.mean(0, keepdim=True)
        x = ((grey + self.saturation * (x - grey)) * self.gain).clamp(0, 1) * 2 - 1
        return x.flip(2) if self.flip else x
