"""Validation during training: figures of held-out people for the log, and a strip of pictures."""

from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from hsc.config import SHIPPED
from hsc.images.tensors import to_picture, to_unit
from hsc.metrics.identity import FaceIdentity, crop_for_identity
from hsc.metrics.lpips import Lpips
from hsc.metrics.picture import psnr
from hsc.research.data.faces import list_held_out, load_square, resized

FACES, SHOWN = 8, 4

Renders = Callable[[Tensor], dict[str, Tensor]]
"""(B, 3, 256, 256) in [-1, 1] to what is rendered of it, of the same shape, by name."""


class Watch:
    """Renders and measures the same few held-out faces at each call.

    Args:
        px: side of the encoder's input.
        folders: of the training pictures, among which the held-out ones lie too.
        renders: what to render; figures are of the live weights, not of their average.
        out: folder for ``strip.jpg``: originals in the first row, one row for each render.
    """

    def __init__(
        self,
        folders: list[Path],
        renders: Renders,
        lpips: Lpips,
        identity: FaceIdentity | None,
        out: Path,
        device: torch.device,
        px: int = SHIPPED.input_px,
    ) -> None:
        paths = list_held_out(folders)
        chosen = paths[:: max(1, len(paths) // FACES)][:FACES]
        self.images = [to_unit(load_square(path, px))[None].to(device) for path in chosen]
        self.renders, self.lpips, self.identity, self.out = renders, lpips, identity, out

    @torch.no_grad()
    def __call__(self) -> dict[str, float]:
        """Means over the faces: ``<render>_psnr``, ``_lpips`` and ``_id``; empty without faces."""
        sums: dict[str, float] = {}
        columns: list[list[Tensor]] = []
        for image in self.images:
            rendered = self.renders(image)
            columns.append([image, *rendered.values()])
            for name, picture in rendered.items():
                original = resized(image, picture.shape[-1])
                figures = [
                    ("psnr", psnr(picture, original)),
                    ("lpips", self.lpips(picture, original)),
                ]
                if self.identity is not None:
                    found, known = (self.identity(crop_for_identity(x)) for x in (picture, image))
                    figures.append(("id", (found - known).norm(dim=1)))
                for figure, value in figures:
                    key = f"held_out_{name}_{figure}"
                    sums[key] = sums.get(key, 0.0) + value.item() / len(self.images)
        if columns:
            self._save(columns[:SHOWN])
        return sums

    def _save(self, columns: list[list[Tensor]]) -> None:
        px = columns[0][0].shape[-1]
        strip = Image.new("RGB", (px * len(columns), px * len(columns[0])))
        for x, column in enumerate(columns):
            for y, picture in enumerate(column):
                strip.paste(to_picture(resized(picture, px)), (x * px, y * px))
        self.out.mkdir(parents=True, exist_ok=True)
        strip.save(self.out / "strip.jpg", quality=90)
