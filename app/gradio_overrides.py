"""The overrides of Gradio's internals; no other module has any.

Written against Gradio 6.31. Two methods of `gr.Blocks` are replaced and one of its queue, none of
which is documented:

- `preprocess_data` turns what a browser or a caller sent into the arguments of a handler. If its
  name or its first three parameters change, refusals show Gradio's own text again, with paths of
  the server in it, and addresses are fetched.
- `handle_streaming_diffs` turns what a generator yields into what is sent. If its parameters or the
  form of a difference, ``["replace", path, value]``, change, updates are lost in a busy browser.
- `Queue.process_events` is called when events leave the queue, each with the `enqueue_time` at
  which it came. If this changes, waits are not measured.

tests/unit/test_gradio_overrides.py fails when Gradio changes either.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio_client.utils import is_http_url_like

from app.components.events import toast

if TYPE_CHECKING:
    from app.monitoring import Health

log = logging.getLogger(__name__)

UNFIT_ARGUMENTS = "These arguments do not fit this call: the page's API view shows what it takes."
ADDRESS_REFUSED = "Addresses are not fetched here: upload the file itself."


class StudioBlocks(gr.Blocks):
    """Blocks that answer a call with unfit arguments in one sentence, and send updates whole.

    Gradio's own answers are empty, or show paths of the server. And it would fetch an address
    that stands for a file, which is nothing a caller should make this machine do.

    Of what a generator yields, Gradio sends the first chunk whole and then differences, which the
    browser applies to the last chunk itself: where it is busy, that chunk has not been shown yet,
    and a picture that the next one does not name again is lost. So every chunk goes out whole.

    Attributes:
        health: what `app.monitoring` tells of this page.
    """

    health: Health

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *rest: Any, **options: Any):
        """As `gr.Blocks.preprocess_data`. Raises gr.Error."""
        if _holds_address(inputs):
            raise toast(ADDRESS_REFUSED)
        try:
            return await super().preprocess_data(block_fn, inputs, *rest, **options)
        except Exception as error:
            log.info("refused arguments: %s", type(error).__name__)
            raise toast(UNFIT_ARGUMENTS) from None

    def handle_streaming_diffs(
        self,
        block_fn: Any,
        data: list[Any],
        session_hash: str | None,
        run: str | None,
        final: bool,
        simple_format: bool = False,
    ) -> list[Any]:
        """As `gr.Blocks.handle_streaming_diffs`, with a difference that is the new value."""
        first = run not in self.pending_diff_streams.get(session_hash, {})
        data = super().handle_streaming_diffs(block_fn, data, session_hash, run, final, True)
        if simple_format or final or first:
            return data
        return [[["replace", [], value]] for value in data]


def queue_length(page: gr.Blocks) -> int:
    """How many calls wait in a page's queue."""
    return len(page._queue)


def watch_waits(page: gr.Blocks, waited: Callable[[float], None]) -> None:
    """Tell how many seconds each call has waited in the queue, when it leaves it."""
    process = page._queue.process_events

    async def process_events(events: list[Any], *rest: Any) -> None:
        for event in events:
            waited(time.monotonic() - event.enqueue_time)
        await process(events, *rest)

    page._queue.process_events = process_events  # type: ignore[method-assign]


def _holds_address(value: Any) -> bool:
    """Whether a file in these arguments is an address."""
    if isinstance(value, dict):
        path = value.get("path")
        if isinstance(path, str) and is_http_url_like(path):
            return True
        value = list(value.values())
    return isinstance(value, (list, tuple)) and any(map(_holds_address, value))
