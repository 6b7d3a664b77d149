"""Where things are on the Compare tab."""

from __future__ import annotations

import gradio as gr

from app.components.html import note
from app.texts import text

NO_FACE = "Choose a photo on the Compress tab first: the same bytes are compared here."


class CompareView:
    """The tab's components, as attributes; create it inside a `gr.Tab`."""

    def __init__(self) -> None:
        gr.Markdown(text("compare"), elem_id="compare-text")
        self.note = gr.HTML(note(NO_FACE), elem_id="compare-note")
        self.cards = gr.HTML(elem_id="versus")
