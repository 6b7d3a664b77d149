"""Edits of the decoded face: live while a slider moves, whole when it comes to rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr
from gradio.blocks import Block

from app.components.events import LIVE, MODEL_EVENT, QUICK, Update, friendly
from app.components.html import note
from app.files import keep_picture
from app.protocols import FaceCodec
from app.results import CurrentFace, Edits
from app.services.editing import EditTarget
from app.tabs.base import Opens, Tab
from app.tabs.edit import api, html
from app.tabs.edit.two_faces import TwoFaces
from app.tabs.edit.view import NO_FACE, EditView
from hsc.errors import HscError


class EditTab(Tab):
    """Opening the tab takes the face over that Compress shows."""

    name = "edit"
    title = "Edit"
    endpoints = ("edit",)

    def build(self, tab: Opens) -> None:
        self.editing = self.studio.editing
        self.view = view = EditView()
        self.current = self.page.face.current
        self._wire(tab)
        TwoFaces(self.studio, view, self.face).wire(self.current)
        self.fitted = (
            *view.sliders.sliders,
            *view.presets.values(),
            view.strip_of,
            view.grid_of,
        )

    def add_endpoint(self) -> None:
        api.add(self.studio)

    def fit(self, codec: FaceCodec) -> Update:
        """The codec's own ranges; what it cannot do is not offered."""
        view, choices = self.view, [(edit.label, edit.name) for edit in codec.edit_names]
        usable = self.editing.presets()
        return {
            **view.sliders.fit(codec),
            **{
                button: gr.Button(visible=label in usable) for label, button in view.presets.items()
            },
            view.strip_of: gr.Dropdown(choices, value=choices[0][1]),
            view.grid_of: gr.Dropdown(choices, value=choices[0][1]),
        }

    def _wire(self, tab: Opens) -> None:
        view = self.view
        sliders = view.sliders.sliders
        request: list[Block] = [self.current, view.file, view.keep_details, *sliders]
        values = [*sliders, view.keep_details]
        pictures = [view.note, view.unedited, view.edited, view.meanings, view.source]
        whole: dict[str, Any] = {
            "fn": friendly(self.draw, view.note), "inputs": request,
            "outputs": [*pictures, view.file], **LIVE,
        }  # fmt: skip
        strip: dict[str, Any] = {
            "fn": friendly(self.draw_strip), "inputs": [view.strip_of, *request],
            "outputs": view.strip, **LIVE,
        }  # fmt: skip
        gr.on([tab.select, view.file.change], **whole).then(**strip)
        view.follow.click(
            friendly(self.preview),
            request,
            [view.note, view.edited, view.meanings],
            **LIVE,
        )
        gr.on([view.settle.click, *(slider.release for slider in values)], **whole)
        for label, button in view.presets.items():
            button.click(lambda label=label: self.preset(label), None, values, **QUICK).then(
                **whole
            )
        view.reset.click(lambda: self.preset(None), None, values, **QUICK).then(**whole)
        gr.on([view.strip_of.input], **strip)
        view.strip.select(self.take_amount, view.strip_of, sliders, **QUICK).then(**whole)
        view.draw_grid.click(
            friendly(self.draw_grid, view.note),
            [view.grid_of, self.current, view.file],
            [view.note, view.grid],
            **MODEL_EVENT,
        )

    def draw(self, *request: Any) -> Iterator[Update]:
        """The whole picture, beside what the file draws unedited.

        A file that is refused goes away again, so that its name is not beside another face.
        """
        view = self.view
        try:
            face, edits = self._parse(*request)
        except HscError:
            yield {view.file: None}
            raise
        if face is None:
            yield {view.note: note(NO_FACE), view.source: html.source(None)}
            return
        yield {view.note: note("Drawing …", busy=True)}
        edited = self.editing.picture(face, edits)
        unedited = self.editing.picture(face)
        yield {
            view.note: "",
            view.unedited: gr.Image(
                value=keep_picture(unedited, "face.png"), label=f"From {len(face.data):,} bytes"
            ),
            view.edited: gr.Image(
                value=keep_picture(edited, "edited.png"), label=html.edits_in_words(edits)
            ),
            view.meanings: html.meanings(view.sliders.edits, edits),
            view.source: html.source(face),
        }

    def preview(self, *request: Any) -> Update:
        """A small picture while a slider moves."""
        view, (face, edits) = self.view, self._parse(*request)
        if face is None:
            return {view.note: note(NO_FACE)}
        return {
            view.note: "",
            view.meanings: html.meanings(view.sliders.edits, edits),
            view.edited: gr.Image(
                value=keep_picture(self.editing.preview(face, edits), "edited.png"),
                label=html.edits_in_words(edits),
            ),
        }

    def preset(self, label: str | None) -> list[float]:
        """Values of all sliders and of keep-details; all at rest without a label."""
        amounts = self.editing.presets().get(label, {}) if label else {}
        return [*(amounts.get(name, 0) for name in self.view.sliders.by_name), 1]

    def draw_strip(self, name: str, *request: Any) -> Any:
        """One edit alone, over its range."""
        face, _ = self._parse(*request)
        if face is None:
            return gr.skip()
        return [
            (keep_picture(picture, "strip.png"), f"{amount:+g}" if amount else "0")
            for amount, picture in self.editing.strip(face, name)
        ]

    def take_amount(self, name: str, event: gr.SelectData) -> list[Any]:
        """A picture of the strip was clicked: its amount goes to the slider."""
        amount = float(event.value["caption"])
        return [amount if each == name else gr.skip() for each in self.view.sliders.by_name]

    def draw_grid(
        self, name: str, current: CurrentFace | None, file: str | None
    ) -> Iterator[Update]:
        """Strength by bitrate, a row at a time."""
        view, face = self.view, self.face(current, file)
        if face is None:
            yield {view.note: note(NO_FACE), view.grid: ""}
            return
        edit, rows = self.editing.edit(name), []
        yield {view.note: note("Coding and drawing level by level …", busy=True)}
        for row in self.editing.grid(face, name):
            rows.append(row)
            yield {
                view.note: note(f"Level {row.level:g} is done …", busy=True),
                view.grid: html.grid(edit, rows),
            }

    def face(self, current: CurrentFace | None, file: str | None) -> EditTarget | None:
        """The tab's own file before what Compress shows."""
        if file:
            return self.editing.target(file)
        return EditTarget.current(current) if current else None

    def _parse(
        self, current: CurrentFace | None, file: str | None, keep_details: float, *values: float
    ) -> tuple[EditTarget | None, Edits]:
        """The face that is edited, and how."""
        amounts = self.view.sliders.amounts(values)
        return self.face(current, file), Edits.of(amounts, keep_details)
