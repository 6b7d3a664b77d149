"""Charts that can be clicked: plotly.js from the installed package, served by this page itself."""

from __future__ import annotations

import gzip
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from app.services.portraits import SHEET

SCRIPT = Path(__file__).with_suffix(".js")
LIBRARY, PORTRAITS = "page/plotly.min.js", "page/portraits.webp"
DAY = 86_400  # seconds


def chart(label: str, elem_id: str, height: int, *, anywhere: bool = False) -> gr.HTML:
    """A chart whose value is a figure as JSON, as in `app.tabs.explore.figures`.

    Its event `pick` says which point was clicked: ``{"x", "y", "id"}``, the id being the point's
    customdata, or None for a place without a point.

    Args:
        label: what it shows, for those who cannot see it.
        anywhere: whether places without a point can be picked too.
    """
    return gr.HTML(
        None,
        html_template=(
            f'<div class="chart" role="group" aria-label="{label}" style="height:{height}px"></div>'
        ),
        js_on_load=f"const ANYWHERE = {str(anywhere).lower()};\n{SCRIPT.read_text('utf-8')}",
        head=f'<script src="{LIBRARY}"></script>',
        elem_id=elem_id,
        elem_classes=["chart-box"],
    )


def picked(event: gr.EventData) -> dict[str, Any]:
    """What a `pick` says: see `chart`."""
    return event._data or {}  # the event is the chart's own, so Gradio has no class for it


def routes() -> list[Route]:
    """What the page must serve for its charts."""
    return [Route(f"/{LIBRARY}", _library), Route(f"/{PORTRAITS}", _portraits)]


def _portraits(request: Request) -> Response:
    return FileResponse(SHEET, headers={"cache-control": f"public, max-age={DAY}"})


def _library(request: Request) -> Response:
    headers = {"cache-control": f"public, max-age={DAY}", "vary": "accept-encoding"}
    data = _packed()
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
    else:
        data = gzip.decompress(data)
    return Response(data, media_type="text/javascript", headers=headers)


@cache
def _packed() -> bytes:
    # found, not imported: only one file of the package is needed
    package = find_spec("plotly")
    assert package and package.origin
    return gzip.compress(
        (Path(package.origin).parent / "package_data" / "plotly.min.js").read_bytes(), 6
    )
