"""The face that a visitor works on: chosen on the Compress tab, taken over by the others."""

from __future__ import annotations

import gradio as gr

from app.components.images import photo_input


class VisitorFace:
    """Make it inside the page; the Compress tab renders and fills it.

    Attributes:
        photo: the photo that was uploaded.
        current: `app.results.CurrentFace`, or None: the file that was made of it, and its picture.
    """

    def __init__(self) -> None:
        self.photo = photo_input("photo", height=250, render=False)
        self.current = gr.State(None, time_to_live=3600)
