"""The receiver at ``/receive``: static files, whose weights are written when they are first asked.

Nothing of a visitor reaches this: the receiver decodes in the visitor's own browser.
"""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

import anyio.to_thread
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Message, Receive, Scope, Send

from app.address import RECEIVER

ADDRESS = f"/{RECEIVER}"
HEADERS = {
    # a page of its own process may use several threads of WASM
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",  # weights change with the studio: ask whether they did
}


class Receiver:
    """Serves the exported receiver.

    The export takes some seconds of processor time, which a studio that nobody asks for it need
    not spend: it begins with the first visit, and later ones wait for it.

    Args:
        folder: of weights; the shipped ones by default.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._files: StaticFiles | None = None
        self._kept: tempfile.TemporaryDirectory[str] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        files = self._files
        if files is None:
            files = await anyio.to_thread.run_sync(self._export)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        # a proxy may have taken root_path off the path already: Starlette would not find the files
        below = scope["path"].partition(ADDRESS)[2] or "/"
        await files({**scope, "path": below, "root_path": ""}, receive, send_with_headers)

    def _export(self) -> StaticFiles:
        with self._lock:
            if self._files is None:
                from hsc.export.web import export_web

                self._kept = tempfile.TemporaryDirectory(prefix="hsc-receiver-")
                out = Path(self._kept.name) / "receiver"
                export_web(out, self.folder)
                self._files = StaticFiles(directory=out, html=True)
            return self._files


def _with_slash(request: Request) -> RedirectResponse:
    """From ``receive?face=...`` to ``receive/?face=...``; relative, for proxies under a path."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"{ADDRESS.removeprefix('/')}/{query}")


def routes() -> list[BaseRoute]:
    """The receiver, with and without the slash at the end of its address."""
    return [
        Route(ADDRESS, _with_slash),
        Mount(ADDRESS, Receiver()),
    ]
