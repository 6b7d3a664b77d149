"""Training pictures: real aligned faces from folders, and synthetic pairs from the generator."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors import safe_open
from torch import Tensor

from hsc.inversion.encoder import INPUT_PX
from hsc.research.data.held_out import held_out_names

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


def to_unit(pixels: Tensor) -> Tensor:
    """uint8 (…) in [0, 255] to float32 in [-1, 1]."""
    return pixels.float() / 127.5 - 1


def list_faces(folders: list[Path]) -> list[Path]:
    """Aligned pictures of people that validation does not use, from folders and their children."""
    return [path for path in _pictures(folders) if not _held_out(path)]


def list_strangers(folders: list[Path]) -> list[Path]:
    """Aligned pictures of the people that validation uses, in the same folders."""
    return [path for path in _pictures(folders) if _held_out(path)]


def _pictures(folders: list[Path]) -> list[Path]:
    return sorted(p for f in folders for p in f.rglob("*") if p.suffix.lower() in SUFFIXES)


def _held_out(path: Path) -> bool:
    return f"{path.parent.name}/{path.name}" in held_out_names()


def load_square(path: Path, px: int = INPUT_PX) -> Tensor:
    """An aligned picture as uint8 (3, px, px)."""
    with Image.open(path) as image:
        image = image.convert("RGB").resize((px, px), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()


class RealFaces:
    """Every real face in memory: ``images`` is uint8 (N, 3, 256, 256)."""

    def __init__(self, folders: list[Path]) -> None:
        paths = list_faces(folders)
        if not paths:
            raise FileNotFoundError(f"no pictures below {', '.join(map(str, folders))}")
        self.images = torch.stack([load_square(p) for p in paths])

    def sample(self, n: int) -> Tensor:
        """(n, 3, 256, 256) uint8, each flipped with probability one half."""
        batch = self.images[torch.randint(len(self.images), (n,))]
        return torch.where(torch.rand(n, 1, 1, 1) < 0.5, batch, batch.flip(3))


@dataclass
class Pairs:
    """Synthetic pairs: a batch of styles and the pictures that the generator draws of them."""

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
