"""A small stand-in for the codec: the same interface and real .hsc files, but no networks.

SCN is a tiny thumbnail of the face and FCN what a larger one adds, so that every property the
page relies on holds: pictures come from bytes alone, more level is more bytes, edits show.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from app.protocols import FaceCodec, ProgressReport
from hsc.bitstream import Container, unpack
from hsc.codec import Codec
from hsc.config import FACE_1024
from hsc.decoder import Decoder
from hsc.editing.plausibility import Held
from hsc.errors import BitstreamError, HscError
from hsc.metrics.dists import Dists
from hsc.networks import Networks
from hsc.rate import largest_file
from hsc.types import DecodedLatents, Inversion

SIDE = FACE_1024.image_px
NOTHING = torch.zeros(0)


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
    """Counts its calls in `calls`, so that tests can see what was cached.

    Its latents are the picture's own pixels.
    """

    device = torch.device("cpu")
    backend = "float32"
    corrects = False
    weights = "of a stand-in"
    model_name = "fake"
    model_id = 0xFA
    edit_names = (Edit("smile", "Smile", -1.5, 1.5, "", "Corners of the mouth"),)

    def __init__(self) -> None:
        self.calls: list[str] = []

    @property
    def networks(self) -> Networks:
        raise HscError("This stand-in has no networks.")

    @property
    def decoder(self) -> Decoder:
        raise HscError("This stand-in has no decoder.")

    def gradient_steps(self, level: float) -> tuple[int, int]:
        return 0, 0

    def analyse(
        self,
        crop: Image.Image,
        correct: bool = True,
        progress: ProgressReport | None = None,
    ) -> Inversion:
        if crop.size != (SIDE, SIDE):
            raise HscError(f"Expected a {SIDE} x {SIDE} crop, not {crop.size}.")
        self.calls.append("analyse")
        return Inversion(_pixels(crop), NOTHING, NOTHING)

    def refine(
        self,
        crop: Image.Image,
        latents: Inversion,
        level: float,
        steps: int,
        progress: ProgressReport | None,
    ) -> Inversion:
        for step in range(steps):
            if progress:
                progress(step + 1, steps)
        self.calls.append(f"refine {level:g}")
        return Inversion(255 - latents.w_plus, NOTHING, NOTHING)

    def refine_steps(
        self, crop: Image.Image, latents: Inversion, level: float, steps: int
    ) -> Iterator[Inversion]:
        for step in range(1, steps + 1):
            self.calls.append(f"refine step {step}")
            shifted = (latents.w_plus.int() + 9 * step) % 256
            yield Inversion(shifted.to(torch.uint8), NOTHING, NOTHING)

    def compress(
        self,
        latents: Inversion,
        level: float = 3,
        *,
        max_bytes: int | None = None,
        progress: ProgressReport | None = None,
    ) -> bytes:
        if max_bytes is not None:
            return largest_file(lambda each: self.compress(latents, each), max_bytes)
        self.calls.append(f"compress {level:g}")
        picture = Image.fromarray(latents.w_plus.numpy())
        scn = np.asarray(picture.resize((8, 8), Image.Resampling.BOX))
        side = round(8 + 4 * level)
        fcn = np.asarray(picture.resize((side, side), Image.Resampling.BOX)) >> 3
        return Container(
            self.model_id, level, zlib.compress(scn.tobytes()), zlib.compress(fcn.tobytes())
        ).pack()

    def about_bytes(self, latents: Inversion, level: float) -> int:
        return len(self.compress(replace(latents, crop=None), level))

    def encode(self, image: Image.Image, level: float = 3, **_: object) -> bytes:
        return self.compress(self.analyse(image.resize((SIDE, SIDE))), level)

    def decode(
        self,
        data: bytes,
        layers: str = "scn+fcn",
        edits: Mapping[str, float] | None = None,
        keep_details: float = 1.0,
    ) -> Image.Image:
        return self.draw(self.open(data, layers), edits, keep_details)

    def open(self, data: bytes, layers: str = "scn+fcn") -> DecodedLatents:
        self.calls.append(f"open {layers}")
        parts = unpack(data, allow_cut=layers == "scn")
        if parts.model_id != self.model_id:
            raise BitstreamError("This file was made by another model.")
        if "fcn" in layers and parts.fcn is not None:
            picture = np.minimum(_picture(parts.fcn).astype(int) << 3, 255)
        else:
            picture = _picture(parts.scn).astype(int)
        return _latents(torch.from_numpy(picture), layers)

    def draw(
        self,
        opened: DecodedLatents,
        edits: Mapping[str, float] | None = None,
        keep_details: float = 1.0,
    ) -> Image.Image:
        self.calls.append("draw" + (" edited" if edits else ""))
        return self._edited(opened, edits, keep_details)

    def preview(
        self,
        opened: DecodedLatents,
        edits: Mapping[str, float] | None = None,
        keep_details: float = 1.0,
    ) -> Image.Image:
        self.calls.append("preview" + (" edited" if edits else ""))
        return self._edited(opened, edits, keep_details).resize((256, 256))

    def draw_many(
        self,
        opened: DecodedLatents,
        edits: Sequence[Mapping[str, float]],
        keep_details: float = 1.0,
        *,
        preview: bool = False,
    ) -> list[Image.Image]:
        draw = self.preview if preview else self.draw
        return [draw(opened, each, keep_details) for each in edits]

    def held_back(
        self, opened: DecodedLatents, edits: Mapping[str, float], keep_details: float = 1.0
    ) -> Held:
        """More than a smile of 1.2 is held back."""
        asked = abs(edits.get("smile", 0.0))
        return Held(min(1.0, 1.2 / asked) if asked else 1.0, asked, 1.2)

    def compress_edited(
        self,
        opened: DecodedLatents,
        edits: Mapping[str, float],
        level: float,
        keep_details: float = 1.0,
    ) -> bytes:
        picture = self._edited(opened, edits, keep_details)
        return self.compress(Inversion(_pixels(picture), NOTHING, NOTHING), level)

    def morph(self, a: DecodedLatents, b: DecodedLatents, t: float) -> DecodedLatents:
        self.calls.append("morph")
        return _latents((1 - t) * a.w_plus + t * b.w_plus, a.layers)

    def mix(
        self, a: DecodedLatents, b: DecodedLatents, layers: str, t: float = 1.0
    ) -> DecodedLatents:
        self.calls.append(f"mix {layers}")
        return _latents((1 - t / 2) * a.w_plus + t / 2 * b.w_plus, a.layers)

    def _edited(
        self, opened: DecodedLatents, edits: Mapping[str, float] | None, keep: float
    ) -> Image.Image:
        picture = opened.w_plus.numpy()
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


class CorrectingCodec(FakeCodec):
    """Takes gradient steps for each picture and level: none ends until `go` is set."""

    corrects = True

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def gradient_steps(self, level: float) -> tuple[int, int]:
        return 2, 1

    def analyse(
        self,
        crop: Image.Image,
        correct: bool = True,
        progress: ProgressReport | None = None,
    ) -> Inversion:
        found = super().analyse(crop)
        if not correct:
            return found
        self._steps(2, progress)
        return replace(found, crop=NOTHING)

    def compress(
        self,
        latents: Inversion,
        level: float = 3,
        *,
        max_bytes: int | None = None,
        progress: ProgressReport | None = None,
    ) -> bytes:
        if latents.crop is not None:
            self._steps(1, progress)
            self.calls.append("correct")
            latents = Inversion(255 - latents.w_plus, NOTHING, NOTHING)
        return super().compress(latents, level, max_bytes=max_bytes)

    def _steps(self, count: int, progress: ProgressReport | None) -> None:
        for step in range(count):
            while not self.go.wait(0.2):
                if progress:
                    progress(step, count)  # raises once nobody waits
            if progress:
                progress(step + 1, count)


# for mypy: both are what the services need
LOADERS: list[Callable[[], FaceCodec]] = [FakeCodec, Codec.load]


class SameThread(Executor):
    """Stands in for a thread pool: what is submitted runs at once, in the caller's thread."""

    def submit(self, call: Callable[..., Any], /, *args: Any, **options: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(call(*args, **options))
        except Exception as error:
            future.set_exception(error)
        return future


def _latents(pixels: torch.Tensor, layers: str) -> DecodedLatents:
    return DecodedLatents(pixels, NOTHING, NOTHING, layers)


def _pixels(picture: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.array(picture))


def _picture(layer: bytes) -> np.ndarray[Any, Any]:
    pixels = np.frombuffer(zlib.decompress(layer), dtype=np.uint8)
    side = round((len(pixels) / 3) ** 0.5)
    small = Image.fromarray(pixels.reshape(side, side, 3))
    return np.asarray(small.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
