"""Where things are in the Receive room."""

from __future__ import annotations

import gradio as gr

from app.components.edit_sliders import EditSliders
from app.components.local_previews import LocalPreviews
from app.tabs.receive.html import HIGHLIGHT_SCRIPT
from app.texts import text
from app.viewer import viewer

LAYER_CHOICES = [
    ("Essence + likeness", "scn+fcn"),
    ("Essence (SCN) only", "scn"),
    ("Likeness (FCN) only", "fcn"),
]
PROVE = "Prove that nothing else was used"
SENT_CHOICES = [("Essence (SCN) alone", "scn"), ("The whole file", "scn+fcn")]


class ReceiveView:
    """The room's components, as attributes; create it inside a `gr.Tab`."""

    def __init__(self) -> None:
        self.data = gr.State(None)  # bytes of the file that is shown, wherever it came from
        self.taken = gr.State(None)  # those that were taken over from Compress
        with gr.Row(elem_id="receiver", elem_classes=["room"]):
            with gr.Column(elem_classes=["room-viewer"]):
                self.viewer = viewer(
                    "received-picture",
                    "The face that the file draws",
                    empty="No face yet: drop a .hsc file, paste a text, or take the example.",
                )
            with gr.Column(elem_id="receive", elem_classes=["room-panel"]):
                self.welcome = gr.Markdown(text("decode_welcome"), elem_id="receive-welcome")
                self._inputs()
                self._steering()
                with gr.Column(elem_id="received-about"):
                    self.facts = gr.HTML(elem_id="received-facts")
                    self.prove = gr.Button(PROVE, size="sm", visible=False, elem_id="prove")
                    self.proof = gr.HTML(elem_id="proof")
                gr.Markdown(text("caveat"), elem_classes=["caveat"])
        with gr.Column(visible=False, elem_id="received-more") as self.more:
            self.bytes = gr.HTML(elem_id="strip", js_on_load=HIGHLIGHT_SCRIPT)
            self._as_text()

    def _inputs(self) -> None:
        with gr.Row(elem_id="receive-inputs"):
            # no list of file types: phones grey out endings that they do not know
            self.file = gr.File(label=".hsc file", type="binary", height=110, elem_id="received")
            self.pasted = gr.Textbox(
                label="Or paste a face as text",
                placeholder="HSC1 …",
                lines=2,
                max_lines=3,
                submit_btn="Decode",
                elem_id="pasted",
            )
        self.example = gr.Button("Try it with the example", size="sm", elem_id="decode-example")
        self.note = gr.HTML(elem_id="received-note")

    def _steering(self) -> None:
        self.layers = gr.Radio(
            LAYER_CHOICES,
            value="scn+fcn",
            label="Layers",
            elem_id="received-layers",
            elem_classes=["segmented"],
        )
        with gr.Accordion("Edit the decoded face", open=False, elem_id="received-edits"):
            self.edits = EditSliders("received-edit", described=True)
            self.reset = gr.Button("Reset all", size="sm", elem_id="received-reset")
            self.previews = LocalPreviews("received")

    def _as_text(self) -> None:
        with gr.Row(elem_id="as-text"):
            with gr.Column(scale=2, min_width=260):
                self.qr = gr.HTML(elem_id="qr")
            with gr.Column(scale=3, min_width=300):
                gr.Markdown(text("as_text"))
                self.sent_layers = gr.Radio(
                    SENT_CHOICES, value="scn", label="What to send", elem_id="sent-layers"
                )
                self.receiver = gr.HTML(elem_id="face-receiver")
                self.text = gr.Textbox(
                    label="The face as text",
                    lines=2,
                    max_lines=8,
                    buttons=["copy"],
                    interactive=False,
                    elem_id="face-text",
                )
                self.link = gr.Textbox(
                    label="A link that opens it here",
                    lines=1,
                    max_lines=3,
                    buttons=["copy"],
                    interactive=False,
                    visible=False,
                    elem_id="face-link",
                )
