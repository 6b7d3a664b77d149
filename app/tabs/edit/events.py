"""Edits of the decoded face: live while a slider moves, whole when it comes to rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr
from gradio.blocks import Block
from PIL import Image

from app.address import FACE
from app.components.events import LIVE, MODEL_EVENT, QUICK, Update, friendly
from app.components.html import note
from app.components.local_previews import source
from app.files import keep_bytes, keep_picture
from app.protocols import FaceCodec
from app.results import CurrentFace, Edits
from app.services.editing import EditTarget, History, is_on, toggled
from app.services.links import face_link
from app.tabs.base import Opens, Tab
from app.tabs.edit import api, html
from app.tabs.edit.two_faces import TwoFaces
from app.tabs.edit.view import NO_FACE, EditView
from app.viewer import Choice, content, drawn, patch, wanted
from hsc.errors import HscError

PRESS_SAVE = """() => {
  // the button has the new file's address after the next frame
  requestAnimationFrame(() => requestAnimationFrame(() => {
    if (document.querySelector("#edit-saved .note")) {
      document.querySelector("#edit-save-file")?.click();
    }
  }));
}"""


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
        TwoFaces(self.studio, view, self.face).wire(tab, self.current)
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
        pictures = [view.note, view.viewer, view.meanings, view.previews.source, view.save_picture]
        steps = [view.history, view.undo, view.redo, view.saved]
        whole: dict[str, Any] = {
            "fn": friendly(self.draw, view.note), "inputs": [view.history, *request],
            "outputs": [*pictures, view.file, *steps, *view.presets.values()], **LIVE,
        }  # fmt: skip
        strip: dict[str, Any] = {
            "fn": friendly(self.draw_strip), "inputs": [view.strip_of, *request],
            "outputs": view.strip, **LIVE,
        }  # fmt: skip
        gr.on([tab.select, view.file.change], **whole).then(**strip)
        room = self.page.face.room
        self.current.change(
            friendly(self.face_changed, view.note),
            [room, *whole["inputs"]],
            whole["outputs"],
            **LIVE,
        ).then(friendly(self.strip_changed), [room, view.strip_of, *request], view.strip, **LIVE)
        view.previews.follow.click(
            friendly(self.preview),
            request,
            [view.note, view.viewer, view.meanings],
            **LIVE,
        )
        gr.on([view.previews.settle.click, *(slider.release for slider in values)], **whole)
        for label, button in view.presets.items():
            button.click(
                lambda *now, label=label: self.preset(label, *now), values, values, **QUICK
            ).then(**whole)
        view.reset.click(self.at_rest, None, values, **QUICK).then(**whole)
        for button, by in ((view.undo, -1), (view.redo, 1)):
            button.click(
                lambda history, by=by: self.step(history, by),
                view.history,
                [view.history, *values],
                **QUICK,
            ).then(**whole)
        view.viewer.wanted(
            friendly(self.original), [self.current, view.file], view.viewer, **MODEL_EVENT
        )
        view.make_file.click(
            friendly(self.make_file, view.note),
            request,
            [view.note, view.save_file, view.saved],
            **MODEL_EVENT,
        ).then(fn=None, inputs=None, outputs=None, js=PRESS_SAVE, **QUICK)
        gr.on([view.strip_of.input], **strip)
        view.strip.select(self.take_amount, view.strip_of, sliders, **QUICK).then(**whole)
        view.draw_grid.click(
            friendly(self.draw_grid, view.note),
            [view.grid_of, self.current, view.file],
            [view.note, view.grid],
            **MODEL_EVENT,
        )

    def draw(self, history: History, *request: Any) -> Iterator[Update]:
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
            yield {view.note: note(NO_FACE), view.previews.source: source()}
            return
        yield {view.note: note("Drawing …", busy=True)}
        edited = self.editing.picture(face, edits)
        unedited = self.editing.picture(face)
        share = self.editing.held(face, edits)
        _, _, keep_details, *values = request
        history = history.with_values((*values, keep_details))
        choices = [
            Choice("before", "Decoded", drawn(unedited, "face.webp"), bytes=len(face.data)),
            self._after(edited, edits, share),
        ]
        if face.prepared is not None:
            choices.append(Choice("original", "Original"))
        yield {
            view.note: "",
            view.viewer: content(
                choices, "before", "after", version=face.key, subject=face.subject
            ),
            view.meanings: html.meanings(view.sliders.edits, edits, share),
            view.previews.source: source(face.data, face.layers),
            view.save_picture: gr.DownloadButton(value=keep_picture(edited, "edited.png")),
            view.saved: "",
            **self._history(history),
            **self._presets(edits),
        }

    def face_changed(self, room: str, *request: Any) -> Iterator[Update]:
        """Another face was chosen, or a better file was found, while this room is open."""
        if room == self.name:
            yield from self.draw(*request)

    def preview(self, *request: Any) -> Update:
        """A small picture while a slider moves."""
        view, (face, edits) = self.view, self._parse(*request)
        if face is None:
            return {view.note: note(NO_FACE)}
        return {
            view.note: "",
            view.meanings: html.meanings(view.sliders.edits, edits),
            view.viewer: patch(face.key, self._after(self.editing.preview(face, edits), edits)),
        }

    def _after(self, picture: Image.Image, edits: Edits, share: float = 1.0) -> Choice:
        words = html.caption(self.view.sliders.edits, edits, share)
        return Choice("after", "Edited", drawn(picture, "edited.webp"), note=words)

    def original(
        self, current: CurrentFace | None, file: str | None, event: gr.EventData
    ) -> dict[str, Any]:
        """The viewer asks for the photo's crop."""
        asked, face = wanted(event), self.face(current, file)
        if face is None or face.prepared is None:
            return patch(asked.version)
        url = drawn(face.prepared.crop, "original.webp")
        return patch(asked.version, Choice(asked.name, "Original", url))

    def preset(self, label: str, *values: float) -> list[float]:
        """Values of all sliders and of keep-details after a preset was pressed."""
        *amounts, keep_details = values
        before = self.view.sliders.amounts(tuple(amounts))
        after = toggled(self.editing.presets()[label], before)
        return [*(after.get(name, 0) for name in self.view.sliders.by_name), keep_details]

    def at_rest(self) -> list[float]:
        """Values of all sliders and of keep-details where nothing is edited."""
        return [*(0 for _ in self.view.sliders.by_name), 1]

    def step(self, history: History, by: int) -> list[Any]:
        """Undo or redo: the history, and the values of all sliders and of keep-details."""
        history = history.moved(by)
        return [history, *(history.values or self.at_rest())]

    def make_file(self, *request: Any) -> Iterator[Update]:
        """The edited face as a .hsc file of its own, and its link."""
        view, (face, edits) = self.view, self._parse(*request)
        if face is None:
            yield {view.note: note(NO_FACE)}
            return
        yield {view.note: note("Coding the edited face …", busy=True)}
        data = self.editing.file(face, edits)
        yield {
            view.note: "",
            view.save_file: gr.DownloadButton(value=keep_bytes(data, "edited.hsc")),
            view.saved: html.saved(face_link(data, f"?{FACE}="), len(data)),
        }

    def _history(self, history: History) -> Update:
        view = self.view
        return {
            view.history: history,
            view.undo: gr.Button(interactive=history.can_undo),
            view.redo: gr.Button(interactive=history.can_redo),
        }

    def _presets(self, edits: Edits) -> Update:
        """Presets that are on look so; script.js tells screen readers."""
        usable = self.editing.presets()
        return {
            button: gr.Button(
                elem_classes=["preset", "on"] if is_on(usable[label], edits.amounts) else ["preset"]
            )
            for label, button in self.view.presets.items()
            if label in usable
        }

    def draw_strip(self, name: str, *request: Any) -> Any:
        """One edit alone, over its range."""
        face, _ = self._parse(*request)
        if face is None:
            return gr.skip()
        return [
            (keep_picture(picture, "strip.png"), f"{amount:+g}" if amount else "0")
            for amount, picture in self.editing.strip(face, name)
        ]

    def strip_changed(self, room: str, *request: Any) -> Any:
        """As `face_changed`."""
        return self.draw_strip(*request) if room == self.name else gr.skip()

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
