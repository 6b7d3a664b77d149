"""The named endpoints, one module each: typed, documented, and apart from the page's own events.

They hang on components of their own that are never shown, because an endpoint takes its names and
types from them.
"""

from __future__ import annotations

import gradio as gr

from app.endpoints import compare, compress, decode, edit, explore, vision
from app.studio import Studio

ENDPOINTS = (compress, decode, edit, compare, explore, vision)


def add_endpoints(studio: Studio) -> None:
    """Add every endpoint; call it inside the page's `gr.Blocks`."""
    for endpoint in ENDPOINTS:
        with gr.Column(visible=False):
            endpoint.add(studio)
