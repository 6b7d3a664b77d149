"""The page: its head, its tabs and their endpoints, and how it is launched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from app import monitoring, receiver, viewer
from app.components.events import QUICK, Update
from app.components.visitor_face import VisitorFace
from app.gradio_overrides import StudioBlocks
from app.services.examples import FOLDER
from app.studio import Studio
from app.tabs import TABS
from app.tabs.base import PageContext
from app.theme import theme
from hsc.errors import HscError

STATIC = Path(__file__).with_name("static")
TITLE = "HSC Studio"
TAGLINE = "Hierarchical semantic compression of faces"
# Every 600 s Gradio deletes uploaded and decoded faces older than 2940 s, so within an hour.
# app.cleanup deletes those that Gradio does not know of.
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
        "app_kwargs": {
            "routes": [
                *monitoring.routes(),
                *receiver.routes(),
                *(r for tab in TABS for r in tab.routes()),
            ]
        },
    }


def css() -> str:
    """The style sheets that the tabs share, then each tab's own."""
    shared = [_static("base.css"), _static("components.css"), viewer.style()]
    return "\n".join([*shared, *(tab.asset("style.css") for tab in TABS)])


def head() -> str:
    """The page's and the tabs' scripts, and the style of the stage mode."""
    shared = [_static("page.js"), _static("keep.js"), viewer.script()]
    scripts = [*shared, *(tab.asset("script.js") for tab in TABS)]
    return f"<style>{_static('stage.css')}</style>" + "".join(
        f"<script>{script}</script>" for script in scripts if script
    )


def build(studio: Studio) -> gr.Blocks:
    """The page over a studio. The studio may still be loading its model."""
    gr.set_static_paths([FOLDER])  # examples are served from where they lie, not from copies
    with StudioBlocks(title=TITLE, analytics_enabled=False, delete_cache=DELETE) as page:
        with gr.Row(elem_id="masthead"):
            gr.HTML(f"<h1>{TITLE}</h1><p>{TAGLINE}</p>")
            state = gr.HTML(_state("Loading the model …", "loading"), elem_id="state")
        face = VisitorFace()  # not in the row of tabs, which numbers whatever is in it
        with gr.Tabs(elem_id="tabs") as row:
            context = PageContext(page, row, face)
            tabs = [tab(studio, context) for tab in TABS]
            for tab in tabs:
                with gr.Tab(tab.title, id=tab.name) as container:
                    tab.build(container)
        for tab in tabs:
            with gr.Column(visible=False):
                tab.add_endpoint()

        def when_loaded() -> Iterator[Update]:
            """Say what is happening, and fit the tabs to the codec once it is there."""
            if not studio.ready:
                yield {state: _state("Loading the model …", "loading")}
            try:
                codec = studio.codec
            except HscError as error:
                yield {state: _state(str(error), "failed")}
                return
            updates: Update = {state: _state(f"Ready · {codec.device}", "ready")}
            for tab in tabs:
                updates |= tab.fit(codec)
            yield updates

        page.load(
            when_loaded,
            None,
            [state, *(component for tab in tabs for component in tab.fitted)],
            **QUICK | {"queue": True, "concurrency_limit": None},
        )
    page.queue(max_size=32, default_concurrency_limit=1)
    return monitoring.monitored(page, studio)


def _static(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


def _state(words: str, kind: str) -> str:
    return f'<p class="state {kind}" role="status">{words}</p>'
