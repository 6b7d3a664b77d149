"""Edits of the decoded face: live while a slider moves, whole when it comes to rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from app.components import LIVE, MODEL_EVENT, QUICK, Tab, friendly
from app.files import keep_picture
from app.results import CurrentFace, Edits
from app.services.editing import EditTarget
from app.studio import Studio
from app.tabs.between import BetweenEvents
from app.tabs.edit_layout import STARTING, EditLayout
from app.views import charts, sheet

Update = dict[Any, Any]


class EditTab(EditLayout, BetweenEvents, Tab):
    """The Edit tab with its events; create it inside a `gr.Tab`.

    Args:
        tab: the `gr.Tab` that it is in; opening it takes the face over that Compress shows.
        shown: the state that holds what Compress shows.
    """

    def __init__(self, studio: Studio, tab: gr.Tab, shown: gr.State) -> None:
        super().__init__()
        self.studio = studio
        self.editing = studio.editing
        self.shown = shown
        self._wire(tab)
        self._wire_between()
        self.fitted = (*self.sliders.sliders, *self.presets.values(), self.strip_of, self.grid_of)

    def fit(self, codec: Any) -> Update:
        """The codec's own ranges; what it cannot do is not offered."""
        choices = [(edit.label, edit.name) for edit in codec.edit_names]
        update: Update = {
            **self.sliders.fit(codec),
            self.strip_of: gr.Dropdown(choices, value=choices[0][1]),
            self.grid_of: gr.Dropdown(choices, value=choices[0][1]),
        }
        usable = self.editing.presets()
        for label, button in self.presets.items():
            update[button] = gr.Button(visible=label in usable)
        return update

    @property
    def look(self) -> list[Any]:
        """The components that say what is drawn, as `_asked` takes them."""
        return [self.shown, self.file, self.keep, *self.sliders.sliders]

    def _wire(self, tab: gr.Tab) -> None:
        sliders = self.sliders.sliders
        pictures = [self.note, self.plain, self.edited, self.about]
        gr.on(
            [tab.select, self.file.change],
            friendly(self.whole),
            self.look,
            pictures,
            **LIVE,
        ).then(friendly(self.draw_strip), [self.strip_of, *self.look], self.strip, **LIVE)
        gr.on(
            [slider.input for slider in (*sliders, self.keep)],
            friendly(self.preview),
            self.look,
            [self.note, self.edited, self.about],
            **LIVE,
        )
        gr.on(
            [self.settle.click, *(slider.release for slider in (*sliders, self.keep))],
            friendly(self.whole),
            self.look,
            pictures,
            **LIVE,
        )
        for label, button in self.presets.items():
            button.click(
                lambda label=label: self.preset(label), None, [*sliders, self.keep], **QUICK
            ).then(friendly(self.whole), self.look, pictures, **LIVE)
        self.reset.click(lambda: self.preset(None), None, [*sliders, self.keep], **QUICK).then(
            friendly(self.whole), self.look, pictures, **LIVE
        )
        gr.on(
            [self.strip_of.input],
            friendly(self.draw_strip),
            [self.strip_of, *self.look],
            self.strip,
            **LIVE,
        )
        self.strip.select(self.take, self.strip_of, sliders, **QUICK).then(
            friendly(self.whole), self.look, pictures, **LIVE
        )
        self.draw_grid.click(
            friendly(self.fill_grid),
            [self.grid_of, self.shown, self.file],
            [self.note, self.grid],
            **MODEL_EVENT,
        )

    def whole(self, *asked: Any) -> Iterator[Update]:
        """The whole picture, beside what the file draws unedited."""
        face, look = self._asked(*asked)
        if face is None:
            yield {self.note: charts.note(STARTING)}
            return
        yield {self.note: charts.note("Drawing …", busy=True)}
        try:
            edited = self.editing.picture(face, look)
            plain = self.editing.picture(face)
        except Exception:
            yield {self.note: ""}  # a toast says what is wrong; the last good pictures stay
            raise
        yield {
            self.note: "",
            self.plain: gr.Image(
                value=keep_picture(plain, "face.png"), label=f"From {len(face.data):,} bytes"
            ),
            self.edited: gr.Image(
                value=keep_picture(edited, "edited.png"), label=sheet.words(look)
            ),
            self.about: sheet.meanings(self.sliders.edits, look),
        }

    def preview(self, *asked: Any) -> Update:
        """A small picture while a slider moves."""
        face, look = self._asked(*asked)
        if face is None:
            return {self.note: charts.note(STARTING)}
        return {
            self.note: "",
            self.about: sheet.meanings(self.sliders.edits, look),
            self.edited: gr.Image(
                value=keep_picture(self.editing.preview(face, look), "edited.png"),
                label=sheet.words(look),
            ),
        }

    def preset(self, label: str | None) -> list[float]:
        """Values of all sliders and of keep-details; all at rest without a label."""
        amounts = self.editing.presets().get(label, {}) if label else {}
        return [*(amounts.get(name, 0) for name in self.sliders.by_name), 1]

    def draw_strip(self, name: str, *asked: Any) -> Any:
        """One edit alone, over its range."""
        face, _ = self._asked(*asked)
        if face is None:
            return gr.skip()
        return [
            (keep_picture(picture, "strip.png"), f"{amount:+g}" if amount else "0")
            for amount, picture in self.editing.strip(face, name)
        ]

    def take(self, name: str, event: gr.SelectData) -> list[Any]:
        """A picture of the strip was clicked: its amount goes to the slider."""
        amount = float(event.value["caption"])
        return [amount if each == name else gr.skip() for each in self.sliders.by_name]

    def fill_grid(
        self, name: str, shown: CurrentFace | None, file: str | None
    ) -> Iterator[tuple[str, str]]:
        """Strength by bitrate, a row at a time."""
        face = self._face(shown, file)
        if face is None:
            yield charts.note(STARTING), ""
            return
        edit, rows = self.editing.edit(name), []
        yield charts.note("Coding and drawing level by level …", busy=True), gr.skip()
        for row in self.editing.grid(face, name):
            rows.append(row)
            busy = charts.note(f"Level {row.level:g} is done …", busy=True)
            yield busy, sheet.grid(edit, rows)
        yield "", sheet.grid(edit, rows)

    def _asked(
        self, shown: CurrentFace | None, file: str | None, keep: float, *values: float
    ) -> tuple[EditTarget | None, Edits]:
        """The face that is edited, and how."""
        return self._face(shown, file), Edits.of(self.sliders.amounts(values), keep)

    def _face(self, shown: CurrentFace | None, file: str | None) -> EditTarget | None:
        if file:
            return self.editing.target(file)
        return EditTarget.current(shown) if shown else None
