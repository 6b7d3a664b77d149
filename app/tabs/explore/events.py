"""The latent space as a map, and where the bits of a photo went."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import gradio as gr
from gradio.blocks import Block
from starlette.routing import Route

from app.components.events import LIVE, MODEL_EVENT, Update, friendly
from app.components.html import busy_note, note
from app.components.photo_picker import prepare_face_or_centre
from app.files import keep_picture
from app.results import Prepared
from app.services.exploring import Place
from app.tabs.base import Opens, Tab
from app.tabs.explore import api, chart, figures, html
from app.tabs.explore.curve import CurveOfPhoto
from app.tabs.explore.view import ExploreView

FIRST_FACE = Place(seed=0)


class ExploreTab(Tab):
    """Handlers and wiring of the map and of the bits; the curve's are in `CurveOfPhoto`."""

    name = "explore"
    title = "Explore"
    endpoints = ("explore",)

    def build(self, tab: Opens) -> None:
        self.view = view = ExploreView(self.studio.rd_curve.metrics)
        picker = view.picker
        followed = picker.follow_level(tab, self.page.face)
        picker.follow(tab, self.page.face)
        axes: list[Block] = [view.x, view.y]
        photo: list[Block] = [picker.photo, picker.level]
        request = [*photo, *axes, view.place]
        face_map = [picker.note, view.map, view.at_x, view.at_y]
        bits = [
            view.bits, view.bits_words, view.styles_chart, view.heat_map, view.start,
            view.described,
        ]  # fmt: skip
        face = [*face_map, view.face, view.place]

        # an event of its own: the page may miss the first of a generator's quick updates
        tab.select(friendly(self.name_axes), axes, axes, **MODEL_EVENT)
        tab.select(friendly(self.open, picker.note), request, face, **MODEL_EVENT)
        gr.on(
            [picker.photo.change, picker.level.release, picker.level.input],
            friendly(self.about_photo, picker.note),
            request,
            [*face_map, *bits],
            **LIVE,
        )
        followed.then(
            friendly(self.about_level, picker.note),
            [view.described, *request],
            [*face_map, *bits],
            **LIVE,
        )
        gr.on(
            [view.x.input, view.y.input],
            friendly(self.draw_map, picker.note),
            request,
            face_map,
            **LIVE,
        )
        chosen = [*photo, *axes, view.start]
        view.map.pick(friendly(self.pick, picker.note), chosen, face, **LIVE)
        gr.on(
            [view.go.click, view.at_x.submit, view.at_y.submit],
            friendly(self.go_to_typed, picker.note),
            [*chosen, view.at_x, view.at_y],
            face,
            **LIVE,
        )
        CurveOfPhoto(self.studio, view).wire()

    def add_endpoint(self) -> None:
        api.add(self.studio)

    @classmethod
    def routes(cls) -> list[Route]:
        return chart.routes()

    def name_axes(self, x: str, y: str) -> Update:
        """All axes, named after what the generator does along them."""
        names = [(axis.label, axis.name) for axis in self.studio.explorer.axes()]
        return {
            self.view.x: gr.Dropdown(choices=names, value=x),
            self.view.y: gr.Dropdown(choices=names, value=y),
        }

    def open(
        self, photo: str | None, level: float, x: str, y: str, place: Place | None
    ) -> Iterator[Update]:
        """The tab was opened: draw the map, and a first face."""
        if place is not None:
            return
        yield {self.view.picker.note: busy_note(self.studio, "Drawing the map …")}
        yield from self.draw_map(photo, level, x, y, FIRST_FACE)
        yield from self._draw_face(FIRST_FACE, None, level, x, y)

    def draw_map(
        self, photo: str | None, level: float, x: str, y: str, place: Place | None
    ) -> Iterator[Update]:
        """The map on two axes."""
        view = self.view
        if photo:
            yield {view.picker.note: busy_note(self.studio, "Finding the photo …")}
        prepared, warning = self._prepare(photo)
        figure, at = self._figure(prepared, level, x, y, place)
        yield {
            view.map: figure,
            view.picker.note: note(warning, warn=True),
            **self._coordinates(at),
        }

    def about_photo(
        self, photo: str | None, level: float, x: str, y: str, place: Place | None
    ) -> Iterator[Update]:
        """Another photo or level: where it lies, and where its bits went."""
        view = self.view
        yield {view.start: gr.Radio(value="photo" if photo else "mean")}
        yield from self.draw_map(photo, level, x, y, place)
        if not photo:
            yield {view.bits: gr.Column(visible=False)}
            return
        yield {view.picker.note: note("Counting the bits …", busy=True)}
        prepared, warning = prepare_face_or_centre(self.studio, photo)
        data = self.studio.compression.file(prepared, level)
        allocation = self.studio.bit_allocation.of(data)
        heat_map = self.studio.bit_allocation.heat_map(data)
        yield {
            view.bits: gr.Column(visible=True),
            view.bits_words: html.bits_in_words(allocation, len(data)),
            view.styles_chart: figures.styles_figure(allocation),
            view.heat_map: keep_picture(heat_map, "bits.png"),
            view.described: (photo, level),
            view.picker.note: note(warning, warn=True),
        }

    def about_level(
        self, described: tuple[str, float] | None, photo: str | None, level: float, *place: Any
    ) -> Iterator[Update]:
        """The part was opened: as `about_photo`, where the level is another than it was."""
        if described and photo and described != (photo, level):
            yield from self.about_photo(photo, level, *place)

    def pick(
        self, photo: str | None, level: float, x: str, y: str, start: str, event: gr.EventData
    ) -> Iterator[Update]:
        """A point of the map was clicked, or a place without one."""
        picked = chart.picked(event)
        place = parse_place(picked.get("id"), picked.get("x"), picked.get("y"), x, y, start)
        yield from self._go_to(place, photo, level, x, y)

    def go_to_typed(
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
        place = parse_place(None, at_x or 0, at_y or 0, x, y, start)
        yield from self._go_to(place, photo, level, x, y)

    def _go_to(
        self, place: Place, photo: str | None, level: float, x: str, y: str
    ) -> Iterator[Update]:
        view = self.view
        yield {view.picker.note: busy_note(self.studio, "Drawing this face …")}
        prepared, warning = self._prepare(photo)
        if prepared is None and place.from_photo:
            place = Place(at=place.at, x=x, y=y)
        yield from self._draw_face(place, prepared, level, x, y)
        yield {
            view.map: self._figure(prepared, level, x, y, place)[0],
            view.picker.note: note(warning, warn=True),
        }

    def _prepare(self, photo: str | None) -> tuple[Prepared | None, str]:
        return prepare_face_or_centre(self.studio, photo) if photo else (None, "")

    def _draw_face(
        self, place: Place, prepared: Prepared | None, level: float, x: str, y: str
    ) -> Iterator[Update]:
        """A face as a quick preview, then at full size."""
        view, explorer = self.view, self.studio.explorer
        at = explorer.where(place, x, y, prepared, level)
        update = self._coordinates(at) | {view.place: place}
        label = self._label(place)
        if not explorer.is_cached(place, prepared, level):
            small = explorer.face(place, prepared, level, small=True)
            yield update | {
                view.face: gr.Image(value=keep_picture(small, "preview.png"), label=label)
            }
        face = explorer.face(place, prepared, level)
        yield update | {view.face: gr.Image(value=keep_picture(face, "face.png"), label=label)}

    def _label(self, place: Place) -> str:
        if place.seed is not None:
            return f"Generated face {place.seed}: nobody"
        if place.edit:
            name, amount = place.edit
            edits = {edit.name: edit.label for edit in self.studio.codec.edit_names}
            return f"What SCN keeps of your photo, {edits.get(name, name)} {amount:+g}"
        if place.stage == "before":
            return "Your photo in the generator's words"
        if place.stage:
            return "What SCN keeps of your photo"
        return "The face at this place" + (", from your photo" if place.from_photo else "")

    def _figure(
        self, prepared: Prepared | None, level: float, x: str, y: str, place: Place | None
    ) -> tuple[str, tuple[float, float] | None]:
        """The map, and the place of the shown face on it."""
        explorer, at = self.studio.explorer, None
        photo = explorer.on_map(prepared, level, x, y) if prepared else None
        needs_photo = place and (place.stage or place.edit or place.from_photo)
        if place and (prepared or not needs_photo):
            at = explorer.where(place, x, y, prepared, level)
        return figures.map_figure(explorer.face_map(x, y), photo, at), at

    def _coordinates(self, at: tuple[float, float] | None) -> Update:
        """A place as the fields show it."""
        if at is None:
            return {}
        return {self.view.at_x: round(at[0], 2), self.view.at_y: round(at[1], 2)}


def parse_place(point: Any, x: Any, y: Any, axis_x: str, axis_y: str, start: str) -> Place:
    """What was picked, from what the browser says of it.

    Args:
        point: the id of a point of the map: "seed:3", "you:before", "edit:age:10"; else None.
        x, y: the place, where no point was picked.
        axis_x, axis_y: names of the map's axes.
        start: "photo" or "mean", where the way to an empty place begins.
    """
    kind, _, rest = str(point or "").partition(":")
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
