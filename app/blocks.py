"""The page's frame: Gradio's, with plain sentences where Gradio itself refuses a call."""

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
    """Blocks that answer a call with unfit arguments in one sentence.

    Gradio's own answers are empty, or show paths of the server. And it would fetch an address
    that stands for a file, which is nothing a caller should make this machine do.
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


def _addresses(value: Any) -> bool:
    """Whether a file in these arguments is an address."""
    if isinstance(value, dict):
        path = value.get("path")
        if isinstance(path, str) and is_http_url_like(path):
            return True
        value = list(value.values())
    return isinstance(value, (list, tuple)) and any(map(_addresses, value))
