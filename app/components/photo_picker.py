"""The visitor's photo, or the example, for a part of the page with results of its own."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.events import Dependency

from app.components.events import QUICK, Opens
from app.components.html import note
from app.components.images import photo_input
from app.components.visitor_face import VisitorFace
from app.results import CurrentFace, Prepared
from app.services.examples import FOLDER
from app.studio import Studio
from hsc.errors import NoFaceError

EXAMPLE = FOLDER / "astronaut.png"
NO_FACE = "No face was found in this picture, so its centre is used."


class PhotoPicker:
    """The photo that was chosen in the head, an example for want of one, a level, and a note.

    The photo itself is not shown again: the face is in the head of the page.

    Args:
        prefix: begins the element ids.
        level: to begin with.
    """

    def __init__(self, prefix: str, level: float = 3) -> None:
        self.photo = photo_input(f"{prefix}-photo", height=190, elem_classes=["taken-over"])
        with gr.Column(elem_classes=["no-face-yet"]):
            gr.HTML(note("Choose a face in the head of the page, or take the example."))
            self.example = gr.Button("Use the example", size="sm", elem_id=f"{prefix}-example")
        self.level = gr.Slider(
            1,
            6,
            value=level,
            step=0.5,
            label="Bitrate level",
            buttons=["reset"],
            elem_id=f"{prefix}-level",
        )
        self.note = gr.HTML(elem_id=f"{prefix}-note", elem_classes=["note-box"])
        self.example.click(lambda: str(EXAMPLE), None, self.photo, **QUICK)

    def follow(self, tab: Opens, face: VisitorFace) -> None:
        """Take over the visitor's photo when the tab is opened after another one was chosen."""
        followed = gr.State(None)
        tab.select(
            lambda last, photo: (gr.skip(), gr.skip()) if photo in (None, last) else (photo, photo),
            [followed, face.photo],
            [self.photo, followed],
            **QUICK,
        )

    def follow_level(self, tab: Opens, face: VisitorFace) -> Dependency:
        """Take over the level at which the visitor's face was coded, too; the event that does."""
        followed = gr.State(self.level.value)

        def level(last: float, current: CurrentFace | None) -> Any:
            if current is None or current.result.level == last:
                return gr.skip(), gr.skip()
            return current.result.level, current.result.level

        dependency: Dependency = tab.select(
            level, [followed, face.current], [self.level, followed], **QUICK
        )
        return dependency


def prepare_face_or_centre(studio: Studio, photo: str) -> tuple[Prepared, str]:
    """The largest face of a photo, or its centre, and a warning in the second case.

    Raises:
        PhotoError: the picture is unusable.
    """
    try:
        return studio.prepare(photo), ""
    except NoFaceError:
        return studio.prepare(photo, align=False), NO_FACE
