"""The tabs' registration, and scripts that agree with the page by name."""

import json
import re
from pathlib import Path

import gradio as gr
import pytest
from fakes import FakeCodec

from app import tabs
from app.components.events import friendly, script_event
from app.components.html import note
from app.executor import CancelToken
from app.page import build, css, head
from app.studio import Studio
from app.tabs import TABS
from hsc.errors import HscError

FOLDER = Path(tabs.__file__).parent


@pytest.fixture(scope="module")
def page():
    return build(Studio(FakeCodec))


def test_every_folder_is_a_tab_of_the_page(page):
    folders = {path.name for path in FOLDER.iterdir() if (path / "events.py").is_file()}
    assert folders == {part.name for tab in TABS for part in tab.with_parts()}
    titles = [block.label for block in page.blocks.values() if isinstance(block, gr.Tab)]
    assert [title for title in titles if title in {tab.title for tab in TABS}] == [
        tab.title for tab in TABS
    ]


def test_a_folder_brings_its_style_script_and_endpoint(page):
    styles, scripts = css(), head()
    parts = [part for tab in TABS for part in tab.with_parts()]
    for part in parts:
        folder = FOLDER / part.name
        assert part.asset("style.css") in styles and part.asset("script.js") in scripts
        has_api = any(folder.glob("*api.py"))
        assert has_api == (bool(part.endpoints) and part.name != "lab")
        assert bool(part.endpoints) == (part.add_endpoint is not tabs.Tab.add_endpoint)
    public = {fn.api_name for fn in page.fns.values() if fn.api_visibility == "public"}
    assert public == {name for tab in TABS for name in tab.endpoints}


def test_names_by_which_addresses_open_rooms_are_not_given_twice():
    names = [name for tab in TABS for name in (tab.name, *tab.aliases)]
    assert len(names) == len(set(names))
    old = {"compress", "compare", "edit", "decode", "explore", "vision", "about"}
    assert old <= set(names)


def test_script_and_page_agree_by_name(page):
    """What switch.js gives is what LayerSwitches wires, whatever the order."""
    (js,) = {str(fn.js) for fn in page.fns.values() if "hscShown" in str(fn.js)}
    outputs = json.loads(re.search(r"outputs: (\[.*?\])", js)[1])
    source = (FOLDER / "compress" / "switch.js").read_text("utf-8")
    given = re.findall(r"^    (\w+):", source[source.rindex("return {") :], re.MULTILINE)
    assert sorted(given) == sorted(outputs)
    taken = re.match(r"\(\{ (.*?) \}\)", source)[1].split(", ")
    assert sorted(taken) == sorted(json.loads(re.search(r"inputs: (\[.*?\])", js)[1]))


def test_a_script_event_carries_its_names(tmp_path):
    script = tmp_path / "double.js"
    script.write_text("({ one }) => ({ two: 2 * one })\n")
    with gr.Blocks():
        one, two = gr.Number(), gr.Number()
    event = script_event(script, {"one": one}, {"two": two})
    assert event["fn"] is None and event["inputs"] == [one] and event["outputs"] == [two]
    assert '{inputs: ["one"], outputs: ["two"]}' in event["js"]
    assert "double.js: no output named" in event["js"]


def test_a_search_ends_when_its_visitor_asks_for_something_else():
    token = CancelToken()
    cancelled = token.watch()
    token.cancel_unless(True)
    assert not cancelled()
    token.cancel_unless(False)
    assert cancelled() and not token.watch()()


def updates_of(generator) -> list:
    """What a handler sends before it ends or fails."""
    sent = []
    try:
        sent.extend(generator)
    except gr.Error as error:
        sent.append(str(error))
    return sent


def test_a_busy_note_never_stays():
    with gr.Blocks():
        line, picture = gr.HTML(), gr.HTML()
    busy = {line: note("Drawing …", busy=True)}

    def draw(ending):
        if ending == "nothing":
            return
        yield busy
        if ending == "error":
            raise HscError("the file is damaged.")
        yield {picture: "face"} | ({line: note("Cut.", warn=True)} if ending == "warning" else {})

    handler = friendly(draw, line)
    assert updates_of(handler("picture")) == [busy, {picture: "face"}, {line: ""}]
    assert updates_of(handler("error")) == [busy, {line: ""}, "'The file is damaged.'"]
    (_, last) = updates_of(handler("warning"))
    assert "Cut." in last[line]
    # its `then` does not come after a failure: what it would free is freed at once
    freeing = friendly(draw, line, lambda: {picture: "ready"})
    assert updates_of(freeing("error"))[1] == {line: "", picture: "ready"}
    assert updates_of(freeing("picture")) == updates_of(handler("picture"))
    # Gradio would clear every output of a generator that ends at once
    assert updates_of(handler("nothing")) == [gr.skip()]


def test_a_search_is_ended_where_its_handler_is_cancelled():
    ended = []

    def search():
        try:
            yield {}
            yield {}
        finally:
            ended.append(True)

    steps = friendly(search)()
    next(steps)
    steps.close()
    assert ended == [True]
