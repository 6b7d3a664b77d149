"""The weights that are in use, with what each is for and the hash of its file."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

from hsc.weights.model_id import ASSETS, DECODER_FILES, file_hash

MEANINGS = {
    "generator": "draws the picture; frozen",
    "inversion": "the encoder: photo to S and F",
    "scn": "codes S",
    "fcn": "codes F",
    "entropy": "probability tables of the coder",
    "preview": "draws small pictures quickly",
    "edits": "directions of the edits",
    "identity": "describes faces, for the encoder and for measuring",
    "lpips_alex": "compares pictures as people do",
    "attributes": "guesses age and expression, for comparing",
    "person": "finds the person, for comparing",
    "exit128": "draws tiny pictures, for the encoder to look at",
    "probe": "reads a face straight from S",
}
SHOWN = 16
"""Digits of a hash that are shown; the whole one is in its title."""


def weights_table(folder: Path = ASSETS) -> str:
    """Every weight file, those of the decoder first: together they make the model's name."""
    files = {path.stem: path for path in sorted(folder.glob("*.safetensors"))}
    names = [name for name in DECODER_FILES if name in files]
    names += [name for name in files if name not in names]
    rows = "".join(_row(name, files[name]) for name in names)
    return (
        '<div class="walk weights"><table><caption>Weights in use</caption><thead><tr>'
        "<th>File</th><th>What for</th><th>From</th><th>Bytes</th><th>SHA-256</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _row(name: str, path: Path) -> str:
    digest = file_hash(path)
    model = " <small>decoder</small>" if name in DECODER_FILES else ""
    origin = source(path) or "trained here"
    return (
        f'<tr><th scope="row">{escape(name)}{model}</th><td>{escape(MEANINGS.get(name, ""))}</td>'
        f"<td>{escape(origin)}</td><td>{path.stat().st_size:,}</td>"
        f'<td><code title="{digest}">{digest[:SHOWN]}</code></td></tr>'
    )


def source(path: Path) -> str:
    """The package that imported weights come from, as their file says; "" for our own."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    return header.get("__metadata__", {}).get("source", "")
