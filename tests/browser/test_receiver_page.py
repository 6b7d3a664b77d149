"""The receiver in a browser: a face decoded, edited and saved there, with and without a network."""

import functools
import http.server
import io
import json
import subprocess
import threading

import pytest
from paths import ROOT, STREAMS
from PIL import Image
from steps import DESK, MODEL_WAIT, PHONE, closeness

from hsc.bitstream import unpack
from hsc.bitstream.qr import qr_code
from hsc.bitstream.text import to_text
from hsc.export.web import export_web
from hsc.images import marks

FACE = (STREAMS / "level3.hsc").read_bytes()
READY, OPENED = "body[data-ready]", "canvas[data-opened][data-layers='scn+fcn']"
AT_REST = "canvas[aria-busy=false]"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args) -> None:
        pass


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory):
    """A plain static host with the exported receiver: its address, and what takes it away."""
    folder = tmp_path_factory.mktemp("receiver") / "receiver"
    export_web(folder)
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def give(page, data: bytes, name: str = "face.hsc", kind: str = "application/octet-stream") -> None:
    page.locator("#file").set_input_files({"name": name, "mimeType": kind, "buffer": data})


def open_face(page, data: bytes = FACE) -> None:
    page.wait_for_selector(READY)
    give(page, data)
    page.wait_for_selector(OPENED)


def move(page, slider: str, value: float) -> None:
    page.locator(slider).evaluate(
        "(slider, value) => { slider.value = value;"
        " for (const kind of ['input', 'change']) slider.dispatchEvent(new Event(kind)) }",
        value,
    )


def saved_png(page) -> bytes:
    with page.expect_download() as download:
        page.get_by_role("button", name="Save PNG").click()
    return download.value.path().read_bytes()


def saved(page) -> Image.Image:
    return Image.open(io.BytesIO(saved_png(page)))


def saved_file(page) -> bytes:
    with page.expect_download() as download:
        page.get_by_role("button", name="Save .hsc").click()
    return download.value.path().read_bytes()


def test_a_file_draws_what_the_python_decoder_draws(receiver, visit, codec) -> None:
    page = visit(receiver, DESK)
    open_face(page)
    png = saved_png(page)
    picture = Image.open(io.BytesIO(png))
    assert picture.size == (1024, 1024)
    assert closeness(picture, codec.decode(FACE)) > 45
    assert "compositeWithTrainedAlgorithmicMedia" in picture.text["XML:com.adobe.xmp"]
    recipe = json.loads(picture.text["hsc"])
    assert recipe == {"file": to_text(FACE), "layers": "scn+fcn", "edits": {}}
    mark = marks.read(png)
    assert mark == marks.Mark(marks.COMPOSITE, recipe)
    assert mark.recipe_hash in picture.text["XML:com.adobe.xmp"]
    page.get_by_label("SCN alone").check()
    page.wait_for_selector("canvas[data-layers=scn]")
    page.wait_for_function("document.getElementById('canvas').dataset.opened === '2'")
    assert closeness(saved(page), codec.decode(FACE, "scn")) > 45


def test_edits_are_those_of_the_python_decoder(receiver, visit, codec) -> None:
    page = visit(receiver, DESK)
    open_face(page)
    for name, amount in {"smile": 1.0, "yaw": 8.0, "age": 10.0, "light": 0.5}.items():
        move(page, f"#edit-{name}", amount)
    page.wait_for_selector("canvas[data-edited=whole]")
    page.wait_for_selector(AT_REST)
    page.wait_for_function("document.getElementById('note').textContent.startsWith('Edited')")
    picture = saved(page)
    amounts = json.loads(picture.text["hsc"])["edits"]
    assert closeness(picture, codec.decode(FACE, edits=amounts)) > 45
    page.get_by_role("button", name="Reset edits").click()
    page.wait_for_function("document.getElementById('note').textContent.startsWith('Edited')")
    page.wait_for_timeout(200)


def test_a_morph_is_that_of_the_python_decoder(receiver, visit, codec) -> None:
    other = (STREAMS / "level6.hsc").read_bytes()
    page = visit(receiver, DESK)
    open_face(page)
    page.get_by_text("Morph with another face").click()
    page.locator("#other-text").fill(to_text(other))
    page.get_by_role("button", name="Take it").click()
    for amount in (0.5, 0.3, 1.0):
        move(page, "#morph-amount", 100 * amount)
        page.wait_for_selector(AT_REST)
        picture = saved(page)
        recipe = json.loads(picture.text["hsc"])
        assert recipe["morph"] == {"file": to_text(other), "amount": amount}
        assert closeness(picture, codec.draw(codec.morph(FACE, other, amount))) > 45
    move(page, "#morph-amount", 30)
    move(page, "#edit-smile", 1.0)
    page.wait_for_selector(AT_REST)
    expected = codec.draw(codec.morph(FACE, other, 0.3), {"smile": 1.0})
    assert closeness(saved(page), expected) > 45


@pytest.mark.parametrize("face", [FACE, (STREAMS / "level6.hsc").read_bytes()], ids=["3", "6"])
def test_an_edited_face_is_saved_as_a_file_that_python_reads(receiver, visit, codec, face) -> None:
    page = visit(receiver, DESK)
    open_face(page, face)
    assert saved_file(page) == face  # nothing is edited: the file as it came
    edits = {"smile": 1.0, "hair_light": 0.4}
    for name, amount in edits.items():
        move(page, f"#edit-{name}", amount)
    page.wait_for_selector(AT_REST)
    data = saved_file(page)
    opened, level = codec.open(face), unpack(face).level
    expected = codec.compress_edited(opened, edits, level)
    assert len(data) == pytest.approx(len(expected), rel=0.01)
    assert unpack(data).level == level
    # the receiver's weights have fewer bits, so some numbers of the edited face round otherwise
    assert closeness(codec.decode(data), codec.decode(expected)) > 36
    open_face(page, data)
    page.wait_for_function("document.getElementById('canvas').dataset.opened === '2'")
    page.wait_for_function("document.getElementById('note').textContent.startsWith('SCN + FCN')")
    assert closeness(saved(page), codec.decode(data)) > 45


def test_it_works_without_a_network_after_one_visit(receiver, visit) -> None:
    page = visit(receiver, PHONE)
    page.wait_for_selector(READY)
    assert page.locator("#drawing").is_hidden()  # no graphics card here, so no choice
    page.wait_for_selector("body[data-offline]")
    page.context.set_offline(True)
    page.reload()
    open_face(page)
    # what the page kept comes with the headers for several threads, which this host does not send
    assert page.evaluate("crossOriginIsolated")
    cores = page.evaluate("Math.min(4, navigator.hardwareConcurrency)")
    assert f"{cores} thread" in page.locator("#engine").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_text_address_and_qr_code_bring_a_face(receiver, visit) -> None:
    text = to_text((STREAMS / "level1.hsc").read_bytes())
    page = visit(f"{receiver}?face={text.lower()}", DESK)
    page.wait_for_selector(OPENED)
    page = visit(receiver, DESK)
    page.wait_for_selector(READY)
    page.locator("#text").fill(text)
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_selector(OPENED)
    page = visit(receiver, DESK)
    page.wait_for_selector(READY)
    buffer = io.BytesIO()
    qr_code(text).save(buffer, kind="png", scale=6)
    give(page, buffer.getvalue(), "code.png", "image/png")
    page.wait_for_selector(OPENED)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [(FACE[:5], "ends inside its header"), (FACE[:-1], "of the FCN layer arrived"),
     (b"hello", "does not begin with the letters HSC"),
     (FACE[:4] + b"\0\0" + FACE[6:], "is damaged")],
)  # fmt: skip
def test_what_is_no_face_gets_one_sentence(receiver, visit, data, sentence) -> None:
    page = visit(receiver, DESK)
    page.wait_for_selector(READY)
    give(page, data)
    alert = page.get_by_role("alert")
    alert.wait_for(timeout=MODEL_WAIT)
    assert sentence in alert.inner_text()
    assert page.locator("#tools").is_hidden()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing_to_mend(receiver, visit, modules, size) -> None:
    axe = (modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    page = visit(receiver, size)
    page.wait_for_selector(READY)

    def check() -> None:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.evaluate(axe)
            found = page.evaluate("axe.run()")["violations"]
            assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found] == [], scheme

    check()
    give(page, b"hello")
    page.get_by_role("alert").wait_for()
    open_face(page)
    page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    check()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_keys_reach_everything_in_reading_order(receiver, visit) -> None:
    page = visit(receiver, PHONE)
    open_face(page)
    page.evaluate("document.activeElement.blur()")
    reached: list[str] = []
    for _ in range(10):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.value"))
        if len(reached) > 1:  # nothing that has the focus is behind the picture, which stays
            place = "getBoundingClientRect()"
            top = page.evaluate(f"document.activeElement.{place}.top")
            assert top >= page.evaluate(f"document.querySelector('.viewer').{place}.bottom") - 1
    assert reached[:4] == ["file", "scan", "example", "text"]
    assert reached[5:9] == ["scn+fcn", "save", "save-file", "copy"]


def test_sliders_are_filled_from_zero_and_say_their_unit(receiver, visit) -> None:
    page = visit(receiver, DESK)
    page.wait_for_selector(READY)
    slider = page.locator("#edit-yaw")
    parts = "(s) => ['--from', '--to'].map((name) => Number(s.style.getPropertyValue(name)))"
    move = "(s, v) => { s.value = v; s.dispatchEvent(new Event('input')) }"
    for value, ends, text in ((8, [0.5, 0.7], "8 degrees"), (-1, [0.475, 0.5], "-1 degree")):
        slider.evaluate(move, value)
        assert slider.evaluate(parts) == pytest.approx(ends)
        assert slider.get_attribute("aria-valuetext") == text


def test_the_runtime_is_what_the_sources_build(modules) -> None:
    done = subprocess.run(
        ["npm", "run", "build"], cwd=modules.parent, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    built, committed = (
        {path.name: path.read_bytes() for path in (folder / "dist").iterdir()}
        for folder in (modules.parent, ROOT / "web")
    )
    assert built.keys() == committed.keys()
    assert [name for name in built if built[name] != committed[name]] == []
