"""The overrides of Gradio's internals; no other module has any.

Written against Gradio 6.31. Five methods of `gr.Blocks`, one of its queue and four of its MCP
server are replaced, none of which is documented:

- `preprocess_data` turns what a browser or a caller sent into the arguments of a handler. If its
  name or its first three parameters change, refusals show Gradio's own text again, with paths of
  the server in it, and addresses are fetched.
- `get_config_file`, `postprocess_data` and `call_function` make what a browser is sent: the page,
  values and errors. If their results change, pages of other models speak of faces.
- `handle_streaming_diffs` turns what a generator yields into what is sent. If its parameters or the
  form of a difference, ``["replace", path, value]``, change, updates are lost in a busy browser.
- `Queue.process_events` is called when events leave the queue, each with the `enqueue_time` at
  which it came. If this changes, waits are not measured.
- `convert_strings_to_filedata` turns what an agent sent into files. If it changes, agents can send
  addresses only.
- `get_input_schema` describes what a tool takes. If it changes, tools that take edits are refused.
- `_execute_tool_without_progress` gives the results of a call. If it changes, agents get several
  results as one text.
- `get_base64_data` turns a picture's file into what an agent gets. If it changes, pictures are
  written anew, without their marks.

tests/unit/test_gradio_overrides.py fails when Gradio changes either.
"""

from __future__ import annotations

import base64
import json
import logging
import time
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
import gradio.mcp
from anyio.to_thread import run_sync
from gradio_client import handle_file
from gradio_client.utils import is_file_obj_with_meta, is_http_url_like
from PIL import Image

from app import agents
from app.components.events import toast
from app.words import Words
from hsc.errors import HscError

if TYPE_CHECKING:
    from app.monitoring import Health
    from app.services.live import Live

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
        live: the cameras of its visitors.
        words: what its texts say where the model shows no faces.
    """

    health: Health
    live: Live
    words = Words()

    @cached_property
    def asked_by_agents(self) -> set[str]:
        """Addresses that agents named, each to be fetched once."""
        return set()

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *rest: Any, **options: Any):
        """As `gr.Blocks.preprocess_data`. Raises gr.Error."""
        for file in _files(inputs):
            if file["path"] in self.asked_by_agents:
                self.asked_by_agents.discard(file["path"])
                try:
                    file["path"] = await agents.fetch(file["path"])
                except HscError as error:
                    raise toast(error) from error
                file.pop("url", None)
        if any(is_http_url_like(file["path"]) for file in _files(inputs)):
            raise toast(ADDRESS_REFUSED)
        try:
            return await super().preprocess_data(block_fn, inputs, *rest, **options)
        except Exception as error:
            log.info("refused arguments: %s", type(error).__name__)
            raise toast(UNFIT_ARGUMENTS) from None

    def get_config_file(self) -> Any:
        """As `gr.Blocks.get_config_file`, in the words of the model's domain."""
        return self.words.config(super().get_config_file())

    async def call_function(self, *given: Any, **options: Any) -> Any:
        """As `gr.Blocks.call_function`. Raises gr.Error, in the words of the model's domain."""
        try:
            return await super().call_function(*given, **options)
        except gr.Error as error:
            error.message = self.words.say(error.message)
            raise

    async def postprocess_data(self, *given: Any, **options: Any) -> list[Any]:
        """As `gr.Blocks.postprocess_data`, in the words of the model's domain."""
        data: list[Any] = self.words.update(await super().postprocess_data(*given, **options))
        return data

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

    page._queue.process_events = process_events  # type: ignore[method-assign, assignment]


class StudioMCPServer(gradio.mcp.GradioMCPServer):
    """Gradio's tools for agents, which take more kinds of files and leave pictures as they are."""

    blocks: StudioBlocks

    def convert_strings_to_filedata(
        self, value: Any, filedata_positions: list[list[str | int]]
    ) -> Any:
        """As `GradioMCPServer.convert_strings_to_filedata`, files in lists too. Raises HscError."""

        def traverse(node: Any, path: list[str | int]) -> Any:
            if isinstance(node, dict):
                return {name: traverse(each, [*path, name]) for name, each in node.items()}
            if isinstance(node, list):
                return [traverse(each, [*path, "items"]) for each in node]
            if isinstance(node, str) and path in filedata_positions:
                return self._file(node)
            return node

        return traverse(value, [])

    def get_input_schema(
        self, tool_name: str, parameters: dict[str, str] | None = None
    ) -> tuple[dict[str, Any], list[list[str | int]]]:
        """As `GradioMCPServer.get_input_schema`. Gradio says of a JSON component that its type is
        ``{}``, which is no JSON schema: agents would refuse the tool. And files have more forms."""
        schema, positions = super().get_input_schema(tool_name, parameters)
        for each in schema.get("properties", {}).values():
            if not isinstance(each.get("type", ""), (str, list)):
                each["type"] = "object"
            if each.pop("$defs", None):  # of files in a list, which its items refer to
                each["items"] = {"type": "string", "description": agents.FORMS}
                each.pop("additional_description", None)
            if str(each.get("format", "")).startswith("Gradio File Input"):
                del each["format"]
                each["description"] = f"{each.get('description', '')} {agents.FORMS}".strip()
        return schema, positions

    @property
    def _file_data_tool_description(self) -> str:
        """What stands behind the description of a tool that takes a file."""
        return ""

    def _file(self, text: str) -> Any:
        path = agents.local_file(text)
        if path is not None:
            return handle_file(path)
        if not agents.fetching():
            raise HscError(agents.REFUSED)
        self.blocks.asked_by_agents.add(text)  # fetched where that can be waited for
        return handle_file(text)

    async def _execute_tool_without_progress(self, job: Any) -> list[Any]:
        """As `GradioMCPServer._execute_tool_without_progress`, which takes the results of a tool
        that has several for one. Galleries come picture by picture, facts as JSON."""
        results = await run_sync(job.result)
        return _for_agents(results if isinstance(results, (list, tuple)) else [results])

    @staticmethod
    def get_base64_data(image: Image.Image, format: str) -> str:
        """As `GradioMCPServer.get_base64_data`: the file itself, with its mark."""
        return base64.b64encode(Path(str(image.filename)).read_bytes()).decode()  # type: ignore[attr-defined]


def _for_agents(results: Iterable[Any]) -> list[Any]:
    """Results of an endpoint as an agent reads them: files, and text."""
    found: list[Any] = []
    for result in results:
        if isinstance(result, list) and all(_is_in_gallery(each) for each in result):
            for each in result:
                found += [each["image"], *filter(None, [each.get("caption")])]
        elif isinstance(result, dict) and not is_file_obj_with_meta(result):
            found.append(json.dumps(result))
        elif result is not None:
            found.append(result)
    return found


def _is_in_gallery(value: Any) -> bool:
    return isinstance(value, dict) and is_file_obj_with_meta(value.get("image"))


def offer_tools() -> bool:
    """Let `launch(mcp_server=True)` make our server; whether there can be one here."""
    if not agents.available():
        log.info("no tools for agents: the package mcp is not installed")
        return False
    gradio.mcp.GradioMCPServer = StudioMCPServer  # type: ignore[misc]
    return True


def _files(value: Any) -> list[dict[str, Any]]:
    """Every file in a call's arguments, as Gradio's objects with a path."""
    found = []
    if isinstance(value, dict):
        if isinstance(value.get("path"), str):
            found.append(value)
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        found += [file for each in value for file in _files(each)]
    return found
