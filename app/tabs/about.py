"""How it works, what it must not be used for, whose work it is, and what is running here."""

from __future__ import annotations

from html import escape
from typing import Any

import gradio as gr

from app.components import Tab
from app.studio import Studio
from app.texts import text
from app.views.charts import table
from app.views.diagram import diagram
from app.views.weights import weights_table


class AboutTab(Tab):
    """Layout only; create it inside a `gr.Tab`."""

    def __init__(self, studio: Studio) -> None:
        with gr.Column(elem_id="about"):
            gr.HTML(f"<h2>How it works</h2>{diagram()}", elem_id="how")
            with gr.Row(elem_id="about-columns"):
                with gr.Column(min_width=300):
                    gr.Markdown(text("about_how"))
                    gr.Markdown(text("about_limits"))
                with gr.Column(min_width=300):
                    gr.Markdown(text("about_privacy"))
                    gr.Markdown(text("about_sources"))
                    gr.HTML(f"<pre class=\"cite\" tabindex=\"0\">{escape(text('citation'))}</pre>")
            self.running = gr.HTML(elem_id="running")
        self.fitted = (self.running,)

    def fit(self, codec: Any) -> dict[Any, Any]:
        """Say which model runs here, on what, and with which weights."""
        return {self.running: running(codec)}


def running(codec: Any) -> str:
    """The model, the device and the weights in use, as tables."""
    facts = table(
        "In use here",
        (
            ("Model", f"{codec.model_name} (id {codec.model_id:#06x})"),
            ("Runs on", codec.device),
            ("Drawn in", codec.backend),
            ("Weights", codec.weights),
        ),
    )
    return facts + weights_table()
