"""`decode`: a .hsc file in, its picture and what its header says out."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from app.components.api import PUBLIC, edit_amounts, picture_output, require
from app.components.events import friendly
from app.files import keep_picture
from app.studio import LAYERS, Studio


def add(studio: Studio) -> None:
    """Add the endpoint inside a hidden column."""

    @friendly
    def decode(file: str, layers: str = "scn+fcn", edits: dict | None = None) -> tuple[str, dict]:
        """Draw the picture of a .hsc file.

        Args:
            file: a .hsc file.
            layers: "scn+fcn", "scn" or "fcn".
            edits: amount by name of edit, for example {"smile": 0.5}.

        Returns:
            The picture, 1024 x 1024, and what the file's header says.
        """
        require(file, "a .hsc file")
        decoded = studio.decode(Path(file).read_bytes(), layers, edit_amounts(edits))
        return keep_picture(decoded.picture, "decoded.png"), dict(decoded.facts)

    inputs = [
        gr.File(label="hsc file"),
        gr.Dropdown(list(LAYERS), value="scn+fcn", label="Layers to draw"),
        gr.JSON({}, label="Edits"),
    ]
    outputs = [
        picture_output(),
        gr.JSON(label="facts"),
    ]
    gr.Button("decode").click(decode, inputs, outputs, api_name="decode", **PUBLIC)
