"""Where things are on the Explore tab."""

from __future__ import annotations

from collections.abc import Sequence

import gradio as gr

from app.components.images import picture
from app.components.photo_picker import PhotoPicker
from app.services.rd_curve import CurveMetric
from app.tabs.explore.chart import chart
from app.texts import text

AXES = [("Axis 1", "axis1"), ("Axis 2", "axis2")]
STARTS = [("the average face", "mean"), ("your photo", "photo")]


class ExploreView:
    """The tab's components, as attributes; create it inside a `gr.Tab`."""

    def __init__(self, metrics: Sequence[CurveMetric]) -> None:
        self.metrics = metrics
        with gr.Row(elem_id="explore"):
            with gr.Column(scale=3, min_width=270, elem_id="explore-controls"):
                gr.Markdown(text("explore"))
                self.picker = PhotoPicker("explore")
                with gr.Row():
                    self.x = gr.Dropdown(AXES, value="axis1", label="Across", elem_id="axis-x")
                    self.y = gr.Dropdown(AXES, value="axis2", label="Up", elem_id="axis-y")
            with gr.Column(scale=8, min_width=320, elem_id="explore-results"):
                self._map()
                self._bits()
                self._curve()

    def _map(self) -> None:
        with gr.Row(elem_id="map-row"):
            with gr.Column(scale=5, min_width=320):
                self.map = chart(
                    "Map of faces: generated faces as portraits and dots on two axes. "
                    "Type a place below to see the face there.",
                    "face-map", 560, anywhere=True,
                )  # fmt: skip
            with gr.Column(scale=3, min_width=240, elem_id="picked"):
                self.face = picture(
                    "The face at this place",
                    "The face at the chosen place",
                    "picked-face",
                    download=True,
                )
                self.start = gr.Radio(
                    STARTS, value="mean", label="At an empty place, start from", elem_id="start"
                )
                with gr.Row(elem_id="typed"):
                    self.at_x = gr.Number(0, label="Across", min_width=70, elem_id="at-x")
                    self.at_y = gr.Number(0, label="Up", min_width=70, elem_id="at-y")
                    self.go = gr.Button("Show", size="md", min_width=70, elem_id="go")
        self.place = gr.State(None)  # app.services.exploring.Place
        self.described = gr.State(None)  # photo and level whose bits are counted

    def _bits(self) -> None:
        with gr.Column(elem_id="bits", visible=False) as self.bits:
            self.bits_words = gr.HTML(elem_id="bits-words")
            with gr.Row():
                with gr.Column(scale=5, min_width=300):
                    gr.HTML("<h3>SCN, by style of the generator</h3>")
                    self.styles_chart = chart(
                        "Bars: bits of the SCN layer by style, coarse to fine", "style-bits", 280
                    )
                with gr.Column(scale=3, min_width=240):
                    gr.HTML("<h3>FCN, by place in the picture</h3>")
                    self.heat_map = picture(
                        "Bright: many bits, dark: few",
                        "Heat map over the face: where FCN spent its bits",
                        "heat",
                    )

    def _curve(self) -> None:
        with gr.Column(elem_id="curve-box"):
            gr.Markdown(text("curve"))
            with gr.Row(elem_id="curve-controls"):
                self.metric = gr.Dropdown(
                    [(metric.label, metric.key) for metric in self.metrics],
                    value=self.metrics[0].key,
                    label="Measured by",
                    elem_id="curve-metric",
                )
                self.others = gr.Checkbox(
                    True, label="Other codecs too", info="AVIF, WebP and JPEG, each at its best "
                    "size", elem_id="curve-others",
                )  # fmt: skip
                self.measure = gr.Button("Measure this photo", variant="primary", elem_id="sweep")
                self.stop = gr.Button("Stop", elem_id="sweep-stop", visible=False)
            self.progress = gr.HTML(elem_id="curve-progress")
            with gr.Row(elem_id="curve-row"):
                with gr.Column(scale=5, min_width=320):
                    self.curve_chart = chart(
                        "Curve: bytes of the file against the chosen figure", "curve", 420
                    )
                with gr.Column(scale=3, min_width=240):
                    self.point_picture = picture(
                        "Click a point to see its picture", "The picture of the chosen point",
                        "curve-picture",
                    )  # fmt: skip
                    self.point_choice = gr.Dropdown(
                        [], label="Or choose a point", elem_id="curve-which", visible=False
                    )
        self.measured = gr.State(None)  # app.services.rd_curve.Curve
