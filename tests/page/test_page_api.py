"""The endpoints, through the client that the page documents."""

from pathlib import Path

import numpy as np
from gradio_client import Client, handle_file
from PIL import Image
from steps import ASTRONAUT

from hsc.bitstream import describe, unpack


def test_only_the_documented_endpoints_are_public(server):
    named = Client(server, verbose=False).view_api(return_format="dict")["named_endpoints"]
    assert sorted(named) == ["/compress", "/decode"]
    compress = named["/compress"]
    assert [p["parameter_name"] for p in compress["parameters"]] == [
        "photo", "level", "layers", "face", "align"
    ]  # fmt: skip
    assert [r["label"] for r in compress["returns"]] == ["hsc_file", "picture", "sizes"]


def test_the_api_compresses_and_decodes(server, codec):
    client = Client(server, verbose=False)
    path, picture, sizes = client.predict(handle_file(ASTRONAUT), level=2, api_name="/compress")
    data = Path(path).read_bytes()
    assert sizes["bytes"]["total"] == len(data) == sum(
        sizes["bytes"][part] for part in ("header", "scn", "fcn")
    )
    assert unpack(data).level == 2
    with Image.open(picture) as drawn:
        assert np.array_equal(np.asarray(drawn), np.asarray(codec.decode(data)))
    small, _, _ = client.predict(
        handle_file(ASTRONAUT), level=2, layers="scn", api_name="/compress"
    )
    assert describe(Path(small).read_bytes())["layers"] == ["scn"]

    smiling, facts = client.predict(
        handle_file(path), edits={"smile": 0.5}, api_name="/decode"
    )
    assert facts["bytes"]["total"] == len(data)
    with Image.open(smiling) as edited:
        expected = codec.decode(data, edits={"smile": 0.5})
        assert np.array_equal(np.asarray(edited), np.asarray(expected))
