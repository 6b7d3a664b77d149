"""The visitor's face by other codecs, in as many bytes as its .hsc file has."""

from __future__ import annotations

from collections.abc import Iterator

import gradio as gr

from app.components.events import LIVE, Update, friendly
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
        self.view = view = CompareView()
        tab.select(
            friendly(self.compare_codecs, view.note),
            self.page.face.current,
            [view.note, view.cards],
            **COMPARING,
        )

    def add_endpoint(self) -> None:
        api.add(self.studio)

    def compare_codecs(self, current: CurrentFace | None) -> Iterator[Update]:
        """Show our picture at once, and each codec's as they come."""
        view = self.view
        if current is None:
            yield {view.note: note(NO_FACE), view.cards: ""}
            return
        baselines, measures = self.studio.baselines, self.studio.measures
        crop, budget = current.result.crop, len(current.file)
        results = {result.name: result for result in baselines.empty()}
        ours = None

        def update(doing: str) -> Update:
            cards = html.cards(current, ours, results.values())
            return {view.note: note(doing, busy=True), view.cards: cards}

        yield update("Measuring ours …")
        ours = measures.measure(crop, current.picture)
        yield update("Coding with the first of the others …")
        for result in baselines.steps(crop, budget):
            results[result.name] = result
            if not result.missing:
                yield update(f"{result.label} is done, the next follows …")
        yield update("")
