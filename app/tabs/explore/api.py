"""`explore`: a place of the latent space in, its face out; where a photo lies, and its bits."""

from __future__ import annotations

import gradio as gr

from app.components.api import PUBLIC, level_input, picture_output
from app.components.events import friendly
from app.components.images import PhotoInput
from app.files import keep_picture
from app.services.exploring import Place
from app.studio import Studio


def add(studio: Studio) -> None:
    """Add the endpoint inside a hidden column."""
    explorer = studio.explorer

    @friendly
    def explore(
        x: str = "axis1",
        y: str = "axis2",
        at_x: float = 0.0,
        at_y: float = 0.0,
        photo: str | None = None,
        level: float = 3.0,
    ) -> tuple[str, dict]:
        """Draw the face at a place of the latent space, and say where a photo lies in it.

        Args:
            x: the map's first axis: "axis1" to "axis6", or the name of an edit, such as "age".
            y: the second one.
            at_x: the place on the first axis, in standard deviations or in the edit's unit.
            at_y: the place on the second axis.
            photo: a picture file; its face is moved to the place instead of the average face.
            level: bitrate level of the photo's file, from 1 to 6.

        Returns:
            The face, 1024 x 1024, and the axes; with a photo also where it lies before and after
            compression and after each edit, and the bits of its file by style and by place.
        """
        prepared = studio.prepare(photo) if photo else None
        face_map = explorer.face_map(x, y)
        place = Place(at=(float(at_x), float(at_y)), x=x, y=y, from_photo=bool(photo))
        picture = explorer.face(place, prepared, float(level))
        facts: dict = {
            "axes": {
                name: {"label": axis.label, "unit": axis.unit}
                for name, axis in ((x, face_map.x), (y, face_map.y))
            },
            "generated": [list(face) for face in face_map.faces],
        }
        if prepared:
            photo_at = explorer.on_map(prepared, float(level), x, y)
            bits = studio.bit_allocation.of(studio.compression.file(prepared, level))
            facts |= {
                "before": photo_at.before,
                "after": photo_at.after,
                "edits": {
                    name: {"amount": amount, "at": spot} for name, _, amount, spot in photo_at.edits
                },
                "bits": {
                    "scn_by_style": bits.styles,
                    "fcn_by_place": bits.positions,
                    "fcn_fine_styles": bits.fine,
                },
            }
        return keep_picture(picture, "face.png"), facts

    inputs = [
        gr.Textbox("axis1", label="First axis"),
        gr.Textbox("axis2", label="Second axis"),
        gr.Number(0, label="Place on the first axis"),
        gr.Number(0, label="Place on the second axis"),
        PhotoInput(label="Photo"),
        level_input(),
    ]
    outputs = [picture_output(), gr.JSON(label="facts")]
    gr.Button("explore").click(explore, inputs, outputs, api_name="explore", **PUBLIC)
