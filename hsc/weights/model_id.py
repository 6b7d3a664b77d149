"""Which model is in use, where its weight files are, and their identity, without PyTorch.

A model is a folder: ``model.json``, which describes it, and safetensors. The shipped one is
``assets/weights``, which has no description because it needs none. ``HSC_MODEL`` names another.
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from hsc.config import SHIPPED as SHIPPED_CODEC
from hsc.config import CodecConfig
from hsc.errors import WeightsError
from hsc.paths import SHIPPED

ASSETS = SHIPPED / "weights"
VARIABLE = "HSC_MODEL"
DESCRIPTION = "model.json"
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


@dataclass(frozen=True)
class Model:
    """What ``model.json`` says of a model.

    Attributes:
        name: as in the names of its files' models, e.g. ``hsc-face``: letters, digits, - and _.
        shows: what its pictures show, in words: ``faces``.
        noun: what one of them is called on the page, such as ``cat``; "": as its domain calls it.
        licence: of its weights; source: where they are from.
        config: sizes of the generator, which name its architecture and its domain, and of the
            codec around it.
    """

    name: str
    shows: str
    licence: str
    source: str
    config: CodecConfig
    noun: str = ""

    def save(self, folder: Path) -> None:
        """Write ``model.json``; ``domain`` repeats how photos are aligned, for readers."""
        values = asdict(self) | {"config": json.loads(self.config.to_json())}
        values["domain"] = self.config.generator.domain
        text = json.dumps(values, indent=2) + "\n"
        (folder / DESCRIPTION).write_text(text, encoding="utf-8")


FACES = Model(
    "hsc-face", "faces", "CC BY-NC-SA 4.0", "this repository: see assets/NOTICE.md", SHIPPED_CODEC
)
"""The model that ships."""


def chosen_folder() -> Path | None:
    """The model folder that ``HSC_MODEL`` names; None: the shipped one.

    Raises:
        WeightsError: it has no ``model.json``.
    """
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    folder = Path(named).expanduser()
    if not (folder / DESCRIPTION).is_file():
        raise WeightsError(
            f"expected a model's folder with a {DESCRIPTION} at {VARIABLE}={named}, found none: "
            "make one with `hsc import-weights stylegan2`, or unset the variable."
        )
    return folder


def model_of(folder: Path | None = None) -> Model:
    """The description of a folder's model, of the one in use by default.

    Raises:
        WeightsError: its ``model.json`` is no such description.
    """
    path = (folder or chosen_folder() or ASSETS) / DESCRIPTION
    if not path.is_file():  # the shipped one, or a copy of it
        return FACES
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return Model(
            name=str(values["name"]),
            shows=str(values["shows"]),
            licence=str(values["licence"]),
            source=str(values["source"]),
            config=CodecConfig.from_json(json.dumps(values["config"])),
            noun=str(values.get("noun", "")),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(
            f"expected name, shows, licence, source and config in {path}, found something else: "
            "make the folder again."
        ) from error


def path_of(name: str, folder: Path | None = None) -> Path:
    """The file of some weights, in the folder of the model in use by default."""
    return (folder or chosen_folder() or ASSETS) / f"{name}.safetensors"


def path_or_shipped(name: str, folder: Path | None = None) -> Path:
    """The file of a metric's weights: the folder's own where it has one, else the shipped one.

    Metrics (LPIPS) judge pictures and are the same for every codec, so a folder of a codec need
    not repeat them. Whatever computes latents, symbols or pictures comes from ``path_of``.
    """
    path = path_of(name, folder)
    return path if path.is_file() else path_of(name, ASSETS)


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
    return ModelId(f"{model_of(folder).name}-{digest}", int(digest, 16))


def missing(path: Path, made_by: str = "") -> WeightsError:
    """The error for weights that are not there; ``made_by`` makes those that do not ship."""
    if made_by:
        return WeightsError(f"expected weights at {path}, found no file: run `{made_by}`.")
    if path.parent != ASSETS:
        return WeightsError(
            f"expected weights at {path}, found no file: get the whole folder of the model, or "
            "train it with `python -m hsc train`."
        )
    return WeightsError(
        f"expected weights at assets/weights/{path.name}, found no file: clone the repository "
        "with its large files, or train it with `python -m hsc train`."
    )


@lru_cache(maxsize=32)
def _hash(path: Path, changed: int, size: int) -> str:
    """Cached until the file changes, because ``describe`` needs it for every file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
