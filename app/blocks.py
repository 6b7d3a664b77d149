"""The page's frame: Gradio's, with plain sentences where Gradio itself refuses a call, and with
updates that a busy browser does not lose."""

from __future__ import annotations

import logging
from typing import Any

import gradio as gr
from gradio_client.utils import is_http_url_like

from app.components import toast

log = logging.getLogger(__name__)

REFUSED = "These arguments do not fit this call: the page's API view shows what it takes."
ADDRESS = "Addresses are not fetched here: upload the file itself."


class Page(gr.Blocks):
    """Blocks that answer a call with unfit arguments in one sentence, and send updates whole.

    Gradio's own answers are empty, or show paths of the server. And it would fetch an address
    that stands for a file, which is nothing a caller should make this machine do.

    Of what a generator yields, Gradio sends the first chunk whole and then differences, which the
    browser applies to the last chunk itself: where it is busy, that chunk has not been shown yet,
    and a picture that the next one does not name again is lost. So every chunk goes out whole.
    """

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *rest: Any, **options: Any):
        """As `gr.Blocks.preprocess_data`. Raises gr.Error."""
        if _addresses(inputs):
            raise toast(ADDRESS)
        try:
            return await super().preprocess_data(block_fn, inputs, *rest, **options)
        except Exception as error:
            log.info("refused arguments: %s", type(error).__name__)
            raise toast(REFUSED) from None

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
        later = run in self.pending_diff_streams.get(session_hash, {})
        data = super().handle_streaming_diffs(block_fn, data, session_hash, run, final, True)
        if simple_format or final or not later:
            return data
        return [[["replace", [], value]] for value in data]


def _addresses(value: Any) -> bool:
    """Whether a file in these arguments is an address."""
    if isinstance(value, dict):
        path = value.get("path")
        if isinstance(path, str) and is_http_url_like(path):
            return True
        value = list(value.values())
    return isinstance(value, (list, tuple)) and any(map(_addresses, value))
