"""Figures of one picture on disk, so that a stopped study goes on where it was."""

import hashlib
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Row = dict[str, Any]
FORMAT = 1
"""Raised when figures come to mean something else: then nothing old is used."""


class Store:
    """What is known of one picture.

    Args:
        folder: of the whole study.
        stem: file name for the picture.
        key: of everything the figures depend on; figures kept under another key are dropped.

    Attributes:
        rows: by the name of the candidate.
        features: by the name of the candidate, then of the feature; "original" is the original's.
    """

    def __init__(self, folder: Path, stem: str, key: str) -> None:
        self.path = folder / "pictures" / f"{stem}.json"
        self.key = f"{FORMAT} {key}"
        self.rows: dict[str, Row] = {}
        self.features: dict[str, dict[str, np.ndarray]] = {}
        if self.path.is_file():
            saved = json.loads(self.path.read_text(encoding="utf-8"))
            if saved["key"] == self.key:
                self.rows = {what: _revived(row) for what, row in saved["rows"].items()}
                with np.load(self.path.with_suffix(".npz")) as arrays:
                    for name in arrays.files:
                        what, _, feature = name.rpartition("|")
                        self.features.setdefault(what, {})[feature] = arrays[name]

    def save(self) -> None:
        """Write both files; a run stopped half way leaves the old ones whole."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        arrays = {
            f"{what}|{name}": value.astype(np.float32)
            for what, named in self.features.items()
            for name, value in named.items()
        }
        _replace(self.path.with_suffix(".npz"), lambda file: np.savez_compressed(file, **arrays))
        saved = {"key": self.key, "rows": {w: plain(row) for w, row in self.rows.items()}}
        text = json.dumps(saved, indent=1, allow_nan=False)
        _replace(self.path, lambda file: file.write(text.encode()))


def key_of(*parts: str | bytes) -> str:
    """A hash of everything that the figures depend on."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else part.encode())
        digest.update(b"\0")
    return digest.hexdigest()[:16]


def plain(row: Row) -> Row:
    """None in place of nan, which JSON does not have."""
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}


def _revived(row: Row) -> Row:
    return {k: math.nan if v is None else v for k, v in row.items()}


def _replace(path: Path, write: Callable) -> None:
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("wb") as file:
        write(file)
    unfinished.replace(path)
