"""The model, the device and the weights in use, with what each is for and the hash of its file."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from app.components.html import table
from app.protocols import FaceCodec
from app.services.facts import WeightFile, weight_files

if TYPE_CHECKING:
    from hsc.weights.model_id import Model

PURPOSES = {
    "generator": "draws the picture; frozen",
    "inversion": "the encoder: photo to S and F",
    "correction": "the encoder: corrects F by what the file draws",
    "scn": "codes S",
    "fcn": "codes F",
    "entropy": "probability tables of the coder",
    "preview": "draws small pictures quickly",
    "edits": "directions of the edits",
    "plausibility": "how far edits may go together",
    "identity": "describes faces, for the encoder and for measuring",
    "faceres": "a second face recogniser, for measuring: nothing was trained on it",
    "lpips_alex": "compares pictures as people do",
    "attributes": "guesses age and expression, for comparing",
    "person": "finds the person, for comparing",
    "exit128": "draws tiny pictures, for the encoder to look at",
    "probe": "reads a face straight from S",
}
HASH_DIGITS = 16
"""Of a hash that are shown; the whole one is in its title."""


def running(codec: FaceCodec, model: Model) -> str:
    """The model, the device and the weights in use, as tables."""
    spec = model.config.generator
    facts = table(
        "In use here",
        (
            ("Model", f"{codec.model_name} (id {codec.model_id:#06x})"),
            ("Shows", f"{model.shows}, {spec.image_px} x {spec.image_px} pixels"),
            ("Generator", spec.name),
            ("Licence", model.licence),
            ("From", model.source),
            ("Runs on", codec.device),
            ("Drawn in", codec.backend),
            ("Weights", codec.weights),
        ),
    )
    return facts + weights_table()


def weights_table() -> str:
    """Every weight file, those of the decoder first: together they make the model's name."""
    rows = "".join(map(_row, weight_files()))
    return (
        '<div class="walk weights"><table><caption>Weights in use</caption><thead><tr>'
        "<th>File</th><th>What for</th><th>From</th><th>Bytes</th><th>SHA-256</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _row(file: WeightFile) -> str:
    decoder = " <small>decoder</small>" if file.in_decoder else ""
    purpose = PURPOSES.get(file.name, "")
    return (
        f'<tr><th scope="row">{escape(file.name)}{decoder}</th><td>{escape(purpose)}</td>'
        f"<td>{escape(file.source or 'trained here')}</td><td>{file.bytes:,}</td>"
        f'<td><code title="{file.sha256}">{file.sha256[:HASH_DIGITS]}</code></td></tr>'
    )
