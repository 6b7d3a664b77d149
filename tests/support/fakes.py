"""A small stand-in for the codec: the same interface and real .hsc files, but no networks.

SCN is a tiny thumbnail of the face and FCN what a larger one adds, so that every property the
page relies on holds: pictures come from bytes alone, more level is more bytes, edits show.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from hsc.bitstream import Container, unpack
from hsc.config import FACE_1024
from hsc.errors import BitstreamError, HscError
from hsc.metrics.dists import Dists

SIDE = FACE_1024.image_px


def save_dists(folder: Path) -> Path:
    """DISTS with the right shapes and random weights: its real ones are not in the repository."""
    torch.manual_seed(0)
    network = Dists()
    network.alpha.data.fill_(1.0)
    network.beta.data.fill_(1.0)
    path = folder / "dists.safetensors"
    save_file(network.state_dict(), path)
    return path


@dataclass(frozen=True)
class Edit:
    name: str
    label: str
    low: float
    high: float
    unit: str
    description: str
    step: float = 0.05
    group: str = "face"


class FakeCodec:
    """Counts its calls in `calls`, so that tests can see what was cached."""

    device = torch.device("cpu")
    backend = "float32"
    weights = "of a stand-in"
    model_name = "fake"
    model_id = 0xFA
    edit_names = (Edit("smile", "Smile", -1.5, 1.5, "", "Corners of the mouth"),)

    def __init__(self) -> None:
        self.calls: list[str] = []

    def analyse(self, crop: Image.Image) -> Image.Image:
        if crop.size != (SIDE, SIDE):
            raise HscError(f"Expected a {SIDE} x {SIDE} crop, not {crop.size}.")
        self.calls.append("analyse")
        return crop

    def refine(
        self, crop: Image.Image, latents: Image.Image, level: float, steps: int, progress: object
    ) -> Image.Image:
        for step in range(steps):
            progress(step + 1, steps)
        self.calls.append(f"refine {level:g}")
        return latents.point(lambda value: 255 - value)

    def compress(self, latents: Image.Image, level: float) -> bytes:
        self.calls.append(f"compress {level:g}")
        scn = np.asarray(latents.resize((8, 8), Image.Resampling.BOX))
        side = round(8 + 4 * level)
        fcn = np.asarray(latents.resize((side, side), Image.Resampling.BOX)) >> 3
        return Container(
            self.model_id, level, zlib.compress(scn.tobytes()), zlib.compress(fcn.tobytes())
        ).pack()

    def encode(self, image: Image.Image, level: float = 3, **_: object) -> bytes:
        return self.compress(self.analyse(image.resize((SIDE, SIDE))), level)

    def decode(
        self,
        data: bytes,
        layers: str = "scn+fcn",
        edits: dict | None = None,
        keep_details: float = 1.0,
    ) -> Image.Image:
        return self.draw(self.open(data, layers), edits, keep_details)

    def open(self, data: bytes, layers: str = "scn+fcn") -> np.ndarray:
        self.calls.append(f"open {layers}")
        parts = unpack(data, allow_cut=layers == "scn")
        if parts.model_id != self.model_id:
            raise BitstreamError("This file was made by another model.")
        if "fcn" in layers and parts.fcn is not None:
            return np.minimum(_picture(parts.fcn).astype(int) << 3, 255)
        return _picture(parts.scn)

    def draw(
        self, opened: np.ndarray, edits: dict | None = None, keep_details: float = 1.0
    ) -> Image.Image:
        self.calls.append("draw" + (" edited" if edits else ""))
        return self._edited(opened, edits, keep_details)

    def preview(
        self, opened: np.ndarray, edits: dict | None = None, keep_details: float = 1.0
    ) -> Image.Image:
        self.calls.append("preview" + (" edited" if edits else ""))
        return self._edited(opened, edits, keep_details).resize((256, 256))

    def draw_many(
        self, opened: np.ndarray, edits: list, keep_details: float = 1.0, *, preview: bool = False
    ) -> list[Image.Image]:
        draw = self.preview if preview else self.draw
        return [draw(opened, each, keep_details) for each in edits]

    def morph(self, a: np.ndarray, b: np.ndarray, t: float) -> np.ndarray:
        self.calls.append("morph")
        return (1 - t) * a + t * b

    def mix(self, a: np.ndarray, b: np.ndarray, layers: str, t: float = 1.0) -> np.ndarray:
        self.calls.append(f"mix {layers}")
        return (1 - t / 2) * a + t / 2 * b

    def _edited(self, picture: np.ndarray, edits: dict | None, keep: float) -> Image.Image:
        for name, amount in (edits or {}).items():
            if name != "smile":
                raise HscError(f"There is no edit named {name!r}: use smile.")
            picture = picture.astype(float)
            picture[600:800] += (40 + 20 * (1 - keep)) * amount
        return Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))

    def random_face(self, seed: int, truncation: float = 0.7) -> Image.Image:
        self.calls.append(f"random {seed}")
        small = np.random.default_rng(seed).integers(0, 255, (6, 6, 3), dtype=np.uint8)
        return Image.fromarray(small).resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def _picture(layer: bytes) -> np.ndarray:
    pixels = np.frombuffer(zlib.decompress(layer), dtype=np.uint8)
    side = round((len(pixels) / 3) ** 0.5)
    small = Image.fromarray(pixels.reshape(side, side, 3))
    return np.asarray(small.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
