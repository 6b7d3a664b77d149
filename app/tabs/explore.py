"""The latent space as a map, where the bits of a photo went, and its rate-distortion curve."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import gradio as gr

from app import charts, figures
from app.components import LIVE, MODEL_EVENT, QUICK, Tab, friendly
from app.explore_views import bits_words, progress
from app.files import keep_picture
from app.results import Prepared
from app.services.exploring import Place
from app.services.shared import Shared
from app.services.sweeping import METRICS, Curve
from app.tabs.explore_layout import ExploreLayout

Update = dict[Any, Any]
FIRST = Place(seed=0)


class ExploreTab(Tab):
    """Layout and events; create it inside a `gr.Tab`.

    Args:
        tab: the `gr.Tab` that it is in.
        first: the first tab, whose photo is taken over.
    """

    def __init__(self, shared: Shared, tab: gr.Tab, first: Any) -> None:
        self.studio = studio = shared.studio
        self.exploring = shared.exploring
        self.spending = shared.spending
        self.sweeping = shared.sweeping
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

        plotted = [at.measured, at.curve, at.progress, at.which, at.stop, at.point]
        running = at.sweep.click(
            friendly(self.measure), [subject.photo, at.metric, at.others], plotted, **MODEL_EVENT
        )
        at.stop.click(
            lambda: (charts.note("Stopped. What is measured stays."), gr.Button(visible=False)),
            None, [at.progress, at.stop], cancels=[running], **QUICK,
        )  # fmt: skip
        at.metric.input(friendly(self.plot), [at.measured, at.metric], [at.curve], **QUICK)
        chosen = [at.point, at.which]
        at.curve.pick(friendly(self.pick_point), [at.measured], chosen, **LIVE)
        at.which.input(friendly(self.show_point), [at.measured, at.which], [at.point], **LIVE)
        subject.photo.change(self.forget_curve, None, plotted, **QUICK)

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
            data, _ = self.studio.compressing.file(prepared, round(float(level), 2))
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
        if not exploring.remembers(place, prepared, level):
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

    def measure(
        self, photo: str | None, metric: str, others: bool
    ) -> Iterator[Update]:
        """Measure the photo at every level, and draw the curve as it grows."""
        at = self.at
        if not photo:
            raise gr.Error("Choose a photo first, or use the example.", duration=8)
        yield {
            at.progress: charts.note(self._waiting("Finding the face …"), busy=True),
            at.stop: gr.Button("Stop", visible=True),
        }
        try:
            prepared, _ = at.subject.prepare(photo)
            for curve in self.sweeping.steps(prepared, others):
                yield {
                    at.measured: curve,
                    at.curve: figures.curve_figure(curve, _metric(metric)),
                    at.progress: progress(curve),
                    at.which: gr.Dropdown(
                        [(f"{p.name}, {p.bytes:,} bytes", i) for i, p in enumerate(curve.points)],
                        value=None, visible=bool(curve.points),
                    ),
                }  # fmt: skip
        except Exception:
            yield {at.stop: gr.Button(visible=False), at.progress: ""}
            raise
        yield {at.stop: gr.Button(visible=False)}

    def plot(self, curve: Curve | None, metric: str) -> Update:
        """Another figure of merit."""
        if curve is None:
            return {}
        return {self.at.curve: figures.curve_figure(curve, _metric(metric))}

    def pick_point(self, curve: Curve | None, event: gr.EventData) -> Update:
        """A point of the curve was clicked."""
        index = (event._data or {}).get("id")
        return self.show_point(curve, index) | {self.at.which: index}

    def show_point(self, curve: Curve | None, index: int | None) -> Update:
        """The picture of a point."""
        if curve is None or not isinstance(index, int) or not 0 <= index < len(curve.points):
            return {}
        point = curve.points[index]
        return {
            self.at.point: gr.Image(
                value=keep_picture(self.sweeping.picture(point), "point.png"),
                label=f"{point.name}, {point.bytes:,} bytes",
            )
        }

    def forget_curve(self) -> Update:
        """The curve belongs to the photo that is gone."""
        at = self.at
        return {
            at.measured: None,
            at.curve: None,
            at.progress: "",
            at.which: gr.Dropdown([], value=None, visible=False),
            at.point: gr.Image(value=None, label="Click a point to see its picture"),
        }

    def _waiting(self, words: str) -> str:
        return words if self.studio.ready else "Loading the model …"


def _metric(key: str) -> Any:
    return next(metric for metric in METRICS if metric.key == key)


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
