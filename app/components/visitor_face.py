"""The face that a visitor works on: chosen in the head of the page, for all rooms."""

from __future__ import annotations

import json
from html import escape

import gradio as gr

from app.components.images import photo_input
from app.executor import CancelToken
from app.services.examples import Example, examples


class VisitorFace:
    """The chip in the head, what it opens, and the face itself; make it inside the page.

    Chip and chooser are laid out by `chip_here` and `chooser_here`. The Compress tab wires them.

    Attributes:
        photo: the photo that was uploaded.
        current: `app.results.CurrentFace`, or None: the file that was made of it, and its picture;
            a draft as long as the file is made.
        room: name of the tab that is open.
        search: the `CancelToken` of the search for a better file; drawing: that of the file itself.
        given: the examples that are offered.
        examples, invent, seed: what is chosen instead of a photo.
    """

    def __init__(self) -> None:
        self.given: list[Example] = examples()
        self.photo = photo_input("photo", height=190, render=False)
        self.current = gr.State(None, time_to_live=3600)
        self.room = gr.State("")
        self.search = gr.State(CancelToken())
        self.drawing = gr.State(CancelToken())

    def chip_here(self) -> None:
        """Lay the chip out."""
        self.chip = gr.HTML(chip(), elem_id="face-chip", apply_default_css=False)

    def chooser_here(self) -> None:
        """Lay out what the chip opens; static/face.js does."""
        with gr.Column(elem_id="choose"):
            labels = [f"Example {n}: {each.label}" for n, each in enumerate(self.given, 1)]
            gr.HTML(
                f"<h2 data-examples='{escape(json.dumps(labels))}'>Choose a face</h2>",
                apply_default_css=False,
            )
            self.photo.render()
            self.examples = gr.Dataset(
                components=[gr.Image(visible=False)],
                samples=[[str(each.known / "thumbnail.jpg")] for each in self.given],
                sample_labels=None,
                type="index",
                label="Or one of these",
                elem_id="examples",
            )
            with gr.Row(elem_id="invent"):
                self.invent = gr.Button("Invent a face", size="sm", elem_id="invent-face", scale=3)
                self.seed = gr.Number(
                    value=7,
                    precision=0,
                    minimum=0,
                    label="Seed",
                    show_label=False,
                    container=False,
                    elem_id="seed",
                    min_width=128,
                    scale=2,
                )


def chip(name: str = "", words: str = "", thumbnail: str = "") -> str:
    """The face in the head: a small picture, its name, and what its file is.

    Args:
        thumbnail: address of the small picture.
    """
    label = escape(name) or "Choose a face"
    image = f'<img src="{thumbnail}" alt="">' if thumbnail else '<i aria-hidden="true"></i>'
    more = f"<small>{escape(words)}</small>" if words else ""
    return (
        '<button type="button" class="chip" aria-haspopup="dialog" aria-controls="choose" '
        f'aria-expanded="false">{image}<span><b>{label}</b>{more}</span></button>'
    )
