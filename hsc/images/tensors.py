"""PIL pictures to tensors and back."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor


def to_pixels(image: Image.Image, device: torch.device | str = "cpu") -> Tensor:
    """RGB picture to (1, 3, H, W) uint8, its channels last in memory."""
    return torch.from_numpy(np.array(image.convert("RGB"))).to(device).permute(2, 0, 1)[None]


def to_tensor(image: Image.Image, device: torch.device | str = "cpu") -> Tensor:
    """RGB picture to (1, 3, H, W) float32 in [-1, 1]."""
    return to_unit(to_pixels(image, device))


def to_unit(pixels: Tensor) -> Tensor:
    """uint8 in [0, 255] to float32 in [-1, 1]."""
    return pixels.float() / 127.5 - 1


def to_picture(tensor: Tensor) -> Image.Image:
    """(1, 3, H, W) in [-1, 1], clamped, to an RGB picture."""
    return to_pictures(tensor)[0]


def to_pictures(batch: Tensor) -> list[Image.Image]:
    """(B, 3, H, W) in [-1, 1], clamped, to RGB pictures."""
    pixels = ((batch.float().clamp(-1, 1) + 1) * 127.5).round().byte()
    return [Image.fromarray(one) for one in pixels.permute(0, 2, 3, 1).cpu().numpy()]
