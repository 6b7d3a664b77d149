"""The page: its head, its tabs, its endpoints, and how it is launched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from app.address import face_in
from app.blocks import Page
from app.components import MODEL_EVENT, QUICK, friendly
from app.endpoints import add_endpoints
from app.scripts import head
from app.services.examples import FOLDER
from app.studio import Studio
from app.tabs.about import AboutTab
from app.tabs.compare import CompareTab
from app.tabs.compress import CompressTab
from app.tabs.decode import DecodeTab
from app.tabs.edit import EditTab
from app.tabs.explore import ExploreTab
from app.tabs.vision import VisionTab
from app.theme import css, theme
from app.views import chart
from hsc.errors import HscError

TITLE = "HSC Studio"
TAGLINE = "Hierarchical semantic compression of faces"
# Uploaded and decoded faces are deleted from the disk: looked for every 600 s, after 2940 s, so
# within an hour. app.cleanup takes what Gradio forgets.
DELETE = (600, 2940)
SESSIONS = 256
"""Visitors whom Gradio remembers, each with some half a megabyte; its own limit is 10,000."""


def launch_options() -> dict[str, Any]:
    """What `launch` needs beside the page itself."""
    return {
        "theme": theme(),
        "css": css(),
        "head": head(),
        "ssr_mode": False,
        "run_history": False,
        "max_file_size": "20mb",
        "state_session_capacity": SESSIONS,
        "footer_links": ["api", "settings"],
        "app_kwargs": {"routes": chart.routes()},
    }


def build(studio: Studio) -> gr.Blocks:
    """The page over a studio. The studio may still be loading its model."""
    gr.set_static_paths([FOLDER])  # what ships is shown from where it lies, not from a copy
    with Page(title=TITLE, analytics_enabled=False, delete_cache=DELETE) as page:
        with gr.Row(elem_id="masthead"):
            gr.HTML(f"<h1>{TITLE}</h1><p>{TAGLINE}</p>")
            state = gr.HTML(_state("Loading the model …", "loading"), elem_id="state")
        with gr.Tabs(elem_id="tabs") as rows:
            with gr.Tab("Compress", id="compress"):
                compress = CompressTab(studio, studio.measures)
            with gr.Tab("Compare", id="compare") as tab:
                compare = CompareTab(tab, compress.shown, studio.baselines)
            with gr.Tab("Edit", id="edit") as tab:
                edit = EditTab(studio, tab, compress.shown)
            with gr.Tab("Decode", id="decode"):
                decode = DecodeTab(studio)
            with gr.Tab("Explore", id="explore") as tab:
                explore = ExploreTab(studio, tab, compress)
            with gr.Tab("Vision", id="vision") as tab:
                vision = VisionTab(studio, tab, compress)
            with gr.Tab("About", id="about"):
                about = AboutTab(studio)
        add_endpoints(studio)
        tabs = (compress, compare, edit, decode, explore, vision, about)

        def when_loaded() -> Iterator[dict[Any, Any]]:
            """Say what is happening, and fit the tabs to the codec once it is there."""
            if not studio.ready:
                yield {state: _state("Loading the model …", "loading")}
            try:
                codec = studio.codec
            except HscError as error:
                yield {state: _state(str(error), "failed")}
                return
            updates = {state: _state(f"Ready · {codec.device}", "ready")}
            for tab in tabs:
                updates |= tab.fit(codec)
            yield updates

        def open_face(layers: str, sent: str, request: gr.Request) -> Iterator[dict[Any, Any]]:
            """Somebody scanned a face: show it."""
            if face_in(request.query_params):
                yield {rows: gr.Tabs(selected="decode")}
                yield from decode.from_address(layers, sent, request)

        page.load(
            friendly(open_face),
            [decode.at.layers, decode.at.sent],
            [rows, *decode.arrival],
            **MODEL_EVENT,
        )
        page.load(
            when_loaded,
            None,
            [state, *(component for tab in tabs for component in tab.fitted)],
            **QUICK | {"queue": True, "concurrency_limit": None},
        )
        page.load(
            friendly(compress.from_link),
            None,
            [compress.photo, compress.seed, compress.level, compress.scn, compress.fcn],
            **MODEL_EVENT,
        )
    return page.queue(max_size=32, default_concurrency_limit=1)


def _state(words: str, kind: str) -> str:
    return f'<p class="state {kind}" role="status">{words}</p>'
