"""The receiver's services over a stand-in codec, and the address that faces are sent with."""

from types import SimpleNamespace

import pytest
from fakes import FakeCodec
from PIL import Image

from app.address import face_in, face_link, own_address, receiver_link
from app.studio import Studio
from app.tabs.receive import html as decode_html
from app.tabs.receive.events import ReceiveTab
from hsc.bitstream import Container, with_layers
from hsc.bitstream.fields import fields
from hsc.bitstream.qr import qr_code, qr_svg
from hsc.bitstream.text import from_text, to_text
from hsc.errors import BitstreamError


@pytest.fixture(scope="module")
def studio():
    return Studio(FakeCodec)


@pytest.fixture(scope="module")
def receiving(studio):
    return studio.decode_tools


@pytest.fixture(scope="module")
def face() -> bytes:
    return FakeCodec().encode(Image.effect_noise((64, 64), 60).convert("RGB"), 1)


def test_a_face_as_text_comes_back(receiving, face):
    small = receiving.as_text(face, "scn", "https://studio.example/?face=")
    assert receiving.read(small.text) == small.data == with_layers(face, "scn")
    assert receiving.read(small.link) == small.data
    assert small.qr.startswith("<svg") and small.modules > 20
    assert receiving.as_text(face, "scn").link == ""


def test_the_code_and_the_link_open_the_receiver(studio, face):
    """For a visitor whose address others can follow, and on this machine alone."""
    tab = ReceiveTab(studio, None)
    tab.decode_tools = studio.decode_tools
    tab.view = view = SimpleNamespace(**{n: n for n in ("qr", "receiver", "text", "link")})
    text = to_text(with_layers(face, "scn"))

    def outputs(host: str) -> dict:
        request = SimpleNamespace(headers={"host": host}, url=SimpleNamespace(scheme="https"))
        return tab.as_text(face, "scn", request)

    public = outputs("studio.example")
    code = qr_svg(qr_code(text, "https://studio.example/receive/#face="))
    assert code in public[view.qr] and "your phone" in public[view.qr]
    assert public[view.link].value == f"https://studio.example/?face={text}"
    private = outputs("localhost:7860")
    assert qr_svg(qr_code(text)) in private[view.qr] and not private[view.link].visible
    for made in (public, private):
        assert f'href="receive/#face={text}"' in made[view.receiver]
    assert from_text(receiver_link("https://studio.example/") + text) == with_layers(face, "scn")


def test_what_no_code_holds_is_still_text(receiving):
    large = Container(FakeCodec.model_id, 6, bytes(100), bytes(4000)).pack()
    whole = receiving.as_text(large, "scn+fcn")
    assert len(whole.text) > 4296 and from_text(whole.text) == whole.data
    assert whole.qr == "" and "more than a QR code" in decode_html.qr_panel(whole, "scn+fcn")


@pytest.mark.parametrize("layers", ["scn", "scn+fcn"])
def test_the_proof_draws_again_and_damages(receiving, face, layers):
    proof = receiving.prove(face, layers)
    assert proof.same and "damaged" in proof.refusal
    assert "every pixel is the same" in decode_html.proof_panel(proof)


def test_a_proof_that_fails_says_so(face):
    class Careless(FakeCodec):
        """Draws something else each time, and takes any bytes."""

        def decode(self, *args, **options):
            self.calls.append("decode")
            return Image.new("RGB", (1024, 1024), (len(self.calls), 0, 0))

    other = Studio(Careless)
    proof = other.decode_tools.prove(face)
    assert not proof.same and proof.refusal == ""
    assert decode_html.proof_panel(proof).count("fault") == 2


def test_the_strip_shows_every_byte_of_the_header(face):
    html = decode_html.byte_table(fields(face))
    for field in fields(face):
        assert f'data-field="{field.key}"' in html
    assert "more</em>" in html


@pytest.mark.parametrize(
    ("headers", "scheme", "address"),
    [
        ({"host": "studio.example"}, "https", "https://studio.example/"),
        ({"host": "192.168.1.7:7860"}, "http", "http://192.168.1.7:7860/"),
        (
            {"host": "10.0.0.1", "x-forwarded-host": "a.example", "x-forwarded-proto": "https"},
            "http", "https://a.example/",
        ),
        ({"host": "127.0.0.1:7860"}, "http", ""),
        ({"host": "localhost:7860"}, "http", ""),
        ({"host": "[::1]:7860"}, "http", ""),
        ({"host": "0.0.0.0:7860"}, "http", ""),
        ({}, "http", ""),
        ({"host": 'a"><script>'}, "http", ""),
        ({"host": "a.example"}, "javascript", ""),
    ],
)  # fmt: skip
def test_the_address_that_others_can_follow(headers, scheme, address):
    assert own_address(headers, scheme) == address


@pytest.mark.parametrize(
    ("root", "address"),
    [
        ("/studio", "https://a.example/studio/"),
        ("/talks/studio/", "https://a.example/talks/studio/"),
        ("https://b.example/studio", "https://b.example/studio/"),
    ],
)
def test_the_address_behind_a_proxy_under_a_path(root, address, monkeypatch):
    monkeypatch.setenv("GRADIO_ROOT_PATH", root)
    headers = {"host": "10.0.0.1", "x-forwarded-host": "a.example", "x-forwarded-proto": "https"}
    assert own_address(headers) == address


def test_the_face_in_an_address(face, receiving):
    text = to_text(with_layers(face, "scn"))
    assert face_in({"face": text.lower()}) == text.lower()
    assert face_in({}) == ""
    # a link that was damaged on its way is not passed over: the visitor is told
    with pytest.raises(BitstreamError, match="begin with HSC1"):
        receiving.read(face_in({"face": "../../etc"}))
    assert face_link("") == "" and face_link("https://a.example/").endswith("?face=")


def test_other_errors_of_a_text_are_those_of_the_library(receiving):
    with pytest.raises(BitstreamError, match="begin with"):
        receiving.read("hello")
