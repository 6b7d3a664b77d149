"""Files that agents send: base64, a face's text, an address; and what is never fetched."""

import asyncio
import base64
import io

import pytest
from fakes import FakeCodec
from PIL import Image

from app import agents
from app.files import address, keep_bytes
from hsc.bitstream.text import to_text
from hsc.errors import HscError


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    return tmp_path


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), (9, 9, 9)).save(out, "PNG")
    return out.getvalue()


def read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


@pytest.mark.parametrize("before", ["", "data:image/png;base64,", " \n"])
def test_base64_is_a_file(before):
    path = agents.local_file(before + base64.b64encode(png()).decode())
    assert path.endswith(".png") and read(path) == png()


@pytest.mark.parametrize("before", ["", "https://studio.example/?face="])
def test_a_faces_text_or_link_is_its_file(before):
    codec = FakeCodec()
    data = codec.encode(codec.random_face(1), 1)
    path = agents.local_file(before + to_text(data))
    assert path.endswith(".hsc") and read(path) == data


def test_the_address_of_an_earlier_result_is_that_file(folder):
    path = keep_bytes(b"an earlier result", "face.hsc")
    assert agents.local_file(f"http://127.0.0.1:7860/{address(path)}") == path
    outside = f"http://127.0.0.1:7860/{address('/etc/hostname')}"
    assert agents.local_file(outside) is None


@pytest.mark.parametrize(
    "text", ["", "not base64!", "data:image/png;base64,", "file:///etc/passwd"]
)
def test_anything_else_is_refused_in_a_sentence(text):
    with pytest.raises(HscError, match="base64"):
        agents.local_file(text)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254", "[::1]"])
def test_machines_of_this_network_are_not_called(host):
    with pytest.raises(HscError, match="public"):
        asyncio.run(agents.fetch(f"http://{host}:9/face.png"))


@pytest.mark.parametrize(
    ("name", "said", "expected"),
    [(None, None, True), ("127.0.0.1", None, True), ("0.0.0.0", None, False),
     ("0.0.0.0", "1", True), (None, "0", False)],
)  # fmt: skip
def test_a_server_for_others_fetches_nothing_unless_told_to(monkeypatch, name, said, expected):
    for variable, value in (("GRADIO_SERVER_NAME", name), (agents.FETCH, said)):
        monkeypatch.delenv(variable, raising=False)
        if value is not None:
            monkeypatch.setenv(variable, value)
    assert agents.fetching() is expected
