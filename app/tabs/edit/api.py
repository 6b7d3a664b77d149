"""`edit`: a .hsc file or a photo in, its face edited out."""

from __future__ import annotations

import gradio as gr

from app.components.api import PUBLIC, edit_amounts, picture_output, require
from app.components.events import friendly
from app.files import keep_picture
from app.results import Edits
from app.studio import Studio


def add(studio: Studio) -> None:
    """Add the endpoint inside a hidden column."""
    editing = studio.editing

    @friendly
    def edit(
        file: str,
        edits: dict | None = None,
        keep_details: float = 1.0,
        strip: str = "",
    ) -> tuple[str, list, list]:
        """Edit a face in its bits, and draw it.

        Args:
            file: a .hsc file, or a photo, which is compressed at level 3 first.
            edits: amount by name of edit, for example {"smile": 0.5, "age": 10}.
            keep_details: how much of the file's own detail stays under an edit, from 0 to 1.
            strip: name of an edit to show over its whole range, on top of the others.

        Returns:
            The picture, 1024 x 1024; the strip, 256-pixel pictures with their amounts; and the
            table of edits with their safe ranges.
        """
        require(file, "a .hsc file or a photo")
        face = editing.target(file)
        requested = Edits.of(edit_amounts(edits), float(keep_details))
        picture = keep_picture(editing.picture(face, requested), "edited.png")
        pictures = [
            (keep_picture(small, "strip.png"), f"{amount:+g}")
            for amount, small in (editing.strip(face, strip, requested) if strip else ())
        ]
        table = [
            {
                "name": row.name,
                "low": row.low,
                "high": row.high,
                "unit": row.unit,
                "description": row.description,
            }
            for row in editing.table
        ]
        return picture, pictures, table

    inputs = [
        gr.File(label="hsc file or photo"),
        gr.JSON({}, label="Edits"),
        gr.Number(1, label="Keep details, 0 to 1"),
        gr.Textbox("", label="Strip of"),
    ]
    outputs = [
        picture_output(),
        gr.Gallery(label="strip", format="png"),
        gr.JSON(label="edits"),
    ]
    gr.Button("edit").click(edit, inputs, outputs, api_name="edit", **PUBLIC)
