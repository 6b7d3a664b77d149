"""The photo that a tab is about: its own, or the one of the first tab."""

from __future__ import annotations

from typing import Any

import gradio as gr

from app.components import QUICK, PhotoInput
from app.results import Prepared
from app.studio import Studio
from hsc.errors import NoFaceError
from hsc.paths import SHIPPED

EXAMPLE = SHIPPED / "examples" / "astronaut.png"
CENTRE = "No face was found in this picture, so its centre is used."


class Subject:
    """A photo, an example and a level.

    Args:
        studio: prepares the photo.
        prefix: begins the element ids.
        level: to begin with.
    """

    def __init__(self, studio: Studio, prefix: str, level: float = 3) -> None:
        self.studio = studio
        self.photo = PhotoInput(
            label="Photo",
            placeholder="Drop a photo of a face\nor click to choose one",
            height=190,
            elem_id=f"{prefix}-photo",
            buttons=[],
        )
        self.example = gr.Button("Use the example", size="sm", elem_id=f"{prefix}-example")
        self.level = gr.Slider(
            1, 6, value=level, step=0.5, label="Bitrate level", buttons=["reset"],
            elem_id=f"{prefix}-level",
        )  # fmt: skip
        self.note = gr.HTML(elem_id=f"{prefix}-note", elem_classes=["note-box"])
        self.example.click(lambda: str(EXAMPLE), None, self.photo, **QUICK)

    def follow(self, tab: gr.Tab, first: Any) -> None:
        """Take over the first tab's photo when the tab is opened without its own."""
        tab.select(
            lambda own, photo: gr.skip() if own or not photo else photo,
            [self.photo, first.photo],
            self.photo,
            **QUICK,
        )

    def prepare(self, photo: str) -> tuple[Prepared, str]:
        """The largest face of a photo, or its centre, and what is to be said of that.

        Raises:
            PhotoError: the picture is unusable.
        """
        try:
            return self.studio.prepare(photo), ""
        except NoFaceError:
            return self.studio.prepare(photo, align=False), CENTRE
