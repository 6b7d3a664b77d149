"""`vision`: what machines read off a photo, off its decoded file and off a same-size AVIF."""

from __future__ import annotations

import gradio as gr

from app.components.api import PUBLIC, face_inputs, level_input, require
from app.components.events import friendly
from app.components.images import PhotoInput
from app.services.vision import as_json
from app.studio import Studio


def add(studio: Studio) -> None:
    """Add the endpoint inside a hidden column."""

    @friendly
    def vision(photo: str, level: float = 3.0, face: int = 0, align: bool = True) -> dict:
        """Say what networks read off a face, and whether they read the same after compression.

        Args:
            photo: a picture file of any common kind.
            level: bitrate level, from 1 (smallest) to 6.
            face: which face, 0 being the largest.
            align: False takes the centre of the picture instead of looking for a face.

        Returns:
            For the original, our decoded picture and an AVIF of as many bytes: the face's box,
            landmarks, guessed age and expression, and the agreement with the original. These are
            guesses of networks; what is measured is whether they agree, not whether they are right.
        """
        require(photo, "a photo")
        prepared = studio.prepare(photo, int(face), bool(align))
        return {"views": [as_json(view) for view in studio.vision.look(prepared, float(level))]}

    inputs = [
        PhotoInput(label="Photo"),
        level_input(),
        *face_inputs(),
    ]
    outputs = [gr.JSON(label="seen")]
    gr.Button("vision").click(vision, inputs, outputs, api_name="vision", **PUBLIC)
