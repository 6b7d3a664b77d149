"""Paths of weight files, and the identity of their model, without importing PyTorch."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hsc.errors import WeightsError
from hsc.paths import SHIPPED

ASSETS = SHIPPED / "weights"
DECODER_FILES = ("generator", "entropy", "scn", "fcn")
"""Weights that a decoder needs: together they are the model a file names."""
FINETUNED = "decoder"
"""Optional weights of the generator's blocks above F, finetuned on photographs. They are no part of
the model that a file names: with them the same files give better pictures."""


@dataclass(frozen=True)
class ModelId:
    """The identity of the decoder's weights.

    Attributes:
        name: human-readable, e.g. ``hsc-face-3fa2``.
        code: the 16-bit number in a file's header.
    """

    name: str
    code: int


def path_of(name: str, folder: Path | None = None) -> Path:
    """The file of some weights, in the shipped folder by default."""
    return (folder or ASSETS) / f"{name}.safetensors"


def path_or_shipped(name: str, folder: Path | None = None) -> Path:
    """The file of a metric's weights: the folder's own where it has one, else the shipped one.

    Metrics (LPIPS) judge pictures and are the same for every codec, so a folder of a codec need
    not repeat them. Whatever computes latents, symbols or pictures comes from ``path_of``.
    """
    path = path_of(name, folder)
    return path if path.is_file() else path_of(name)


def file_hash(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    stat = path.stat()
    return _hash(path, stat.st_mtime_ns, stat.st_size)


def model_id(folder: Path | None = None) -> ModelId:
    """Identify the decoder in a weights folder by the content of its files.

    Raises:
        WeightsError: a file is missing.
    """
    for name in DECODER_FILES:
        if not path_of(name, folder).is_file():
            raise missing(path_of(name, folder))
    joined = "".join(file_hash(path_of(name, folder)) for name in DECODER_FILES)
    digest = hashlib.sha256(joined.encode()).hexdigest()[:4]
    return ModelId(f"hsc-face-{digest}", int(digest, 16))


def missing(path: Path, made_by: str = "") -> WeightsError:
    """The error for weights that are not there; ``made_by`` makes those that do not ship."""
    if made_by:
        return WeightsError(f"expected weights at {path}, found no file: run `{made_by}`.")
    return WeightsError(
        f"expected weights at assets/weights/{path.name}, found no file: clone the repository "
        "with its large files, or train it with `python -m hsc train`."
    )


@lru_cache(maxsize=32)
def _hash(path: Path, changed: int, size: int) -> str:
    """Cached until the file changes, because ``describe`` needs it for every file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
