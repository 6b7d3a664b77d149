"""Pictures in and out."""

from __future__ import annotations

from typing import Any

import gradio as gr


class PhotoInput(gr.Image):
    """An image input that hands over the path of the file as it was uploaded.

    gr.Image would decode it, and answer an unreadable one with a long message that shows a path of
    the server; so hsc reads it instead, and nothing is lost or re-encoded on the way.
    """

    is_template = True

    def preprocess(self, payload: Any) -> str | None:
        if payload is None:
            return None
        if not payload.path:
            raise ValueError("Expected an uploaded file.")
        return str(payload.path)


def photo_input(elem_id: str, height: int, **options: Any) -> PhotoInput:
    """Where a visitor drops or chooses a photo."""
    return PhotoInput(
        label="Photo",
        placeholder="Drop a photo of a face\nor click to choose one",
        height=height,
        elem_id=elem_id,
        buttons=[],
        **options,
    )


def picture(
    label: str, alt: str, elem_id: str, *, download: bool = False, visible: bool = True
) -> gr.Image:
    """A decoded picture, without loss and without tools other than a full-screen view."""
    return gr.Image(
        label=label,
        alt_text=alt,
        elem_id=elem_id,
        format="png",
        type="filepath",
        interactive=False,
        buttons=["download", "fullscreen"] if download else ["fullscreen"],
        elem_classes=["picture"],
        visible=visible,
    )
