"""Where things are in the room for clips."""

from __future__ import annotations

from typing import Any

import gradio as gr

from app.components.edit_sliders import EditSliders
from app.services.moving import RATES
from app.tabs.explore.chart import chart
from app.tabs.video.html import EMPTY
from app.texts import text

PREVIEW, FULL = "256 px, fast", "1024 px"
LEVEL, OTHER = "Level", "Other"
KBITS = (6, 12, 24)
"""Rates in kbit/s that are offered; `OTHER` is one that the visitor types."""


class ClipInput(gr.Video):
    """A video input that hands over the path of the file as it came: FFmpeg reads any of them."""

    is_template = True

    def preprocess(self, payload: Any) -> str | None:
        if payload is None:
            return None
        file = getattr(payload, "video", payload)
        if not file.path:
            raise ValueError("Expected an uploaded file.")
        return str(file.path)


class VideoView:
    """The room's components, as attributes; create it inside a `gr.Tab`."""

    def __init__(self) -> None:
        self.coded = gr.State(None, time_to_live=3600)  # `CodedClip`, or None
        with gr.Row(elem_id="video", elem_classes=["room"]):
            with gr.Column(elem_id="video-results", elem_classes=["room-viewer"]):
                self._results()
            with gr.Column(elem_id="video-controls", elem_classes=["room-panel"]):
                self._controls()

    def _controls(self) -> None:
        gr.Markdown(text("video"), elem_id="video-text")
        self.clip = ClipInput(
            label="Clip",
            sources=["upload", "webcam"],
            height=290,
            webcam_options=gr.WebcamOptions(mirror=False),
            buttons=[],
            elem_id="video-clip",
        )
        # no list of file types: phones grey out endings that they do not know
        self.file = gr.UploadButton(
            "Open a .hsv file", size="sm", type="binary", elem_id="video-file"
        )
        self.note = gr.HTML(elem_id="video-note", elem_classes=["note-box"])
        self.bitrate = gr.Radio(
            [LEVEL, *map(str, KBITS), OTHER],
            value=LEVEL,
            label="By level, or rate in kbit/s",
            info="A level sets the quality, a rate the bytes. A rate takes longer to encode.",
            elem_id="video-bitrate",
            elem_classes=["segmented"],
        )
        self.level = gr.Slider(
            1, 6, value=2, step=0.5, label="Bitrate level", buttons=["reset"], elem_id="video-level"
        )
        self.kbits = gr.Number(
            16,
            label="Rate in kbit/s, at least 2",
            step=1,
            visible=False,
            elem_id="video-kbits",
        )
        self.rate = gr.Radio(
            [(str(rate), rate) for rate in RATES],
            value=10,
            label="Coded frames a second",
            info="Up to 30 a second are shown; a blink between two coded frames is missed.",
            elem_id="video-rate",
            elem_classes=["segmented"],
        )
        self.size = gr.Radio(
            [PREVIEW, FULL],
            value=PREVIEW,
            label="Draw at",
            elem_id="video-size",
            elem_classes=["segmented"],
        )
        with gr.Row():
            self.start = gr.Button("Encode", variant="primary", elem_id="video-start")
            self.stop = gr.Button("Stop", elem_id="video-stop", interactive=False, min_width=80)
        with gr.Accordion("Edit the whole clip", open=False, elem_id="video-editing"):
            self.sliders = EditSliders("video-edit")
            with gr.Row():
                self.apply = gr.Button("Draw with these edits", size="sm", elem_id="video-apply")
                self.reset = gr.Button("Reset", size="sm", elem_id="video-reset")
        gr.Markdown(text("caveat"), elem_classes=["caveat"])

    def _results(self) -> None:
        self.player = gr.HTML(EMPTY, elem_id="video-player", apply_default_css=False)
        with gr.Row(elem_id="video-save"):
            self.save_file = self._download("Download .hsv", "file", primary=True)
            self.save_mp4 = self._download("Face (MP4)", "mp4")
            self.save_pair = self._download("Side by side (MP4)", "pair")
            self.save_gif = self._download("GIF", "gif")
        self.facts = gr.HTML(elem_id="video-facts")
        with gr.Column(visible=False, elem_id="video-bits") as self.bits:
            self.chart = chart("Bits of each coded frame", "video-chart", 220)

    @staticmethod
    def _download(label: str, name: str, primary: bool = False) -> gr.DownloadButton:
        return gr.DownloadButton(
            label,
            variant="primary" if primary else "secondary",
            size="md",
            visible=False,
            elem_id=f"video-save-{name}",
        )
