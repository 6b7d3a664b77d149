"""Edits of a file's face: live previews, strips, grids of strength by bitrate, presets, files."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from PIL import Image
from safetensors import safe_open

from app.cache import Cache, SharedCache, fingerprint
from app.protocols import EditInfo
from app.results import CurrentFace, Edits, Prepared, facts_of
from app.services.batched_calls import edited_file, held_share, previews
from app.services.compression import Compression
from app.services.decoding import NO_EDITS
from hsc.errors import HscError, PhotoError
from hsc.weights.model_id import path_of

MAGIC = b"HSC"
STRIP = 7  # pictures
STRENGTHS = 5  # of a grid
LONGEST_HISTORY = 60  # entries, some hundred bytes each
GRID_LEVELS = (1, 2, 3, 4.5, 6)
PRESETS: dict[str, dict[str, float]] = {
    "Big smile": {"smile": 1.0, "mouth_open": 0.3},
    "Serious": {"smile": -1.0},
    "Ten years younger": {"age": -10},
    "Twenty years older": {"age": 20},
    "Turned left": {"yaw": -12},
    "Turned right": {"yaw": 12},
    "Surprised": {"mouth_open": 0.8, "brow": 0.9, "eyes_open": 0.7},
    "Glasses": {"glasses": 1.0},
    "Beard": {"beard": 1.0},
    "Copper hair": {"hair_warm": 0.8},
}


@dataclass(frozen=True)
class EditTarget:
    """A file to edit, and where it came from.

    Attributes:
        layers: those that are rendered.
        prepared: the photo's crop, where there was a photo; other levels can be coded then.
    """

    data: bytes
    layers: str = "scn+fcn"
    prepared: Prepared | None = None

    @property
    def key(self) -> str:
        """Tells the pictures of one target from those of another."""
        return f"{fingerprint(self.data)}-{self.layers}"

    @property
    def subject(self) -> str:
        """Tells one face from another, whatever the level."""
        return self.prepared.key if self.prepared else self.key

    @classmethod
    def current(cls, current: CurrentFace) -> EditTarget:
        """What the Compress tab shows."""
        return cls(current.file, current.layers, current.result.prepared)


@dataclass(frozen=True)
class GridRow:
    """One level of a grid: the file's bytes, and a 256-px picture for every amount."""

    level: float
    total: int
    pictures: Sequence[Image.Image]


class Editing:
    """Renders edits of files; a file is opened once."""

    def __init__(self, compression: Compression, cache: SharedCache) -> None:
        self.compression = compression
        self.decoding = compression.decoding
        self._held: Cache[float] = Cache(cache)
        self._files: Cache[bytes] = Cache(cache)

    @property
    def table(self) -> tuple[EditInfo, ...]:
        """The codec's edits."""
        return self.compression.executor.codec.edit_names

    def target(self, path: str | Path, level: float = 3) -> EditTarget:
        """A face out of a file that a visitor gave: a .hsc file, or a photo, which is compressed.

        Raises:
            BitstreamError, PhotoError, NoFaceError: it is neither, or shows no face.
        """
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise PhotoError("The file could not be opened: try to upload it again.") from error
        if data.startswith(MAGIC):
            data, layers, _ = self.decoding.readable(data, "scn+fcn")
            return EditTarget(data, layers)
        prepared = self.compression.prepare(data)
        return EditTarget(self.compression.file(prepared, level), "scn+fcn", prepared)

    def preview(self, face: EditTarget, edits: Edits) -> Image.Image:
        """256 px while a slider moves; the full picture where it is cached already."""
        if self.decoding.is_cached(face.data, face.layers, edits):
            return self.picture(face, edits)
        return self.decoding.preview(face.data, face.layers, edits)

    def picture(self, face: EditTarget, edits: Edits = NO_EDITS) -> Image.Image:
        """The picture at full size."""
        return self.decoding.render(face.data, face.layers, edits).value

    def held(self, face: EditTarget, edits: Edits) -> float:
        """The share of the edits that is carried out: less than 1 where together they would leave
        the faces that the generator knows."""
        if not edits.named:
            return 1.0
        return self._held.get_or_make(
            (fingerprint(face.data), face.layers, edits),
            lambda: (
                self.decoding.call_opened(
                    held_share, [(face.data, face.layers)], edits.amounts, edits.keep_details
                ).value
            ),
        )

    def file(self, face: EditTarget, edits: Edits) -> bytes:
        """A .hsc file of the edited face, at the level of its own; that file where nothing is
        edited."""
        if not edits.named:
            return face.data
        level = facts_of(face.data)["level"]
        return self._files.get_or_make(
            (fingerprint(face.data), face.layers, edits),
            lambda: (
                self.decoding.call_opened(
                    edited_file,
                    [(face.data, face.layers)],
                    edits.amounts,
                    edits.keep_details,
                    level,
                ).value
            ),
        )

    def strip(
        self, face: EditTarget, name: str, edits: Edits = NO_EDITS
    ) -> list[tuple[float, Image.Image]]:
        """One edit over its range, on top of the others: amounts and 256-px pictures."""
        amounts = amounts_over(self.edit(name), STRIP)
        return list(zip(amounts, self._previews(face, name, amounts, edits), strict=True))

    def grid(
        self, face: EditTarget, name: str, levels: Iterable[float] = GRID_LEVELS
    ) -> Iterator[GridRow]:
        """One edit's strength by bitrate, a level at a time: does an edit survive fewer bytes?

        Raises:
            HscError: the face came as a file, which cannot be coded at other levels.
        """
        if face.prepared is None:
            raise HscError(
                "A grid needs the photo, to code it at other levels: a .hsc file has only its own."
            )
        amounts = amounts_over(self.edit(name), STRENGTHS)
        for level in levels:
            row = EditTarget(self.compression.file(face.prepared, level))
            pictures = self._previews(row, name, amounts, NO_EDITS)
            yield GridRow(level, len(row.data), pictures)

    def edit(self, name: str) -> EditInfo:
        """The edit of that name in the codec's table. Raises HscError when there is none."""
        for edit in self.table:
            if edit.name == name:
                return edit
        raise HscError(f"There is no edit named {name!r}.")

    def presets(self) -> dict[str, dict[str, float]]:
        """Those that the codec's edits allow."""
        return usable_presets(self.table)

    def _previews(
        self, face: EditTarget, name: str, amounts: Sequence[float], edits: Edits
    ) -> list[Image.Image]:
        each = [edits.amounts | {name: amount} for amount in amounts]
        file = (face.data, face.layers)
        return self.decoding.call_opened(previews, [file], each, edits.keep_details).value


def is_on(preset: Mapping[str, float], amounts: Mapping[str, float]) -> bool:
    """Whether a preset's amounts are all among those of the sliders."""
    return all(abs(amounts.get(name, 0.0) - x) < 1e-6 for name, x in preset.items())


def toggled(preset: Mapping[str, float], amounts: Mapping[str, float]) -> dict[str, float]:
    """The amounts with a preset added, or taken out where it is on. Presets of other edits stay;
    one of the same edit is replaced."""
    kept = {name: x for name, x in amounts.items() if name not in preset}
    return kept if is_on(preset, amounts) else kept | dict(preset)


@dataclass(frozen=True)
class History:
    """Values of all controls, as they came to rest one after the other.

    Attributes:
        entries: the oldest first, LONGEST_HISTORY at most; `entries[at]` is what shows.
    """

    entries: tuple[tuple[float, ...], ...] = ()
    at: int = -1

    @property
    def values(self) -> tuple[float, ...] | None:
        """What shows; None before anything came to rest."""
        return self.entries[self.at] if self.entries else None

    @property
    def can_undo(self) -> bool:
        return self.at > 0

    @property
    def can_redo(self) -> bool:
        return self.at < len(self.entries) - 1

    def with_values(self, values: Sequence[float]) -> History:
        """After the controls came to rest; what was undone is forgotten, unless nothing moved."""
        now = tuple(float(value) for value in values)
        if now == self.values:
            return self
        entries = (*self.entries[: self.at + 1], now)[-LONGEST_HISTORY:]
        return History(entries, len(entries) - 1)

    def moved(self, by: int) -> History:
        """Back by -1, forth by 1; as it is at its ends."""
        return replace(self, at=min(max(self.at + by, 0), len(self.entries) - 1))


def shipped_edits() -> list[EditInfo]:
    """The rows of the shipped table of edits, read from its file's header without PyTorch.

    Only for laying out sliders before the codec is loaded; what they do is the codec's to say.
    """
    with safe_open(path_of("edits"), "np") as file:
        rows = json.loads((file.metadata() or {}).get("table", "[]"))
    return [cast(EditInfo, SimpleNamespace(**row)) for row in rows]


def usable_presets(edits: Collection[EditInfo]) -> dict[str, dict[str, float]]:
    """The presets whose edits there are, clamped to the edits' ranges."""
    clamped = {label: in_range(edits, amounts) for label, amounts in PRESETS.items()}
    return {label: kept for label, kept in clamped.items() if kept.keys() == PRESETS[label].keys()}


def in_range(edits: Iterable[EditInfo], amounts: Mapping[str, float]) -> dict[str, float]:
    """The amounts of the edits there are, each clamped to its edit's range."""
    known = {edit.name: edit for edit in edits}
    return {
        name: min(max(float(amount), known[name].low), known[name].high)
        for name, amount in amounts.items()
        if name in known
    }


def amounts_over(edit: EditInfo, count: int) -> list[float]:
    """Amounts from an edit's lowest to its highest in its own steps, with zero among them."""
    low, high = edit.low, edit.high
    below = round((count - 1) * -low / (high - low))
    below = min(max(below, low < 0), count - 1 - (high > 0))
    above = count - 1 - below
    amounts = [*(low * n / below for n in range(below, 0, -1)), 0.0]
    amounts += [high * n / above for n in range(1, above + 1)]
    return [_in_steps(amount, edit) for amount in amounts]


def _in_steps(amount: float, edit: EditInfo) -> float:
    steps = round(amount / edit.step) * edit.step
    return round(min(max(steps, edit.low), edit.high), 4)
