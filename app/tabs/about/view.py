"""Where things are on the About tab."""

from __future__ import annotations

from html import escape

import gradio as gr

from app.texts import drawing, text


class AboutView:
    """The tab's components, as attributes; create it inside a `gr.Tab`."""

    def __init__(self) -> None:
        with gr.Column(elem_id="about"):
            gr.HTML(f"<h2>How it works</h2>{diagram()}", elem_id="how")
            with gr.Row(elem_id="about-columns"):
                with gr.Column(min_width=300):
                    gr.Markdown(text("about_how"))
                    gr.Markdown(text("about_limits"))
                with gr.Column(min_width=300):
                    gr.Markdown(text("about_privacy"))
                    gr.Markdown(text("about_sources"))
                    gr.HTML(f'<pre class="cite" tabindex="0">{escape(text("citation"))}</pre>')
            self.running = gr.HTML(elem_id="running")


def diagram() -> str:
    """How the codec works: both drawings; the style sheet shows the one that fits."""
    return drawing("wide") + drawing("tall")
