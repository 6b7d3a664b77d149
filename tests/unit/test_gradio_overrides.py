"""The page's overrides of Gradio's internals still fit the Gradio that is installed."""

import asyncio
import base64
import inspect
import json
from concurrent.futures import ThreadPoolExecutor

import gradio as gr
import gradio.mcp
import pytest
from gradio import queueing, routes, utils
from gradio_client import utils as client_utils
from PIL import Image

from app.files import keep_bytes, keep_picture
from app.gradio_overrides import (
    ADDRESS_REFUSED,
    UNFIT_ARGUMENTS,
    StudioBlocks,
    StudioMCPServer,
    queue_length,
)
from hsc.images import marks


def parameters(method) -> list[str]:
    return [name for name in inspect.signature(method).parameters if name != "self"]


def test_the_methods_that_are_replaced_are_there_with_the_same_parameters():
    replaced = {
        name
        for name, value in vars(StudioBlocks).items()
        if inspect.isfunction(value) and value.__qualname__.startswith("StudioBlocks.")
    }
    assert replaced == {
        "preprocess_data", "handle_streaming_diffs", "get_config_file", "postprocess_data",
        "call_function",
    }  # fmt: skip
    assert parameters(gr.Blocks.get_config_file) == []
    assert inspect.iscoroutinefunction(gr.Blocks.postprocess_data)
    assert inspect.iscoroutinefunction(gr.Blocks.call_function)
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


def test_an_agent_gets_every_result_pictures_with_their_marks(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    mark = marks.decoded(b"a file")
    shown = keep_picture(marks.put(Image.new("RGB", (8, 8), (9, 8, 7)), mark), "face.png")

    def file(path: str) -> dict:
        return {"path": path, "url": f"http://host/{path}", "meta": {"_type": "gradio.FileData"}}

    results = [
        file(keep_bytes(b"HSC", "face.hsc")),
        file(shown),
        [{"image": file(shown), "caption": "+1"}],
        {"bytes": 3},
        None,
    ]

    class Job:
        def result(self):
            return results

    with StudioBlocks() as page:
        gr.Textbox()
    server = StudioMCPServer(page)
    found = asyncio.run(server._execute_tool_without_progress(Job()))
    answer = server.postprocess_output_data(found, "http://host")
    assert [each.type for each in answer] == [
        "text",
        "image",
        "text",
        "image",
        "text",
        "text",
        "text",
    ]
    assert answer[0].text.endswith("face.hsc")
    assert marks.read(base64.b64decode(answer[1].data)) == mark
    assert answer[5].text == "+1" and json.loads(answer[6].text) == {"bytes": 3}


def test_a_tool_says_what_a_file_may_be_in_words_that_schemas_allow():
    with StudioBlocks() as page:
        inputs = [gr.File(), gr.JSON({})]

        def decode(file: str, edits: dict | None = None) -> str:
            """Draw a file.

            Args:
                file: a .hsc file.
                edits: amounts.
            """
            return ""

        gr.Button().click(decode, inputs, gr.Textbox(), api_name="decode")
    server = StudioMCPServer(page)
    schema, positions = server.get_input_schema("decode", {"file": "a .hsc file."})
    file, edits = schema["properties"]["file"], schema["properties"]["edits"]
    assert positions == [["file"]] and file["type"] == "string" and "base64" in file["description"]
    assert edits["type"] == "object"


def test_a_tool_takes_a_list_of_files(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    with StudioBlocks() as page:
        inputs = [gr.File(file_count="multiple"), gr.Number(3)]

        def batch(photos: list, level: float = 3) -> str:
            """Compress photographs.

            Args:
                photos: pictures.
                level: of all.
            """
            return ""

        gr.Button().click(batch, inputs, gr.Textbox(), api_name="batch")
    server = StudioMCPServer(page)
    schema, positions = server.get_input_schema("batch", {"photos": "pictures."})
    photos = schema["properties"]["photos"]
    assert photos["type"] == "array" and photos["items"]["type"] == "string"
    assert "$defs" not in photos and "base64" in photos["items"]["description"]
    sent = [base64.b64encode(each).decode() for each in (b"\x89PNG one", b"PK\x03\x04 two")]
    found = server.convert_strings_to_filedata({"photos": sent, "level": 2}, positions)
    assert [each["path"].rpartition(".")[2] for each in found["photos"]] == ["png", "zip"]
    assert found["level"] == 2
