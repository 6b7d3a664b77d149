"""Where the parts of the Lab are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import gradio as gr


class LabView:
    """The row of parts; create it inside a `gr.Tab`."""

    def __init__(self) -> None:
        self.open = gr.State("")  # name of the part that shows
        self.row = gr.Tabs(elem_id="lab-parts", elem_classes=["parts"])

    def parts(self, titles: Sequence[tuple[str, str]]) -> Iterator[tuple[gr.Tab, gr.State]]:
        """One tab after the other to be filled, each with a count of how often it was opened.

        Args:
            titles: name and title of each.
        """
        with self.row:
            for name, title in titles:
                with gr.Tab(title, id=name) as tab:
                    yield tab, gr.State(0)
