"""How it works, what it must not be used for, and what is running here."""

from __future__ import annotations

from typing import Any

import gradio as gr

from app.charts import table
from app.components import Tab
from app.service import Studio
from app.texts import text


class AboutTab(Tab):
    """Layout only; create it inside a `gr.Tab`."""

    def __init__(self, studio: Studio) -> None:
        with gr.Column(elem_id="about"):
            self.running = gr.HTML(elem_id="running")
            gr.Markdown(text("about"))
        self.fitted = (self.running,)

    def fit(self, codec: Any) -> dict[Any, Any]:
        """The model and the device in use, as a table."""
        rows = (
            ("Model", f"{codec.model_name} (id {codec.model_id:#06x})"),
            ("Weights", "from the folder assets/weights"),
            ("Runs on", codec.device),
            ("Drawn in", codec.backend),
        )
        return {self.running: table("In use here", rows)}
