"""The rate-distortion curve of a photo, measured and drawn level by level as one watches."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import gradio as gr

from app.components import LIVE, MODEL_EVENT, QUICK, friendly
from app.files import keep_picture
from app.services.rd_curve import METRICS, Curve
from app.studio import Studio
from app.tabs.explore_layout import ExploreLayout
from app.views import charts, figures
from app.views.explore import progress

Update = dict[Any, Any]
STRAGGLERS = 0.5
"""Seconds in which what a stopped measurement had sent still arrives."""


class CurveOf:
    """The events of the curve.

    Args:
        at: the components of the tab that it is on.
    """

    def __init__(self, studio: Studio, at: ExploreLayout) -> None:
        self.studio, self.sweeping, self.at = studio, studio.rd_curve, at
        subject = at.subject
        plotted = [at.measured, at.curve, at.progress, at.which, at.stop, at.point]
        running = at.sweep.click(
            friendly(self.measure), [subject.photo, at.metric, at.others], plotted, **MODEL_EVENT
        )
        at.stop.click(
            lambda: (charts.note("Stopping …", busy=True), gr.Button(visible=False)),
            None, [at.progress, at.stop], cancels=[running], **QUICK,
        ).then(self.stopped, None, at.progress, **QUICK)  # fmt: skip
        at.metric.input(friendly(self.plot), [at.measured, at.metric], [at.curve], **QUICK)
        chosen = [at.point, at.which]
        at.curve.pick(friendly(self.pick_point), [at.measured], chosen, **LIVE)
        at.which.input(friendly(self.show_point), [at.measured, at.which], [at.point], **LIVE)
        subject.photo.change(self.forget_curve, None, plotted, **QUICK)

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

    def stopped(self) -> str:
        """Said once what was on its way when the button was clicked has arrived."""
        time.sleep(STRAGGLERS)
        return charts.note("Stopped. What is measured stays.")

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
