"""The latent space as a map, and where the bits of a photo went."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import gradio as gr

from app.components import LIVE, MODEL_EVENT, Tab, friendly
from app.files import keep_picture
from app.results import Prepared
from app.services.exploring import Place
from app.studio import Studio
from app.tabs.explore_curve import CurveOf
from app.tabs.explore_layout import ExploreLayout
from app.views import charts, figures
from app.views.explore import bits_words

Update = dict[Any, Any]
FIRST = Place(seed=0)


class ExploreTab(Tab):
    """Layout and events; create it inside a `gr.Tab`.

    Args:
        tab: the `gr.Tab` that it is in.
        first: the first tab, whose photo is taken over.
    """

    def __init__(self, studio: Studio, tab: gr.Tab, first: Any) -> None:
        self.studio = studio
        self.exploring = studio.explorer
        self.spending = studio.bit_allocation
        self.at = at = ExploreLayout(studio)
        subject = at.subject
        subject.follow(tab, first)
        whose = [subject.photo, subject.level]
        axes = [at.x, at.y]
        mapped = [subject.note, at.map, at.at_x, at.at_y]
        of_photo = [*mapped, at.bits, at.bits_words, at.styles, at.heat, at.start]
        shown = [subject.note, at.map, at.face, at.at_x, at.at_y, at.place]

        # by itself: of what a generator hands over in quick steps, a page may miss the first
        tab.select(friendly(self.name_axes), axes, axes, **MODEL_EVENT)
        tab.select(friendly(self.open), [*whose, *axes, at.place], shown, **MODEL_EVENT)
        gr.on(
            [subject.photo.change, subject.level.release, subject.level.input],
            friendly(self.about_photo), [*whose, *axes, at.place], of_photo, **LIVE,
        )  # fmt: skip
        gr.on(
            [at.x.input, at.y.input], friendly(self.draw_map), [*whose, *axes, at.place], mapped,
            **LIVE,
        )  # fmt: skip
        looking = [*whose, *axes, at.start]
        at.map.pick(friendly(self.pick), looking, shown, **LIVE)
        gr.on(
            [at.go.click, at.at_x.submit, at.at_y.submit], friendly(self.typed),
            [*looking, at.at_x, at.at_y], shown, **LIVE,
        )  # fmt: skip
        CurveOf(studio, at)

    def name_axes(self, x: str, y: str) -> Update:
        """All axes, named after what the generator does along them."""
        names = [(axis.label, axis.name) for axis in self.exploring.axes()]
        return {
            self.at.x: gr.Dropdown(choices=names, value=x),
            self.at.y: gr.Dropdown(choices=names, value=y),
        }

    def open(
        self, photo: str | None, level: float, x: str, y: str, place: Place | None
    ) -> Iterator[Update]:
        """The tab was opened: draw the map, and a first face."""
        if place is not None:
            return
        at = self.at
        yield {at.subject.note: charts.note(self._waiting("Drawing the map …"), busy=True)}
        yield from self.draw_map(photo, level, x, y, FIRST)
        yield from self._show(FIRST, None, level, x, y)

    def draw_map(
        self, photo: str | None, level: float, x: str, y: str, place: Place | None
    ) -> Iterator[Update]:
        """The map on two axes."""
        at = self.at
        if photo:
            yield {at.subject.note: charts.note(self._waiting("Finding the photo …"), busy=True)}
        prepared, words = at.subject.prepare(photo) if photo else (None, "")
        figure, picked = self._figure(prepared, level, x, y, place)
        yield {
            at.map: figure,
            at.subject.note: charts.note(words, warn=True),
            **self._typed_in(picked),
        }

    def about_photo(
        self, photo: str | None, level: float, x: str, y: str, place: Place | None
    ) -> Iterator[Update]:
        """Another photo or level: where it lies, and where its bits went."""
        at = self.at
        yield {at.start: gr.Radio(value="photo" if photo else "mean")}
        try:
            yield from self.draw_map(photo, level, x, y, place)
            if not photo:
                yield {at.bits: gr.Column(visible=False)}
                return
            yield {at.subject.note: charts.note("Counting the bits …", busy=True)}
            prepared, words = at.subject.prepare(photo)
            data = self.studio.compression.file(prepared, level)
            spending = self.spending.of(data)
            heat = self.spending.heat_map(data)
        except Exception:
            yield {at.subject.note: ""}
            raise
        yield {
            at.bits: gr.Column(visible=True),
            at.bits_words: bits_words(spending, len(data)),
            at.styles: figures.styles_figure(spending),
            at.heat: keep_picture(heat, "bits.png"),
            at.subject.note: charts.note(words, warn=True),
        }

    def pick(
        self,
        photo: str | None,
        level: float,
        x: str,
        y: str,
        start: str,
        event: gr.EventData,
    ) -> Iterator[Update]:
        """A point of the map was clicked, or a place without one."""
        told = event._data or {}
        place = _place(told.get("id"), told.get("x"), told.get("y"), x, y, start)
        yield from self._go(place, photo, level, x, y)

    def typed(
        self,
        photo: str | None,
        level: float,
        x: str,
        y: str,
        start: str,
        at_x: float | None,
        at_y: float | None,
    ) -> Iterator[Update]:
        """A place was typed."""
        place = _place(None, at_x or 0, at_y or 0, x, y, start)
        yield from self._go(place, photo, level, x, y)

    def _go(
        self, place: Place, photo: str | None, level: float, x: str, y: str
    ) -> Iterator[Update]:
        at = self.at
        yield {at.subject.note: charts.note(self._waiting("Drawing this face …"), busy=True)}
        try:
            prepared, words = at.subject.prepare(photo) if photo else (None, "")
            if prepared is None and place.from_photo:
                place = Place(at=place.at, x=x, y=y)
            yield from self._show(place, prepared, level, x, y)
            yield {
                at.map: self._figure(prepared, level, x, y, place)[0],
                at.subject.note: charts.note(words, warn=True),
            }
        except Exception:
            yield {at.subject.note: ""}
            raise

    def _show(
        self, place: Place, prepared: Prepared | None, level: float, x: str, y: str
    ) -> Iterator[Update]:
        """A face quickly and small, then as it is."""
        at, exploring = self.at, self.exploring
        known = self._typed_in(exploring.where(place, x, y, prepared, level)) | {at.place: place}
        label = self._label(place)
        if not exploring.is_cached(place, prepared, level):
            small = exploring.face(place, prepared, level, small=True)
            yield known | {
                at.face: gr.Image(value=keep_picture(small, "preview.png"), label=label)
            }
        face = exploring.face(place, prepared, level)
        yield known | {at.face: gr.Image(value=keep_picture(face, "face.png"), label=label)}

    def _label(self, place: Place) -> str:
        if place.seed is not None:
            return f"Generated face {place.seed}: nobody"
        if place.edit:
            name, amount = place.edit
            edits = {edit.name: edit.label for edit in self.studio.codec.edit_names}
            return f"What SCN keeps of your photo, {edits.get(name, name)} {amount:+g}"
        if place.stage:
            return (
                "Your photo in the generator's words" if place.stage == "before"
                else "What SCN keeps of your photo"
            )  # fmt: skip
        return "The face at this place" + (", from your photo" if place.from_photo else "")

    def _figure(
        self, prepared: Prepared | None, level: float, x: str, y: str, place: Place | None
    ) -> tuple[str, tuple[float, float] | None]:
        """The map, and where on it the face is that is shown."""
        exploring = self.exploring
        shown = exploring.face_map(x, y)
        photo = exploring.on_map(prepared, level, x, y) if prepared else None
        picked = None
        needs_photo = place and (place.stage or place.edit or place.from_photo)
        if place and (prepared or not needs_photo):
            picked = exploring.where(place, x, y, prepared, level)
        return figures.map_figure(shown, photo, picked), picked

    def _typed_in(self, spot: tuple[float, float] | None) -> Update:
        """A place as the fields show it."""
        if spot is None:
            return {}
        return {self.at.at_x: round(spot[0], 2), self.at.at_y: round(spot[1], 2)}

    def _waiting(self, words: str) -> str:
        return words if self.studio.ready else "Loading the model …"


def _place(told: Any, x: Any, y: Any, axis_x: str, axis_y: str, start: str) -> Place:
    """What was picked, from what the browser says of it."""
    kind, _, rest = str(told or "").partition(":")
    if kind == "seed" and rest.isdigit() and int(rest) < 1_000_000:
        return Place(seed=int(rest))
    if kind == "you" and rest in ("before", "after"):
        return Place(stage=rest)
    if kind == "edit":
        name, _, amount = rest.partition(":")
        return Place(edit=(name, _number(amount)))
    at = (round(_number(x), 3), round(_number(y), 3))
    return Place(at=at, x=axis_x, y=axis_y, from_photo=start == "photo")


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan
