"""Edits of what a file draws: live previews, strips, grids of strength by bitrate, presets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from PIL import Image
from safetensors import safe_open

from app.results import Look, Prepared, Shown
from app.service import Studio
from hsc.errors import HscError, PhotoError
from hsc.weights.model_id import path_of

MAGIC = b"HSC"
STRIP = 7  # pictures
STRENGTHS = 5  # of a grid
GRID_LEVELS = (1, 2, 3, 4.5, 6)
PRESETS: dict[str, dict[str, float]] = {
    "Big smile": {"smile": 1.0, "mouth_open": 0.3},
    "Serious": {"smile": -1.0},
    "Ten years younger": {"age": -10},
    "Twenty years on": {"age": 20},
    "Turned left": {"yaw": -12},
    "Turned right": {"yaw": 12},
    "Surprised": {"mouth_open": 0.8, "brow": 0.9, "eyes_open": 0.7},
    "Glasses": {"glasses": 1.0},
    "Beard": {"beard": 1.0},
    "Copper hair": {"hair_warm": 0.8},
}


@dataclass(frozen=True)
class Face:
    """A file to edit, and where it came from.

    Attributes:
        layers: those that are drawn.
        prepared: the photo's crop, where there was a photo; other levels can be coded then.
    """

    data: bytes
    layers: str = "scn+fcn"
    prepared: Prepared | None = None

    @classmethod
    def shown(cls, shown: Shown) -> Face:
        """What the Compress tab shows."""
        return cls(shown.file, shown.layers, shown.result.prepared)


@dataclass(frozen=True)
class GridRow:
    """One level of a grid: the file's bytes, and a 256-px picture for every amount."""

    level: float
    total: int
    pictures: Sequence[Image.Image]


class Editing:
    """Draws edits of files over the studio's model; a file is opened once."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    def face(self, path: str | Path, level: float = 3) -> Face:
        """A face out of a file that a visitor gave: a .hsc file, or a photo, which is compressed.

        Raises:
            BitstreamError, PhotoError, NoFaceError: it is neither, or shows no face.
        """
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise PhotoError("The file could not be opened: try to upload it again.") from error
        if data.startswith(MAGIC):
            data, layers, _ = self.studio.drawing.readable(data, "scn+fcn")
            return Face(data, layers)
        prepared = self.studio.prepare(data)
        data, _ = self.studio.compressing.file(prepared, level)
        return Face(data, "scn+fcn", prepared)

    def preview(self, face: Face, look: Look) -> Image.Image:
        """256 px while a slider moves; the whole picture where it is known already."""
        if self.studio.drawing.remembers(face.data, face.layers, look):
            return self.picture(face, look)
        return self.studio.drawing.preview(face.data, face.layers, look)

    def picture(self, face: Face, look: Look = Look()) -> Image.Image:
        """The whole picture."""
        return self.studio.drawing.draw(face.data, face.layers, look)[0]

    def strip(self, face: Face, name: str, look: Look = Look()) -> list[tuple[float, Image.Image]]:
        """One edit over its range, on top of the others: amounts and 256-px pictures."""
        amounts = over(self.edit(name), STRIP)
        return list(zip(amounts, self._previews(face, name, amounts, look), strict=True))

    def grid(
        self, face: Face, name: str, levels: Iterable[float] = GRID_LEVELS
    ) -> Iterator[GridRow]:
        """One edit's strength by bitrate, a level at a time: does an edit survive fewer bytes?

        Raises:
            HscError: the face came as a file, which cannot be coded at other levels.
        """
        if face.prepared is None:
            raise HscError(
                "A grid needs the photo, to code it at other levels: a .hsc file has only its own."
            )
        amounts = over(self.edit(name), STRENGTHS)
        for level in levels:
            data, _ = self.studio.compressing.file(face.prepared, level)
            row = Face(data, "scn+fcn")
            yield GridRow(level, len(data), self._previews(row, name, amounts, Look()))

    def edit(self, name: str) -> Any:
        """The edit of that name in the codec's table. Raises HscError when there is none."""
        for edit in self.studio.codec.edit_names:
            if edit.name == name:
                return edit
        raise HscError(f"There is no edit named {name!r}.")

    def presets(self) -> dict[str, dict[str, float]]:
        """Those that the codec's edits allow."""
        return usable_presets(self.studio.codec.edit_names)

    def _previews(
        self, face: Face, name: str, amounts: Sequence[float], look: Look
    ) -> list[Image.Image]:
        edits = [look.amounts | {name: amount} for amount in amounts]
        file = (face.data, face.layers)
        pictures, _ = self.studio.drawing.through(_drawn_small, [file], edits, look.keep)
        return pictures


def _drawn_small(codec: Any, opened: Any, edits: list, keep: float) -> list[Image.Image]:
    return codec.draw_many(opened, edits, keep, preview=True)


def shipped_edits() -> list[Any]:
    """The rows of the shipped table of edits, read from its file's header without PyTorch.

    Only for laying out sliders before the codec is loaded; what they do is the codec's to say.
    """
    with safe_open(path_of("edits"), "np") as file:
        rows = json.loads((file.metadata() or {}).get("table", "[]"))
    return [SimpleNamespace(**row) for row in rows]


def usable_presets(edits: Iterable[Any]) -> dict[str, dict[str, float]]:
    """The presets whose edits are there, held within their ranges."""
    known = {edit.name: edit for edit in edits}
    return {
        label: {n: min(max(x, known[n].low), known[n].high) for n, x in amounts.items()}
        for label, amounts in PRESETS.items()
        if amounts.keys() <= known.keys()
    }


def over(edit: Any, count: int) -> list[float]:
    """Amounts from an edit's lowest to its highest in its own steps, with zero among them."""
    low, high = edit.low, edit.high
    below = round((count - 1) * -low / (high - low))
    below = min(max(below, low < 0), count - 1 - (high > 0))
    above = count - 1 - below
    amounts = [*(low * n / below for n in range(below, 0, -1)), 0.0]
    amounts += [high * n / above for n in range(1, above + 1)]
    return [_in_steps(amount, edit) for amount in amounts]


def _in_steps(amount: float, edit: Any) -> float:
    steps = round(amount / edit.step) * edit.step
    return round(min(max(steps, edit.low), edit.high), 4)
