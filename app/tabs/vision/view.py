"""Where things are on the Vision tab."""

from __future__ import annotations

import gradio as gr

from app.components.images import picture
from app.components.photo_picker import PhotoPicker
from app.texts import text

LABELS = {"original": "Original", "decoded": "HSC", "avif": "AVIF, as many bytes"}
"""What is looked at, by the names that the service gives it."""


class VisionView:
    """The tab's components, as attributes; create it inside a `gr.Tab`."""

    def __init__(self) -> None:
        with gr.Row(elem_id="vision"):
            with gr.Column(scale=3, min_width=270, elem_id="vision-controls"):
                gr.Markdown(text("vision"))
                self.picker = PhotoPicker("vision", level=1)
                self.marks = gr.Checkbox(
                    True,
                    label="Draw what was seen",
                    info="mask, landmarks and box",
                    elem_id="vision-marks",
                )
            with gr.Column(scale=8, min_width=320, elem_id="vision-results"):
                self.summary = gr.HTML(elem_id="vision-summary")
                self.pictures: dict[str, gr.Image] = {}
                self.cards: dict[str, gr.HTML] = {}
                with gr.Row(elem_id="views"):
                    for name, label in LABELS.items():
                        with gr.Column(min_width=0, elem_classes=["view"]):
                            self.pictures[name] = picture(
                                label, f"{label}, with what was seen in it", f"view-{name}"
                            )
                            self.cards[name] = gr.HTML(elem_id=f"seen-{name}")
                gr.Markdown(text("vision_caveat"), elem_classes=["caveat"], elem_id="vision-caveat")
