"""A clip: coded frame by frame, drawn from its file beside the original, edited as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr
from gradio.blocks import Block

from app.components.events import MODEL_EVENT, QUICK, Update, friendly, keep_downloads
from app.components.html import busy_note, note
from app.executor import CancelToken
from app.files import address, keep_bytes
from app.protocols import FaceCodec
from app.results import Edits
from app.services.moving import CodedClip, DrawnClip, Step
from app.studio import Studio
from app.tabs.base import Opens, PageContext, Tab
from app.tabs.live.events import LiveTab
from app.tabs.video import html
from app.tabs.video.view import FULL, LEVEL, OTHER, VideoView
from hsc.errors import HscError

# A queue of its own: other visitors' faces go in between the frames of a clip.
CLIP_EVENT: dict[str, Any] = MODEL_EVENT | {"concurrency_id": "clip"}
# What is asked for while a clip is drawn is drawn after it.
NEWEST: dict[str, Any] = {"trigger_mode": "always_last"}
STOPPED = "Stopped: what was drawn before is still here."


class VideoTab(Tab):
    """Handlers and wiring of the room for clips."""

    name = "video"
    title = "Video"
    of_faces = True
    parts = (LiveTab,)
    aliases = tuple(part.name for part in parts)

    def __init__(self, studio: Studio, page: PageContext) -> None:
        super().__init__(studio, page)
        self.live = LiveTab(studio, page)

    def build(self, tab: Opens) -> None:
        self.row = gr.Tabs(elem_id="video-parts", elem_classes=["parts"])
        with self.row:
            with gr.Tab("Clip", id="clip"):
                self._build_clip()
            with gr.Tab(self.live.title, id=self.live.name) as live:
                self.live.build(live)
        self.fitted = [*self.view.sliders.sliders, *self.live.fitted]

    def _build_clip(self) -> None:
        self.moving = self.studio.moving
        self.view = view = VideoView()
        self.token = gr.State(CancelToken())
        sliders = view.sliders.sliders
        result: list[Block] = [
            view.coded, view.note, view.player, view.facts, view.bits, view.chart, view.start,
            view.stop, view.save_file, view.save_mp4, view.save_pair, view.save_gif,
        ]  # fmt: skip
        saves = [view.save_file, view.save_mp4, view.save_pair, view.save_gif]
        choice = [view.bitrate, view.level, view.kbits]
        drawing = [
            gr.on(
                [view.start.click, view.clip.upload, view.clip.stop_recording],
                friendly(self.encode, view.note, self.ready),
                [view.clip, *choice, view.rate, view.size, self.token, *sliders],
                result,
                **CLIP_EVENT,
            ),
            view.file.upload(
                friendly(self.open_file, view.note, self.ready),
                [view.file, view.size, self.token, *sliders],
                [*result, view.clip],
                **CLIP_EVENT,
            ),
            view.apply.click(
                friendly(self.draw, view.note, self.ready),
                [view.coded, view.size, self.token, *sliders],
                result,
                **CLIP_EVENT | NEWEST,
            ),
            view.size.input(
                friendly(self.draw_at, view.note, self.ready),
                [view.coded, view.size, self.token, *sliders],
                result,
                **CLIP_EVENT | NEWEST,
            ),
        ]
        for event in drawing:
            event.then(self.ready, None, [view.start, view.stop], **QUICK).then(
                **keep_downloads("video", saves)
            )
        view.bitrate.change(self.choose, view.bitrate, [view.level, view.kbits], **QUICK)
        view.stop.click(CancelToken.cancel, self.token, None, **QUICK)
        view.reset.click(view.sliders.reset, None, sliders, **QUICK)

    def fit(self, codec: FaceCodec) -> Update:
        """The codec's own edits."""
        return self.view.sliders.fit(codec) | self.live.fit(codec)

    def open_part(self, name: str) -> Update:
        """The camera, where the address names it."""
        return {self.row: gr.Tabs(selected=name)} if name in self.aliases else {}

    @property
    def part_rows(self) -> Sequence[Block]:
        return (self.row,)

    def choose(self, bitrate: str) -> Update:
        """The level or the rate is to be set, where it is not chosen yet."""
        return {
            self.view.level: gr.Slider(visible=bitrate == LEVEL),
            self.view.kbits: gr.Number(visible=bitrate == OTHER),
        }

    def ready(self) -> Update:
        """Another clip may begin."""
        return {
            self.view.start: gr.Button(interactive=True),
            self.view.stop: gr.Button(interactive=False),
        }

    def encode(
        self,
        path: str | None,
        bitrate: str,
        level: float,
        kbits: float | None,
        rate: float,
        size: str,
        token: CancelToken,
        *values: float,
    ) -> Iterator[Update]:
        """Code a clip, then draw it from its file."""
        view = self.view
        if not path:
            raise HscError("Upload a clip first, or record one.")
        if bitrate == OTHER and kbits is None:
            raise HscError("Type a rate in kbit/s first.")
        asked = None if bitrate == LEVEL else kbits if bitrate == OTHER else float(bitrate)
        stopped = token.watch()
        yield self._working("Reading the clip …")
        coded = None
        for step in self.moving.encode_steps(path, level, rate, stopped, asked):
            if isinstance(step, Step):
                yield {view.note: self._progress("Encoding", step)}
            else:
                coded = step
        if coded is None:
            yield {view.note: note(STOPPED, warn=True)}
            return
        yield self._opened(coded)
        yield from self.draw(coded, size, token, *values)

    def open_file(
        self, data: bytes | None, size: str, token: CancelToken, *values: float
    ) -> Iterator[Update]:
        """A ``.hsv`` file was opened."""
        if data is None:
            return
        coded = self.moving.read(data)
        yield {self.view.clip: None} | self._opened(coded)
        yield from self.draw(coded, size, token, *values)

    def draw(
        self, coded: CodedClip | None, size: str, token: CancelToken, *values: float
    ) -> Iterator[Update]:
        """Draw a file as it is edited."""
        view = self.view
        if coded is None:
            raise HscError("There is no clip to draw: encode one, or open a .hsv file.")
        stopped = token.watch()
        edits = Edits.of(view.sliders.amounts(values))
        yield self._working("Drawing …")
        result: DrawnClip | None = None
        for step in self.moving.draw_steps(coded, edits, size == FULL, stopped):
            if isinstance(step, Step):
                yield {view.note: self._progress("Drawing", step)}
            else:
                result = step
        if result is None:
            yield {view.note: note(STOPPED, warn=True)}
            return
        labels = {edit.name: edit.label for edit in view.sliders.edits}
        edited = ", ".join(f"{labels[name]} {amount:+g}" for name, amount in edits.named)
        pair = keep_bytes(result.beside, "beside.mp4")
        both = coded.source is not None
        yield {
            view.note: "",
            view.player: html.player(address(pair), coded, result.px, both, edited),
            view.save_mp4: gr.DownloadButton(
                value=keep_bytes(result.alone, "face.mp4"), visible=True
            ),
            view.save_pair: gr.DownloadButton(value=pair, visible=both),
            view.save_gif: gr.DownloadButton(
                value=keep_bytes(result.gif, "face.gif"), visible=True
            ),
        }

    def draw_at(
        self, coded: CodedClip | None, size: str, token: CancelToken, *values: float
    ) -> Iterator[Update]:
        """Draw the file at another size, where there is one already."""
        if coded is not None:
            yield from self.draw(coded, size, token, *values)

    def _opened(self, coded: CodedClip) -> Update:
        """What a file says, before it is drawn."""
        view = self.view
        file = keep_bytes(coded.data, "clip.hsv")
        return {
            view.coded: coded,
            view.facts: html.facts(coded),
            view.bits: gr.Column(visible=True),
            view.chart: html.bits_figure(coded),
            view.save_file: gr.DownloadButton(value=file, visible=True),
        }

    def _working(self, words: str) -> Update:
        view = self.view
        return {
            view.note: busy_note(self.studio, words),
            view.start: gr.Button(interactive=False),
            view.stop: gr.Button(interactive=True),
        }

    def _progress(self, doing: str, step: Step) -> str:
        of = f" of {step.total}" if step.total else ""
        return busy_note(self.studio, f"{doing}: {step.done}{of} frames …")
