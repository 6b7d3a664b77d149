"""Where things are in the view of one photograph."""

from __future__ import annotations

import gradio as gr

from app.components.edit_sliders import EditSliders
from app.components.images import PhotoInput
from app.services.photographs import BACKGROUND_BYTES
from app.texts import text
from app.viewer import viewer

EMPTY = (
    "Drop a photograph with one face or many, or let the page invent a group. Its faces are "
    "numbered: choose which are coded, edit any of them in place, and see what all of it looks "
    "like as AVIF, WebP or JPEG in as many bytes."
)


class PhotographView:
    """The view's components, as attributes; create it inside a `gr.Tab`."""

    def __init__(self) -> None:
        self.shown = gr.State(None, time_to_live=3600)  # `events.Shown`, or None
        with gr.Row(elem_id="photograph", elem_classes=["room"]):
            with gr.Column(elem_id="photograph-results", elem_classes=["room-viewer"]):
                self._results()
            with gr.Column(elem_id="photograph-controls", elem_classes=["room-panel"]):
                self._controls()

    def _controls(self) -> None:
        gr.Markdown(text("photographs"), elem_id="photograph-text")
        self.photo = PhotoInput(
            label="Photograph",
            placeholder="Drop a photograph\nor click to choose one",
            height=150,
            elem_id="photograph-photo",
            buttons=[],
        )
        with gr.Row():
            self.invent = gr.Button("Invent a group", size="sm", elem_id="photograph-invent")
            # no list of file types: phones grey out endings that they do not know
            self.file = gr.UploadButton(
                "Open a .hscp file", size="sm", type="binary", elem_id="photograph-file"
            )
        self.note = gr.HTML(elem_id="photograph-note", elem_classes=["note-box"])
        self.level = gr.Slider(
            1,
            6,
            value=3,
            step=0.5,
            label="Bitrate level of every face",
            buttons=["reset"],
            elem_id="photograph-level",
        )
        self.background = gr.Slider(
            1000,
            60000,
            value=BACKGROUND_BYTES,
            step=500,
            label="Bytes for the background",
            buttons=["reset"],
            elem_id="photograph-background",
        )
        with gr.Column(visible=False, elem_id="photograph-people") as self.people:
            self.coded = gr.CheckboxGroup(
                [], label="Faces to draw", elem_id="photograph-coded", elem_classes=["chips"]
            )
            gr.HTML("<h2>Choose a face to edit</h2>", elem_id="photograph-choose")
            self.faces = gr.Gallery(
                label="Choose a face to edit",
                show_label=False,
                format="png",
                columns=5,
                height="auto",
                allow_preview=False,
                object_fit="cover",
                buttons=[],
                interactive=False,
                elem_id="photograph-faces",
            )
        with gr.Column(visible=False, elem_id="photograph-editing") as self.editing:
            self.edited = gr.HTML(elem_id="photograph-edited")
            self.sliders = EditSliders("photograph-edit")
            self.reset = gr.Button("Reset this face", size="sm", elem_id="photograph-reset")
        gr.Markdown(text("caveat"), elem_classes=["caveat"])

    def _results(self) -> None:
        self.viewer = viewer(
            "photograph-viewer", "The photograph and what its file draws", empty=EMPTY
        )
        with gr.Row(elem_id="photograph-save"):
            self.save_file = gr.DownloadButton(
                "Download .hscp",
                variant="primary",
                size="md",
                visible=False,
                elem_id="photograph-save-file",
            )
            self.save_picture = gr.DownloadButton(
                "Picture (PNG)", size="md", visible=False, elem_id="photograph-save-picture"
            )
        self.parts = gr.HTML(elem_id="photograph-parts")
