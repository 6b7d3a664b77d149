"""The endpoints, through the client that the page documents."""

import asyncio
import base64
import gzip
import io
import re
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from fakes import FakeCodec
from gradio_client import Client, handle_file
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from paths import ASTRONAUT
from PIL import Image

from hsc.bitstream import describe, unpack
from hsc.bitstream.text import to_text
from hsc.images import marks
from hsc.levels import REFINE_STEPS


def test_only_the_documented_endpoints_are_public(server):
    named = Client(server, verbose=False).view_api(return_format="dict")["named_endpoints"]
    assert sorted(named) == [
        "/batch", "/compare", "/compress", "/decode", "/edit", "/explore", "/photographs", "/vision"
    ]  # fmt: skip
    compress = named["/compress"]
    assert [p["parameter_name"] for p in compress["parameters"]] == [
        "photo", "level", "layers", "face", "align", "refine", "max_bytes"
    ]  # fmt: skip
    assert [r["label"] for r in compress["returns"]] == ["hsc_file", "picture", "sizes"]


def test_the_api_compresses_and_decodes(server, codec):
    client = Client(server, verbose=False)
    path, picture, sizes = client.predict(handle_file(ASTRONAUT), level=2, api_name="/compress")
    data = Path(path).read_bytes()
    assert (
        sizes["bytes"]["total"]
        == len(data)
        == sum(sizes["bytes"][part] for part in ("header", "scn", "fcn"))
    )
    assert unpack(data).level == 2
    with Image.open(picture) as drawn:
        assert np.array_equal(np.asarray(drawn), np.asarray(codec.decode(data)))
    assert marks.read(Path(picture).read_bytes()) == marks.of(codec.decode(data))
    small, _, _ = client.predict(
        handle_file(ASTRONAUT), level=2, layers="scn", api_name="/compress"
    )
    assert describe(Path(small).read_bytes())["layers"] == ["scn"]
    fitted, _, sizes = client.predict(handle_file(ASTRONAUT), max_bytes=900, api_name="/compress")
    assert 850 < len(Path(fitted).read_bytes()) == sizes["bytes"]["total"] <= 900

    smiling, facts = client.predict(handle_file(path), edits={"smile": 0.5}, api_name="/decode")
    assert facts["bytes"]["total"] == len(data)
    with Image.open(smiling) as edited:
        expected = codec.decode(data, edits={"smile": 0.5})
        assert np.array_equal(np.asarray(edited), np.asarray(expected))


def test_the_api_refines(quick_server):
    client = Client(quick_server, verbose=False)
    files = []
    for refine in (False, True):
        path, _, sizes = client.predict(
            handle_file(ASTRONAUT), level=2, refine=refine, api_name="/compress"
        )
        assert sizes["refined"] == (REFINE_STEPS if refine else 0)
        assert ("refine" in sizes["seconds"]) == refine
        files.append(Path(path).read_bytes())
    assert files[0] != files[1]


def test_the_api_edits_a_file_or_a_photo(quick_server, tmp_path):
    client, codec = Client(quick_server, verbose=False), FakeCodec()
    path = tmp_path / "face.hsc"
    path.write_bytes(codec.encode(codec.random_face(1)))
    picture, strip, table = client.predict(
        handle_file(path), {"smile": 0.5}, 1, "smile", api_name="/edit"
    )
    with Image.open(picture) as edited:
        expected = codec.decode(path.read_bytes(), edits={"smile": 0.5})
        assert np.array_equal(np.asarray(edited), np.asarray(expected))
    assert strip[0]["caption"] == "-1.5" and len(strip) == 7
    assert table[0]["name"] == "smile"
    _, strip, _ = client.predict(handle_file(ASTRONAUT), api_name="/edit")
    assert strip == []


def test_the_api_compares_with_other_codecs(quick_server):
    client = Client(quick_server, verbose=False)
    pictures, figures = client.predict(
        handle_file(ASTRONAUT), level=6, codecs=["jpeg"], api_name="/compare"
    )
    (jpeg,) = figures["others"]
    assert jpeg["best_size"]["bytes"] <= figures["hsc"]["bytes"] or not jpeg["best_size"]["fits"]
    assert jpeg["full_size"]["px"] == 1024
    assert len(pictures) == 3


def call_tools(server, *calls):
    """What an agent's tools answer, and their names."""

    async def session():
        async with (
            streamable_http_client(f"{server}gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as client,
        ):
            await client.initialize()
            tools = await client.list_tools()
            answers = [await client.call_tool(name, arguments) for name, arguments in calls]
            return {tool.name for tool in tools.tools}, answers

    with ThreadPoolExecutor(1) as thread:  # Playwright has a loop of its own in this one
        return thread.submit(asyncio.run, session()).result()


def test_an_agent_sends_base64_and_gets_marked_pictures_and_files_back(quick_server):
    photo = base64.b64encode(Path(ASTRONAUT).read_bytes()).decode()
    names, (coded, refused) = call_tools(
        quick_server,
        ("compress", {"photo": photo, "level": 2, "align": False}),
        ("decode", {"file": "no base64!"}),
    )
    assert names >= {"compress", "decode", "edit", "compare", "explore", "vision"}
    assert refused.isError and "base64" in refused.content[0].text
    link, picture = coded.content[0].text, coded.content[1]
    assert picture.type == "image"
    mark = marks.read(base64.b64decode(picture.data))
    assert mark.source == marks.COMPOSITE and mark.recipe["layers"] == "scn+fcn"
    with urllib.request.urlopen(link) as answer:
        data = answer.read()
    # the address of a result goes into the next tool, and so does the face as text
    _, drawn = call_tools(
        quick_server,
        ("decode", {"file": link, "edits": {"smile": 0.5}}),
        ("decode", {"file": to_text(data), "layers": "scn"}),
        ("decode", {"file": "http://127.0.0.1:9/face.hsc"}),
    )
    for answer, expected in zip(
        drawn, (FakeCodec().decode(data, edits={"smile": 0.5}), FakeCodec().decode(data, "scn"))
    ):
        with Image.open(io.BytesIO(base64.b64decode(answer.content[0].data))) as shown:
            assert np.array_equal(np.asarray(shown), np.asarray(expected))
    assert drawn[2].isError and "public" in drawn[2].content[0].text


def test_links_to_the_page_show_our_words_and_picture(quick_server):
    with urllib.request.urlopen(f"{quick_server}?face=HSC1") as answer:
        page = answer.read().decode()
    head = page.partition("</head>")[0]
    named = dict(
        re.findall(r'<meta (?:property|name)="((?:og|twitter):[^"]+)" content="([^"]*)"', head)
    )
    assert named["og:title"].startswith("HSC Studio") and named["twitter:card"]
    assert "link" in named["og:description"]
    assert not re.search("gradio", " ".join(named.values()), re.IGNORECASE)
    asked = urllib.request.Request(quick_server, headers={"accept-encoding": "gzip"})
    with urllib.request.urlopen(asked) as answer:  # a tenth of the bytes
        assert answer.headers["content-encoding"] == "gzip"
        packed = answer.read()
    assert b"og:title" in gzip.decompress(packed) and len(packed) < len(page) / 4
    with urllib.request.urlopen(named["og:image"]) as answer:
        picture = Image.open(io.BytesIO(answer.read()))
    assert picture.width / picture.height > 1.9
    with urllib.request.urlopen(f"{quick_server}favicon.ico") as answer:
        assert b"<svg" in answer.read()
