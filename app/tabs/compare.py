"""Same bytes, other codecs: what the bytes of this file buy elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from app.components import LIVE, Tab, friendly
from app.results import CurrentFace
from app.services.baselines import Baselines
from app.texts import text
from app.views import charts, versus

NO_FACE = "Choose a photo on the Compress tab first: the same bytes are compared here."
# Coding pictures takes the processor, not the model: nobody's drawing waits for it.
COMPARING = LIVE | {"concurrency_id": "compare"}


class CompareTab(Tab):
    """Layout and events; create it inside a `gr.Tab`.

    Args:
        tab: the `gr.Tab` that it is in; opening it compares what Compress shows.
        shown: the state that holds what Compress shows.
    """

    def __init__(self, tab: gr.Tab, shown: gr.State, same_bytes: Baselines) -> None:
        self.same_bytes = same_bytes
        gr.Markdown(text("compare"), elem_id="compare-text")
        self.note = gr.HTML(charts.note(NO_FACE), elem_id="compare-note")
        self.cards = gr.HTML(elem_id="versus")
        tab.select(friendly(self.hold_against), shown, [self.note, self.cards], **COMPARING)

    def hold_against(self, shown: CurrentFace | None) -> Iterator[tuple[Any, str]]:
        """Show our picture at once, and each codec's as they come."""
        if shown is None:
            yield charts.note(NO_FACE), ""
            return
        crop, budget = shown.result.crop, len(shown.file)
        rivals = {rival.name: rival for rival in self.same_bytes.empty()}
        ours = None

        def page() -> str:
            return versus.page(shown, ours, rivals.values())

        yield charts.note("Measuring ours …", busy=True), page()
        ours = self.same_bytes.measures.measure(crop, shown.picture)
        yield charts.note("Coding with the first of the others …", busy=True), page()
        for rival in self.same_bytes.steps(crop, budget):
            rivals[rival.name] = rival
            if not rival.missing:
                yield charts.note(f"{rival.label} is done, the next follows …", busy=True), page()
        yield "", page()
