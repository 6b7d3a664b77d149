"""Same bytes, other codecs: what the bytes of this file buy elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

import gradio as gr

from app.components.events import LIVE, friendly
from app.components.html import note
from app.results import CurrentFace
from app.tabs.base import Tab
from app.tabs.compare import api, html
from app.tabs.compare.view import NO_FACE, CompareView

# Coding pictures takes the processor, not the model: nobody's picture waits for it.
COMPARING = LIVE | {"concurrency_id": "compare"}


class CompareTab(Tab):
    """Opening the tab compares what Compress shows."""

    name = "compare"
    title = "Compare"

    def build(self, tab: gr.Tab) -> None:
        view = CompareView()
        tab.select(
            friendly(self.compare_codecs),
            self.page.face.current,
            [view.note, view.cards],
            **COMPARING,
        )

    def add_endpoint(self) -> None:
        api.add(self.studio)

    def compare_codecs(self, current: CurrentFace | None) -> Iterator[tuple[str, str]]:
        """Show our picture at once, and each codec's as they come."""
        if current is None:
            yield note(NO_FACE), ""
            return
        baselines, measures = self.studio.baselines, self.studio.measures
        crop, budget = current.result.crop, len(current.file)
        results = {result.name: result for result in baselines.empty()}
        yield note("Measuring ours …", busy=True), html.cards(current, None, results.values())
        ours = measures.measure(crop, current.picture)
        yield (
            note("Coding with the first of the others …", busy=True),
            html.cards(current, ours, results.values()),
        )
        for result in baselines.steps(crop, budget):
            results[result.name] = result
            if not result.missing:
                yield (
                    note(f"{result.label} is done, the next follows …", busy=True),
                    html.cards(current, ours, results.values()),
                )
        yield "", html.cards(current, ours, results.values())
