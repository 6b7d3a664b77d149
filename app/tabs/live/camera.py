"""What the server answers to a visitor's camera: frames in, pictures out, and the session's file.

The frames do not go through Gradio's streaming of webcams: its browser side sends a frame at every
tick of a clock, whether or not the last one was answered, so that on a slow link they pile up and
the picture lags further and further behind; it sends the camera's whole picture, and does not say
when that was taken. Here the next frame is taken when the last one is on the screen.
"""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.components.events import UNEXPECTED
from app.services.live import LARGEST_FRAME, NO_FACE, CameraBusy, Live, LivePicture
from hsc.errors import HscError

log = logging.getLogger(__name__)

VISITOR = re.compile(r"[0-9a-f-]{36}")  # as crypto.randomUUID makes it
NOT_FOUND = "There is no such camera here."


def routes() -> list[Route]:
    """``live/frame``, ``live/stop`` and ``live/ID.hsv`` of the page that serves them."""
    return [
        Route("/live/frame", _frame, methods=["POST"]),
        Route("/live/stop", _stop, methods=["POST"]),
        Route("/live/{visitor}.hsv", _file),
    ]


async def _frame(request: Request) -> Response:
    """One frame, a JPEG picture; ``x-hsc-camera`` has the visitor, the level and the edits."""
    data = b""
    async for part in request.stream():
        data += part
        if len(data) > LARGEST_FRAME:
            break  # the service refuses it
    try:
        asked = json.loads(request.headers.get("x-hsc-camera", ""))
        visitor, level = asked["visitor"], float(asked["level"])
        edits = {str(name): float(amount) for name, amount in asked["edits"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return _refused(NOT_FOUND, 400)
    if not VISITOR.fullmatch(str(visitor)):
        return _refused(NOT_FOUND, 400)
    live = _live(request)

    def answer() -> Response:
        result = live.frame(visitor, data, level, edits)
        return JSONResponse({"note": NO_FACE} if result is None else _told(result))

    return await run_in_threadpool(_friendly, answer)


async def _stop(request: Request) -> Response:
    """The visitor, named in the body, stopped or left."""
    _live(request).close((await request.body())[:64].decode("ascii", "replace"))
    return Response(status_code=204)


async def _file(request: Request) -> Response:
    visitor = request.path_params["visitor"]
    live = _live(request)

    def answer() -> Response:
        name = 'attachment; filename="live.hsv"'
        headers = {"content-disposition": name, "cache-control": "no-store"}
        return Response(live.file(visitor), media_type="application/octet-stream", headers=headers)

    return await run_in_threadpool(_friendly, answer)


def _friendly(answer: Callable[[], Response]) -> Response:
    """An answer, or one sentence that says why there is none."""
    try:
        return answer()
    except CameraBusy as error:
        return _refused(str(error), 409)
    except HscError as error:
        return _refused(str(error), 422)
    except Exception:
        log.exception("in a camera's frame")
        return _refused(UNEXPECTED, 500)


def _refused(words: str, status: int) -> Response:
    return JSONResponse({"error": words}, status)


def _told(result: LivePicture) -> dict[str, Any]:
    picture = base64.b64encode(result.picture).decode()
    return asdict(result) | {"picture": f"data:image/jpeg;base64,{picture}"}


def _live(request: Request) -> Live:
    live: Live = request.app.get_blocks().live
    return live
