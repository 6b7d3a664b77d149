"""Does the machine still see the same person? The original, our picture and AVIF side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from app.components.events import LIVE, Update, friendly
from app.components.html import busy_note, note
from app.components.photo_picker import prepare_face_or_centre
from app.files import keep_picture
from app.services.vision import View
from app.tabs.base import Opens, Tab
from app.tabs.vision import api, html
from app.tabs.vision.view import LABELS, VisionView

STEPS = ("Looking at the original …", "Compressing and looking …", "Fitting an AVIF …")


class VisionTab(Tab):
    """Reads the pictures again whenever the photo, the level or the marks change."""

    name = "vision"
    title = "Vision"
    endpoints = ("vision",)
    of_faces = True

    def build(self, tab: Opens) -> None:
        self.view = view = VisionView()
        picker = view.picker
        picker.follow(tab, self.page.face)
        look: dict[str, Any] = {
            "fn": friendly(self.look, picker.note),
            "inputs": [picker.photo, picker.level, view.marks],
            "outputs": [
                picker.note,
                view.summary,
                *view.pictures.values(),
                *view.cards.values(),
            ],
            **LIVE,
        }
        gr.on([picker.photo.change, picker.level.release, picker.level.input], **look)
        view.marks.input(**look)

    def add_endpoint(self) -> None:
        api.add(self.studio)

    def look(self, photo: str | None, level: float, marks: bool) -> Iterator[Update]:
        """Show each picture with its read-outs as it comes."""
        view, picker_note = self.view, self.view.picker.note
        if not photo:
            yield {picker_note: ""}
            return
        yield {picker_note: busy_note(self.studio, STEPS[0])}
        prepared, warning = prepare_face_or_centre(self.studio, photo)
        for views in self.studio.vision.steps(prepared, level):
            update: Update = {}
            for each in views:
                update |= self._card(each, marks)
            if len(views) < len(LABELS):
                update[picker_note] = busy_note(self.studio, STEPS[len(views)])
            else:
                update[picker_note] = note(warning, warn=True)
                update[view.summary] = html.summary(views)
            yield update

    def _card(self, view: View, marks: bool) -> Update:
        """One picture and its read-outs."""
        size = f", {view.bytes:,} bytes" if view.bytes is not None else ""
        path = keep_picture(view.marked if marks else view.picture, "seen.png")
        return {
            self.view.pictures[view.name]: gr.Image(value=path, label=f"{view.label}{size}"),
            self.view.cards[view.name]: html.card(view),
        }
