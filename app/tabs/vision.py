"""Does the machine still see the same person? The original, our picture and AVIF side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from app.components import LIVE, Tab, friendly, picture
from app.files import keep_picture
from app.services.vision import View
from app.studio import Studio
from app.tabs.subject import Subject
from app.texts import text
from app.views import charts
from app.views.vision import card, summary

Update = dict[Any, Any]
NAMES = ("original", "decoded", "avif")
LABELS = {"original": "Original", "decoded": "HSC", "avif": "AVIF, as many bytes"}


class VisionTab(Tab):
    """Layout and events; create it inside a `gr.Tab`.

    Args:
        tab: the `gr.Tab` that it is in.
        first: the first tab, whose photo is taken over.
    """

    def __init__(self, studio: Studio, tab: gr.Tab, first: Any) -> None:
        self.studio = studio
        self.seeing = studio.vision
        with gr.Row(elem_id="vision"):
            with gr.Column(scale=3, min_width=270, elem_id="vision-controls"):
                gr.Markdown(text("vision"))
                self.subject = Subject(studio, "vision", level=1)
                self.marks = gr.Checkbox(
                    True, label="Draw what was seen", info="mask, landmarks and box",
                    elem_id="vision-marks",
                )  # fmt: skip
            with gr.Column(scale=8, min_width=320, elem_id="vision-results"):
                self.summary = gr.HTML(elem_id="vision-summary")
                with gr.Row(elem_id="views"):
                    self.pictures, self.cards = [], []
                    for name in NAMES:
                        with gr.Column(min_width=0, elem_classes=["view"]):
                            self.pictures.append(
                                picture(LABELS[name], f"{LABELS[name]}, with what was seen in it",
                                        f"view-{name}")
                            )  # fmt: skip
                            self.cards.append(gr.HTML(elem_id=f"seen-{name}"))
                gr.Markdown(text("vision_caveat"), elem_classes=["caveat"], elem_id="vision-caveat")
        subject = self.subject
        subject.follow(tab, first)
        shown = [subject.note, self.summary, *self.pictures, *self.cards]
        gr.on(
            [subject.photo.change, subject.level.release, subject.level.input],
            friendly(self.look), [subject.photo, subject.level, self.marks], shown, **LIVE,
        )  # fmt: skip
        self.marks.input(
            friendly(self.look), [subject.photo, subject.level, self.marks], shown, **LIVE
        )

    def look(self, photo: str | None, level: float, marks: bool) -> Iterator[Update]:
        """Show each picture with its read-outs as it comes."""
        subject = self.subject
        if not photo:
            yield {subject.note: ""}
            return
        steps = ("Looking at the original …", "Compressing and looking …", "Fitting an AVIF …")
        yield {subject.note: charts.note(self._waiting(steps[0]), busy=True)}
        try:
            prepared, words = subject.prepare(photo)
            for views in self.seeing.steps(prepared, level):
                update = {
                    subject.note: charts.note(words, warn=True)
                    if len(views) == len(NAMES)
                    else charts.note(self._waiting(steps[len(views)]), busy=True)
                }
                for index, view in enumerate(views):
                    update |= self._shown(index, view, marks)
                if len(views) == len(NAMES):
                    update[self.summary] = summary(views)
                yield update
        except Exception:
            yield {subject.note: ""}
            raise

    def _shown(self, index: int, view: View, marks: bool) -> Update:
        drawn = view.marked if marks else view.picture
        size = f", {view.bytes:,} bytes" if view.bytes is not None else ""
        return {
            self.pictures[index]: gr.Image(
                value=keep_picture(drawn, "seen.png"), label=f"{view.label}{size}"
            ),
            self.cards[index]: card(view),
        }

    def _waiting(self, words: str) -> str:
        return words if self.studio.ready else "Loading the model …"
