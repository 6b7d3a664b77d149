"""The page's overrides of Gradio's internals still fit the Gradio that is installed."""

import asyncio
import inspect
from concurrent.futures import ThreadPoolExecutor

import gradio as gr
import gradio.mcp
import pytest
from gradio import queueing, routes, utils
from gradio_client import utils as client_utils

from app.gradio_overrides import (
    ADDRESS_REFUSED,
    UNFIT_ARGUMENTS,
    StudioBlocks,
    StudioMCPServer,
    queue_length,
)


def parameters(method) -> list[str]:
    return [name for name in inspect.signature(method).parameters if name != "self"]


def test_the_methods_that_are_replaced_are_there_with_the_same_parameters():
    replaced = {
        name
        for name, value in vars(StudioBlocks).items()
        if inspect.isfunction(value) and value.__qualname__.startswith("StudioBlocks.")
    }
    assert replaced == {"preprocess_data", "handle_streaming_diffs"}
    assert parameters(gr.Blocks.preprocess_data)[:2] == ["block_fn", "inputs"]
    assert inspect.iscoroutinefunction(gr.Blocks.preprocess_data)
    assert parameters(gr.Blocks.handle_streaming_diffs) == parameters(
        StudioBlocks.handle_streaming_diffs
    )


def test_the_queue_is_what_the_waits_are_read_from():
    assert parameters(queueing.Queue.process_events) == ["events", "batch", "begin_time", "fn"]
    assert inspect.iscoroutinefunction(queueing.Queue.process_events)
    assert "enqueue_time" in inspect.getsource(queueing.Event.__init__)
    with StudioBlocks() as page:
        gr.Textbox()
    assert queue_length(page.queue()) == 0


def test_the_tools_for_agents_replace_what_gradio_still_has():
    ours, theirs = StudioMCPServer, gradio.mcp.GradioMCPServer
    theirs = theirs.__mro__[1] if theirs is ours else theirs  # a page was launched before
    for name in (
        "convert_strings_to_filedata", "get_base64_data", "get_input_schema",
        "_execute_tool_without_progress",
    ):  # fmt: skip
        assert parameters(getattr(ours, name)) == parameters(getattr(theirs, name))
    assert "GradioMCPServer(blocks)" in inspect.getsource(routes.App.setup_mcp_server)


def test_gradio_still_sends_differences_in_the_form_that_is_replaced():
    assert utils.diff("old", "new") == [["replace", [], "new"]]
    assert client_utils.apply_diff("old", [["replace", [], "new"]]) == "new"


def test_every_update_of_a_generator_goes_out_whole():
    with StudioBlocks() as page:
        text = gr.Textbox()
        text.submit(lambda: None, None, [text, gr.Textbox()])
    (block_fn,) = page.fns.values()
    chunks = [["a", {"value": 1}], ["a", {"value": 2}], ["b", {"value": 2}]]
    sent = [
        page.handle_streaming_diffs(block_fn, list(chunk), "session", "run", final=False)
        for chunk in chunks
    ]
    assert sent[0] == chunks[0]
    for chunk, differences in zip(chunks[1:], sent[1:], strict=True):
        # applied to whatever the browser has, they give the chunk
        applied = [client_utils.apply_diff({"stale": True}, diff) for diff in differences]
        assert applied == chunk
    last = page.handle_streaming_diffs(block_fn, [None, None], "session", "run", final=True)
    assert last == chunks[-1]


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ({"path": "https://example.com/face.png"}, ADDRESS_REFUSED),
        ([{"video": {"path": "http://example.com/x"}}], ADDRESS_REFUSED),
        ({"path": "/etc/passwd"}, UNFIT_ARGUMENTS),
    ],
)
def test_unfit_arguments_are_refused_in_one_sentence(argument, sentence):
    with StudioBlocks() as page:
        gr.Button().click(lambda photo: photo, gr.Image(), None)
    (block_fn,) = page.fns.values()
    call = page.preprocess_data(block_fn, [argument], None)
    # in a thread of its own: the browser tests keep an event loop running in this one
    with ThreadPoolExecutor(1) as pool, pytest.raises(gr.Error) as refused:
        pool.submit(asyncio.run, call).result()
    assert refused.value.message == sentence
