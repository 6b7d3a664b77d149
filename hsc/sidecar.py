"""A ``.hsc`` file's recipe as JSON: how to reproduce its picture, or the file itself.

    {
      "format": "hsc-sidecar", "version": 1,
      "file":   {"sha256": ..., "bytes": {"header", "scn", "fcn", "total"}, "bpp": ..., "level"},
      "model":  {"name": ..., "id": ..., "weights": {"generator": sha256, ...}},
      "draw":   {"layers": "scn+fcn", "edits": {"smile": 0.5}, "keep_details": 1.0},
      "encode": {"level": 3.0, "layers": "scn+fcn", "face": 0, "align": true},
      "source": {"kind": "generated", "seed": 7}  or  {"kind": "photo"}
    }

It names no photo and no person. ``encode`` is present when it is known.
``python -m hsc reproduce FACE.json OUT.png`` checks all of it and renders the picture.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hsc.bitstream import container
from hsc.errors import BitstreamError, WeightsError
from hsc.weights.model_id import DECODER_FILES, FINETUNED, file_hash, model_id, model_of, path_of

FORMAT, VERSION = "hsc-sidecar", 1
DRAWN_WITH = (*DECODER_FILES, FINETUNED, "edits", "plausibility")
"""Weight files that a file's picture depends on."""


def sidecar(
    data: bytes,
    *,
    layers: str = "scn+fcn",
    edits: Mapping[str, float] | None = None,
    keep_details: float = 1.0,
    encode: Mapping[str, Any] | None = None,
    seed: int | None = None,
) -> dict[str, Any]:
    """The recipe of a picture.

    Args:
        data: the ``.hsc`` file.
        layers, edits, keep_details: how it was rendered, as ``Codec.decode`` takes them.
        encode: how it was coded (level, layers, face, align), when known.
        seed: of ``Codec.random_face``, for a generated face.

    Raises:
        BitstreamError: the bytes are no readable file. WeightsError: no weights are here.
    """
    known = model_id()
    image_px = model_of().config.generator.image_px
    facts = container.describe(data, {known.code: known.name}, image_px)
    return {
        "format": FORMAT,
        "version": VERSION,
        "file": {
            "sha256": hashlib.sha256(data).hexdigest(),
            "bytes": facts["bytes"],
            "bpp": facts["bpp"],
            "level": facts["level"],
        },
        "model": {
            "name": facts["model"],
            "id": container.unpack(data).model_id,
            "weights": weights(),
        },
        "draw": {
            "layers": layers,
            "edits": dict(edits or {}),
            "keep_details": float(keep_details),
        },
        **({"encode": dict(encode)} if encode else {}),
        "source": {"kind": "photo"} if seed is None else {"kind": "generated", "seed": seed},
    }


def weights() -> dict[str, str]:
    """SHA-256 of every installed weight file that a file's bytes or picture depend on."""
    names = (*DRAWN_WITH, "inversion", "correction")
    return {name: file_hash(path_of(name)) for name in names if path_of(name).is_file()}


def read(path: Path) -> dict[str, Any]:
    """Read a sidecar. Raises BitstreamError when the file is none."""
    try:
        recipe = json.loads(path.read_text(encoding="utf-8"))
        good = recipe["format"] == FORMAT and recipe["version"] == VERSION
        str(recipe["file"]["sha256"]), dict(recipe["draw"]), dict(recipe["model"]["weights"])
    except (ValueError, KeyError, TypeError) as error:
        raise BitstreamError(
            f"{path.name} is not a sidecar of a .hsc file: expected the JSON saved with it."
        ) from error
    if not good:
        raise BitstreamError(
            f"{path.name} is not a sidecar of version {VERSION}: use the program that wrote it."
        )
    return recipe


def check(recipe: Mapping[str, Any], data: bytes) -> None:
    """Check that a file and the installed weights are those that a sidecar names.

    Raises:
        BitstreamError: the file is another one. WeightsError: the weights are others.
    """
    found = hashlib.sha256(data).hexdigest()
    if found != recipe["file"]["sha256"]:
        raise BitstreamError(
            f"this is not the file of the sidecar: expected SHA-256 "
            f"{recipe['file']['sha256'][:12]}..., got {found[:12]}...; look for the file that was "
            "saved with it."
        )
    here = weights()
    others = [
        name
        for name, digest in recipe["model"]["weights"].items()
        if name in DRAWN_WITH and here.get(name) != digest
    ]
    # a picture with a feature map looks different with a finetuned decoder
    whole = recipe["draw"].get("layers") != "scn"
    if FINETUNED in here and FINETUNED not in recipe["model"]["weights"] and whole:
        others.append(FINETUNED)
    if others:
        raise WeightsError(
            f"the sidecar was written with other weights ({', '.join(others)}): use the version "
            f"of {recipe['model']['name']}."
        )
