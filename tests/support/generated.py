"""Faces drawn by the shipped generator, shared by the tests: no photo of a person is needed."""

from copy import deepcopy
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from hsc.config import FACE_1024
from hsc.generators.mapping import Mapping
from hsc.generators.mobilestylegan.synthesis import Synthesis
from hsc.generators.pretrained import FINETUNED_PREVIEW, load_preview, upper_tensors
from hsc.metrics.picture import psnr
from hsc.numerics.precision import gradient_dtype
from hsc.research.edit_discovery.effects import SampleRenderer
from hsc.weights.loading import halve, load_into, path_of


@lru_cache(maxsize=1)
def mapping() -> Mapping:
    return load_into(Mapping(), path_of("generator"), "mapping.")


@lru_cache(maxsize=1)
def synthesis() -> Synthesis:
    return load_into(Synthesis(), path_of("generator"), "synthesis.")


def styles(seed: int) -> Tensor:
    """(1, 23, 512), truncated to .7."""
    z = torch.randn(1, FACE_1024.style_dim, generator=torch.Generator().manual_seed(seed))
    return mapping()(z, 0.7)[:, None].expand(-1, FACE_1024.styles, -1)


@lru_cache(maxsize=8)
def face(seed: int) -> Tensor:
    """(1, 3, 1024, 1024) in [-1, 1]."""
    return synthesis()(styles(seed)).clamp(-1, 1)


def small_renderer(reader=None) -> SampleRenderer:
    """What edits are found and measured in, at 256 px; without a reader of pictures by default."""
    dtype = gradient_dtype(torch.device("cpu"))
    small = deepcopy(synthesis()).to(dtype), load_preview().to(dtype)
    return SampleRenderer(reader, None, mapping(), *small)


def uneven_decoder(path: Path, preview: bool = False) -> Path:
    """A file of blocks above F that differ a little from the generator's, as finetuned ones do.

    Args:
        preview: with an exit at 256 px of their own.
    """
    random = torch.Generator().manual_seed(0)
    tensors = {
        name: tensor * (1 + 0.02 * torch.randn(tensor.shape, generator=random))
        for name, tensor in upper_tensors(synthesis()).items()
    }
    if preview:
        head = load_preview().state_dict()
        tensors |= {FINETUNED_PREVIEW + name: tensor for name, tensor in head.items()}
    save_file(halve(tensors), path)
    return path


def to_pil(picture: Tensor) -> Image.Image:
    pixels = ((picture[0].clamp(-1, 1) + 1) * 127.5).round().byte()
    return Image.fromarray(pixels.permute(1, 2, 0).numpy())


def closeness(a: Image.Image, b: Image.Image) -> float:
    """PSNR of two pictures, in dB."""
    return psnr(from_pil(a), from_pil(b)).item()


def from_pil(image: Image.Image) -> Tensor:
    pixels = torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)[None]
    return pixels.float() / 127.5 - 1
