"""The page: its head, its tabs and their endpoints, and how it is launched."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware
from starlette.responses import FileResponse
from starlette.routing import Route

from app import monitoring, receiver, social, viewer
from app.components import local_previews
from app.components.events import QUICK, Update
from app.components.visitor_face import VisitorFace
from app.gradio_overrides import StudioBlocks, offer_tools
from app.services.examples import FOLDER
from app.studio import Studio, noun_of
from app.tabs import TABS
from app.tabs.base import PageContext, Tab
from app.theme import FAMILY, theme
from app.words import Words
from hsc.errors import HscError

STATIC = Path(__file__).with_name("static")
TITLE = "HSC Studio"
TYPEFACE = "page/figtree.woff2"
DAY = 86_400  # seconds
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
        "footer_links": [],  # the API's is in the head
        "favicon_path": str(STATIC / "icon.svg"),
        "mcp_server": offer_tools(),
        "app_kwargs": {
            "middleware": [Middleware(social.SocialTags, _static("stalled.js"))],
            "routes": [
                *monitoring.routes(),
                *receiver.routes(),
                *social.routes(),
                *routes(),
            ],
        },
    }


def routes() -> list[Route]:
    """What the page needs beside itself: its typeface, and what its tabs ask for."""
    return [
        Route(f"/{TYPEFACE}", lambda request: _typeface()),
        *(route for tab in TABS for route in tab.routes()),
    ]


def css() -> str:
    """The style sheets that the tabs share, then each tab's own."""
    shared = [_static("base.css"), _static("components.css"), viewer.style()]
    return "\n".join([*shared, *(part.asset("style.css") for part in _parts())])


def head() -> str:
    """The page's and the tabs' scripts, its typeface, and the style of what is around the tabs.

    Gradio applies media queries of `css` to what is inside the tabs only.
    """
    words = Words(noun_of())
    names = (
        "page", "opening", "face", "restart", "keep", "landing", "share", "slow_link", "stage",
    )  # fmt: skip
    shared = [*(_static(f"{name}.js") for name in names), viewer.script(), local_previews.script()]
    scripts = [*shared, *(part.asset("script.js") for part in _parts())]
    face = (
        f'@font-face {{ font-family: "{FAMILY}"; src: url("{TYPEFACE}") '
        'format("woff2"); font-weight: 300 900; font-display: swap; }'
    )
    sheets = ("page.css", "landing.css", "slow_link.css", "share.css", "stage.css")
    style = "".join(map(_static, sheets))
    return (
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="preload" href="{TYPEFACE}" as="font" type="font/woff2" crossorigin>'
        f"<style>{face}{style}</style>"
        + "".join(f"<script>{words.script(script)}</script>" for script in scripts if script)
    )


def _parts() -> Iterator[type[Tab]]:
    for tab in TABS:
        yield from tab.with_parts()


def build(studio: Studio) -> gr.Blocks:
    """The page over a studio. The studio may still be loading its model."""
    gr.set_static_paths([FOLDER])  # examples are served from where they lie, not from copies
    mimetypes.add_type("image/avif", ".avif")  # which Python knows since 3.13
    with StudioBlocks(title=TITLE, analytics_enabled=False, delete_cache=DELETE) as page:
        page.words = Words(studio.noun, studio.of_faces)
        page.live = studio.live
        face = VisitorFace()
        with gr.Row(elem_id="masthead"):
            gr.HTML(_brand(studio), elem_id="brand")
            face.chip_here()
            gr.HTML(_links(), elem_id="head-links", apply_default_css=False)
            state = gr.HTML(_state("Loading the model …", "loading"), elem_id="state")
        face.chooser_here()
        with gr.Tabs(elem_id="tabs") as row:
            context = PageContext(page, row, face)
            shown = [tab for tab in TABS if studio.of_faces or not tab.of_faces]
            tabs = [tab(studio, context) for tab in shown]
            for tab in tabs:
                with gr.Tab(tab.title, id=tab.name) as container:
                    # first, for the listeners of one event run one after the other
                    container.select(lambda name=tab.name: name, None, face.room, **QUICK)
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
            where = f"The model runs on: {codec.device}"
            updates: Update = {state: _state("Ready", "ready", where)}
            for tab in tabs:
                updates |= tab.fit(codec)
            yield updates

        def open_room(request: gr.Request) -> Update:
            """The room, or the part of one, that the address names: `?tab=lab`."""
            name = request.query_params.get("tab", "")
            for tab in tabs:
                if name in (tab.name, *tab.aliases):
                    return {row: gr.Tabs(selected=tab.name), **tab.open_part(name)}
            return {row: gr.skip()}

        page.load(
            open_room, None, [row, *(part for tab in tabs for part in tab.part_rows)], **QUICK
        )
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


def _brand(studio: Studio) -> str:
    """The name, and what another model than the shipped one shows."""
    shows = f"<p>{escape(studio.shows)}</p>" if studio.shows else ""
    return f"<h1>{TITLE}</h1>{shows}"


def _links() -> str:
    """Links to the tabs that are not in the row, and to the API's page, which is Gradio's."""
    rooms = "".join(
        f'<a href="?tab={tab.name}" data-room="{tab.name}">{tab.title}</a>'
        for tab in TABS
        if not tab.in_row
    )
    return f'{rooms}<a href="?view=api">API</a>'


def _typeface() -> FileResponse:
    path = STATIC / "fonts" / "figtree.woff2"
    return FileResponse(
        path, media_type="font/woff2", headers={"cache-control": f"public, max-age={7 * DAY}"}
    )


def _state(words: str, kind: str, more: str = "") -> str:
    title = f' title="{escape(more)}"' if more else ""
    return f'<p class="state {kind}" role="status"{title}>{words}</p>'
