"""A .hsc file in: its picture, its layers, what its header says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from app import charts
from app.components import LIVE, Tab, edit_slider, fitted_slider, friendly, picture
from app.files import keep_picture
from app.results import Sizes
from app.service import Studio
from app.texts import text
from hsc.errors import HscError

CHOICES = [("SCN + FCN", "scn+fcn"), ("SCN only", "scn"), ("FCN only", "fcn")]
CUT = "This file has no FCN layer, so this is what SCN alone draws."


class DecodeTab(Tab):
    """Layout and events; create it inside a `gr.Tab`."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        with gr.Row(elem_id="receiver"):
            with gr.Column(scale=3, min_width=300):
                gr.Markdown(text("decode"))
                # no list of file types: phones grey out endings that they do not know
                self.file = gr.File(
                    label=".hsc file", type="binary", height=150, elem_id="received"
                )
                self.layers = gr.Radio(
                    CHOICES, value="scn+fcn", label="Layers", elem_id="received-layers"
                )
                self.smile = edit_slider("received-smile")
                self.note = gr.HTML(elem_id="received-note")
            with gr.Column(scale=5, min_width=320):
                self.picture = picture(
                    "Decoded",
                    "The face drawn from the file",
                    "received-picture",
                    buttons=["download", "fullscreen"],
                )
                gr.Markdown(text("caveat"), elem_classes=["caveat"])
            with gr.Column(scale=3, min_width=280):
                self.facts = gr.HTML(elem_id="received-facts")
        inputs = [self.file, self.layers, self.smile]
        shown = [self.note, self.picture, self.facts]
        self.file.change(friendly(self.new_file), inputs[:2], [*shown, self.smile], **LIVE)
        gr.on(
            [self.layers.input, self.smile.input, self.smile.release],
            friendly(self.draw),
            inputs,
            shown,
            **LIVE,
        )

        self.fitted = (self.smile,)

    def fit(self, codec: Any) -> dict[Any, Any]:
        return {self.smile: fitted_slider(codec, "smile")}

    def new_file(self, data: bytes | None, layers: str) -> Iterator[dict[Any, Any]]:
        """A file was dropped or removed: forget the last one's edits."""
        yield {self.smile: 0}
        yield from self.draw(data, layers, 0)

    def draw(self, data: bytes | None, layers: str, smile: float) -> Iterator[dict[Any, Any]]:
        """Say what the file says, then show what it draws."""
        if data is None:
            yield {self.note: "", self.picture: None, self.facts: ""}
            return
        waiting = "Drawing …" if self.studio.ready else "Loading the model …"
        yield {self.note: charts.note(waiting, busy=True)}
        try:
            decoded = self.studio.decode(data, layers, {"smile": smile})
        except HscError:
            yield {self.note: ""}  # the toast says what is wrong; the last good picture stays
            raise
        bar = charts.bytes_bar(Sizes.of(decoded.facts))
        cut = decoded.layers != layers
        yield {
            self.note: charts.note(CUT, warn=True) if cut else "",
            self.picture: keep_picture(decoded.picture, "decoded.png"),
            self.facts: charts.facts(decoded.facts) + bar,
        }
