"""What a proxy and an operator ask a studio: ``/healthz`` and ``/metrics``.

Both tell how the studio does and nothing of its visitors: numbers of calls and seconds, no names,
addresses, files or sizes of single ones. The metrics are in the text format of Prometheus
(https://prometheus.io/docs/instrumenting/exposition_formats/).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from app.counts import CallCounts, Waits
from app.gradio_overrides import queue_length, watch_waits

if TYPE_CHECKING:
    from app.gradio_overrides import StudioBlocks
    from app.studio import Studio

CODING = ("encode", "encode_in_steps", "encode_within")
"""Calls of `app.services.batched_calls` that make a file of a face."""
Labels = tuple[tuple[str, str], ...]


class Health:
    """What is known of one studio and of the queue in front of it.

    Args:
        calls: of its executor.
        queue_length: how many visitors' calls wait now.
        error: a sentence when the model cannot be used, "" when it can; None while it is loaded.
    """

    def __init__(
        self,
        calls: CallCounts,
        queue_length: Callable[[], int],
        error: Callable[[], str | None],
    ) -> None:
        self.calls, self.queue_length, self.error = calls, queue_length, error
        self.waits = Waits()
        self.started = time.time()

    def metrics(self) -> str:
        """All figures, in the text format of Prometheus."""
        ended = self.calls.ended()
        coded = sum(ended.get((name, "done"), 0) for name in CODING)
        failed = sum(count for (_, outcome), count in ended.items() if outcome == "failed")
        by_call: dict[Labels, int] = {
            (("call", name), ("outcome", how)): n for (name, how), n in ended.items()
        }
        seconds: dict[Labels, float] = {
            (("call", name),): s for name, s in self.calls.seconds().items()
        }
        lines = [
            *_metric("hsc_ready", "gauge", "1 when the model is loaded", {(): self.error() == ""}),
            *_metric(
                "hsc_start_time_seconds", "gauge", "When the studio began", {(): self.started}
            ),
            *_metric(
                "hsc_queue_length", "gauge", "Visitors' calls that wait", {(): self.queue_length()}
            ),
            *_metric(
                "hsc_model_waiting", "gauge", "Calls that wait for the model's thread",
                {(): self.calls.waiting},
            ),
            *_metric("hsc_faces_coded_total", "counter", "Files made of faces", {(): coded}),
            *_metric("hsc_errors_total", "counter", "Calls that failed", {(): failed}),
            *_metric(
                "hsc_model_calls_total", "counter",
                "Calls of the model; refused ones got a sentence", by_call,
            ),
            *_metric("hsc_model_seconds_total", "counter", "Seconds in the model", seconds),
            "# HELP hsc_queue_wait_seconds Seconds that calls waited in the queue",
            "# TYPE hsc_queue_wait_seconds histogram",
            *self.waits.lines("hsc_queue_wait_seconds"),
        ]  # fmt: skip
        return "\n".join(lines) + "\n"


def monitored(page: StudioBlocks, studio: Studio) -> StudioBlocks:
    """The page, whose `health` is watched from now on. Its queue must be there."""
    executor = studio.executor
    page.health = Health(executor.calls, lambda: queue_length(page), lambda: executor.error)
    watch_waits(page, page.health.waits.add)
    return page


def _metric(
    name: str, kind: str, words: str, values: Mapping[Labels, float | int | bool]
) -> Iterable[str]:
    yield f"# HELP {name} {words}"
    yield f"# TYPE {name} {kind}"
    for labels, value in sorted(values.items()):
        inside = ",".join(f'{key}="{text}"' for key, text in labels)
        yield f"{name}{{{inside}}} {value:.10g}" if inside else f"{name} {value:.10g}"


def routes() -> list[BaseRoute]:
    """``/healthz`` and ``/metrics`` of the page that serves them, whose ``health`` they tell."""
    return [Route("/healthz", _healthz), Route("/metrics", _metrics)]


def _healthz(request: Request) -> Response:
    """200 where the studio can serve, 503 where a proxy should ask another."""
    error = _health(request).error()
    if error == "":
        return PlainTextResponse("ok\n")
    words = "loading the model" if error is None else "the model could not be loaded"
    return PlainTextResponse(f"{words}\n", status_code=503)


def _metrics(request: Request) -> Response:
    text = _health(request).metrics()
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def _health(request: Request) -> Health:
    health: Health = request.app.get_blocks().health
    return health
