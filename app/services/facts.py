"""Facts of files, levels and weights, for the page, which does not import the library."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from app.results import CurrentFace
from hsc.bitstream.fields import Field, fields
from hsc.levels import LEVELS, interpolation
from hsc.sidecar import sidecar
from hsc.weights.model_id import ASSETS, DECODER_FILES, chosen_folder, file_hash

__all__ = ["LEVELS", "Field", "WeightFile", "fields", "level_name", "recipe", "weight_files"]


@dataclass(frozen=True)
class WeightFile:
    """A file of weights.

    Attributes:
        name: without its ending.
        bytes: its size.
        sha256: of its content, in hexadecimal.
        source: the package that imported weights come from; "" for our own.
        in_decoder: whether it is one of those that the model is named after.
    """

    name: str
    bytes: int
    sha256: str
    source: str
    in_decoder: bool


def weight_files(folder: Path | None = None) -> list[WeightFile]:
    """Every weight file, those of the decoder first: together they make the model's name."""
    folder = folder or chosen_folder() or ASSETS
    paths = {path.stem: path for path in sorted(folder.glob("*.safetensors"))}
    names = [name for name in DECODER_FILES if name in paths]
    names += [name for name in paths if name not in names]
    return [
        WeightFile(
            name,
            paths[name].stat().st_size,
            file_hash(paths[name]),
            _source(paths[name]),
            name in DECODER_FILES,
        )
        for name in names
    ]


def level_name(level: float) -> str:
    """'level 3, everyday', or which two named levels it lies between."""
    low, high, weight = interpolation(level)
    if weight in (0, 1):
        return f"level {level:g}, {LEVELS[high if weight else low].name}"
    return f"level {level:g}, between {LEVELS[low].name} and {LEVELS[high].name}"


def recipe(current: CurrentFace) -> bytes:
    """What it takes to make a picture again, as JSON; see `hsc.sidecar`."""
    result = current.result
    encode = {
        "level": result.level,
        "layers": "scn+fcn" if "fcn" in current.layers else "scn",
        "face": current.face,
        "align": current.align,
        "refine": result.refined,
    }
    made = sidecar(current.file, layers=current.layers, encode=encode, seed=current.seed)
    return json.dumps(made, indent=2).encode()


def _source(path: Path) -> str:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    return str(header.get("__metadata__", {}).get("source", ""))
