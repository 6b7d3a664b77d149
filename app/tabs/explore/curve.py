"""The rate-distortion curve of a photo, measured and drawn level by level."""

from __future__ import annotations

import time
from collections.abc import Iterator

import gradio as gr

from app.components.events import LIVE, MODEL_EVENT, QUICK, Update, friendly
from app.components.html import busy_note, note
from app.components.photo_picker import prepare_face_or_centre
from app.files import keep_picture
from app.services.rd_curve import METRICS, Curve, CurvePoint
from app.studio import Studio
from app.tabs.explore import chart, figures, html
from app.tabs.explore.view import ExploreView

LATE_UPDATES = 0.5
"""Seconds in which updates that a stopped measurement had sent still arrive."""
METRIC_BY_KEY = {metric.key: metric for metric in METRICS}


class CurveOfPhoto:
    """Handlers and wiring of the curve."""

    def __init__(self, studio: Studio, view: ExploreView) -> None:
        self.studio, self.view = studio, view

    def wire(self) -> None:
        view = self.view
        photo = view.picker.photo
        outputs = [
            view.measured,
            view.curve_chart,
            view.progress,
            view.point_choice,
            view.stop,
            view.point_picture,
        ]
        running = view.measure.click(
            friendly(self.measure, view.progress),
            [photo, view.metric, view.others],
            outputs,
            **MODEL_EVENT,
        )
        view.stop.click(
            lambda: (note("Stopping …", busy=True), gr.Button(visible=False)),
            None,
            [view.progress, view.stop],
            cancels=[running],
            **QUICK,
        ).then(self.stopped, None, view.progress, **QUICK)
        view.metric.input(
            friendly(self.choose_metric), [view.measured, view.metric], [view.curve_chart], **QUICK
        )
        view.curve_chart.pick(
            friendly(self.pick_point),
            [view.measured],
            [view.point_picture, view.point_choice],
            **LIVE,
        )
        view.point_choice.input(
            friendly(self.show_point),
            [view.measured, view.point_choice],
            [view.point_picture],
            **LIVE,
        )
        photo.change(self.forget, None, outputs, **QUICK)

    def measure(self, photo: str | None, metric: str, others: bool) -> Iterator[Update]:
        """Measure the photo at every level, and draw the curve as it grows."""
        view = self.view
        if not photo:
            raise gr.Error("Choose a photo first, or use the example.", duration=8)
        yield {
            view.progress: busy_note(self.studio, "Finding the face …"),
            view.stop: gr.Button("Stop", visible=True),
        }
        try:
            prepared, _ = prepare_face_or_centre(self.studio, photo)
            for curve in self.studio.rd_curve.steps(prepared, others):
                choices = [(_label(point), i) for i, point in enumerate(curve.points)]
                yield {
                    view.measured: curve,
                    view.curve_chart: figures.curve_figure(curve, METRIC_BY_KEY[metric]),
                    view.progress: html.progress(curve),
                    view.point_choice: gr.Dropdown(choices, value=None, visible=bool(choices)),
                }
        except Exception:
            yield {view.stop: gr.Button(visible=False), view.progress: ""}
            raise
        yield {view.stop: gr.Button(visible=False)}

    def stopped(self) -> str:
        """The note after Stop, when updates that were on their way have arrived."""
        time.sleep(LATE_UPDATES)
        return note("Stopped. What is measured stays.")

    def choose_metric(self, curve: Curve | None, metric: str) -> Update:
        """Another figure of merit."""
        if curve is None:
            return {}
        return {self.view.curve_chart: figures.curve_figure(curve, METRIC_BY_KEY[metric])}

    def pick_point(self, curve: Curve | None, event: gr.EventData) -> Update:
        """A point of the curve was clicked."""
        index = chart.picked(event).get("id")
        return self.show_point(curve, index) | {self.view.point_choice: index}

    def show_point(self, curve: Curve | None, index: int | None) -> Update:
        """The picture of a point."""
        if curve is None or not isinstance(index, int) or not 0 <= index < len(curve.points):
            return {}
        point = curve.points[index]
        path = keep_picture(self.studio.rd_curve.picture(point), "point.png")
        return {self.view.point_picture: gr.Image(value=path, label=_label(point))}

    def forget(self) -> Update:
        """Clear the curve of the last photo."""
        view = self.view
        return {
            view.measured: None,
            view.curve_chart: None,
            view.progress: "",
            view.point_choice: gr.Dropdown([], value=None, visible=False),
            view.point_picture: gr.Image(value=None, label="Click a point to see its picture"),
        }


def _label(point: CurvePoint) -> str:
    return f"{point.name}, {point.bytes:,} bytes"
