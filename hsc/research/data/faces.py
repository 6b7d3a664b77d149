"""Training pictures: real aligned faces from folders, and synthetic pairs from the generator."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors import safe_open
from torch import Tensor
from torch.nn import functional as F

from hsc.config import SHIPPED
from hsc.images.bandwidth import FULL_PX
from hsc.research import distributed
from hsc.research.data.augment import ColourChange
from hsc.research.data.held_out import is_held_out

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


def list_faces(folders: list[Path]) -> list[Path]:
    """Aligned pictures of people that validation does not use, from folders and their children."""
    return [path for path in _pictures(folders) if not is_held_out(path)]


def list_held_out(folders: list[Path]) -> list[Path]:
    """Aligned pictures of the people that validation uses, in the same folders."""
    return [path for path in _pictures(folders) if is_held_out(path)]


def _pictures(folders: list[Path]) -> list[Path]:
    return sorted(p for f in folders for p in f.rglob("*") if p.suffix.lower() in SUFFIXES)


def load_square(path: Path, px: int = SHIPPED.input_px) -> Tensor:
    """An aligned picture as uint8 (3, px, px)."""
    with Image.open(path) as file:
        image = file.convert("RGB")
    if image.size != (px, px):
        image = image.resize((px, px), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()


class RealFaces:
    """Training pictures in memory, or this process's share: ``images`` is uint8 (N, 3, 256, 256).

    Args:
        px: side of the encoder's input.
    """

    def __init__(self, folders: list[Path], px: int = SHIPPED.input_px) -> None:
        paths = distributed.own(list_faces(folders))
        if not paths:
            raise FileNotFoundError(f"no pictures below {', '.join(map(str, folders))}")
        self.images = torch.stack([load_square(p, px) for p in paths])

    def sample(self, n: int) -> Tensor:
        """(n, 3, 256, 256) uint8, each flipped with probability one half."""
        batch = self.images[torch.randint(len(self.images), (n,))]
        return torch.where(torch.rand(n, 1, 1, 1) < 0.5, batch, batch.flip(3))


def resized(picture: Tensor, px: int) -> Tensor:
    """(B, 3, H, H) to (B, 3, px, px): by averages, or enlarged where it has fewer pixels."""
    if picture.shape[-1] >= px:
        return F.interpolate(picture, size=px, mode="area")
    return F.interpolate(picture, size=px, mode="bilinear", align_corners=False)


@dataclass(frozen=True)
class NativeBatch:
    """Photographs on the generator's grid, and how much of it they fill with detail.

    Attributes:
        pictures: (B, 3, 1024, 1024) in [-1, 1]; smaller photographs are enlarged.
        px: the side that each photograph has itself, (B,).
    """

    pictures: Tensor
    px: list[int]


class NativeFaces:
    """Aligned photographs at their own size: ``images`` are uint8 (3, px, px), px at most 1024.

    Large ones are sampled more often: nothing else shows what skin and hair look like.

    Args:
        paths: aligned pictures; those under ``least_px`` are left out.
        image_px: side of the generator's pictures; larger photographs are shrunk to it.

    Raises:
        FileNotFoundError: none is large enough.
    """

    def __init__(
        self, paths: Sequence[Path], least_px: int, image_px: int = SHIPPED.generator.image_px
    ) -> None:
        self.images: list[Tensor] = []
        self.image_px = image_px
        for path in paths:
            with Image.open(path) as image:
                px = min(*image.size, image_px)
            if px >= least_px:
                self.images.append(load_square(path, px))
        if not self.images:
            raise FileNotFoundError(f"no aligned pictures of {least_px} px or more to learn from")
        sizes = torch.tensor([image.shape[-1] for image in self.images])
        self.weight = torch.where(sizes >= FULL_PX, 3.0, (sizes / FULL_PX) ** 2)

    def pick(self) -> int:
        """The index of a photograph at random."""
        return int(torch.multinomial(self.weight, 1))

    def sample(self, n: int) -> NativeBatch:
        """``n`` photographs, their exposure and colours changed at random, some mirrored."""
        chosen = [self.images[self.pick()] for _ in range(n)]
        pictures = [on_grid(ColourChange.random()(image)[None], self.image_px) for image in chosen]
        return NativeBatch(torch.cat(pictures), [image.shape[-1] for image in chosen])


def held_out_images(
    folders: list[Path], least_px: int, count: int, image_px: int = SHIPPED.generator.image_px
) -> list[Tensor]:
    """Some validation people, uint8 (3, px, px) each at its own size; none if too small."""
    try:
        images = NativeFaces(list_held_out(folders), least_px, image_px).images
    except FileNotFoundError:
        return []
    return images[:: max(1, len(images) // count)][:count]


def on_grid(picture: Tensor, image_px: int) -> Tensor:
    """(B, 3, px, px) on the generator's grid, (B, 3, image_px, image_px)."""
    if picture.shape[-1] == image_px:
        return picture
    return F.interpolate(picture, size=image_px, mode="bicubic").clamp(-1, 1)


@dataclass
class Pairs:
    """Synthetic pairs: a batch of styles and the pictures that the generator renders of them."""

    images: Tensor  # uint8 (B, 3, 256, 256)
    w_plus: Tensor  # (B, 23, 512)


class SyntheticPairs:
    """Shards written by ``hsc train pairs``, in memory."""

    def __init__(self, folder: Path) -> None:
        shards = sorted(folder.glob("*.safetensors"))
        if not shards:
            raise FileNotFoundError(f"no pairs in {folder}: run `hsc train pairs` first")
        images, styles = [], []
        for shard in shards:
            with safe_open(shard, "pt") as file:
                images.append(file.get_tensor("images"))
                styles.append(file.get_tensor("w_plus"))
        self.images, self.w_plus = torch.cat(images), torch.cat(styles)

    def __len__(self) -> int:
        return len(self.images)

    def sample(self, n: int, device: torch.device) -> Pairs:
        index = torch.randint(len(self), (n,))
        return Pairs(self.images[index].to(device), self.w_plus[index].float().to(device))
