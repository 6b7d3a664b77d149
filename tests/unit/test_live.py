"""A visitor's camera, over a tiny random model."""

from __future__ import annotations

import io
import threading
import uuid

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient
from tiny_model import TinyCodec

from app.executor import Executor
from app.services import live as service
from app.services.live import NO_FACE, CameraBusy, Live
from app.tabs.live import camera
from hsc import sequence
from hsc.domains.ffhq_face.align import Square
from hsc.errors import BitstreamError, HscError
from hsc.sequence.live import STILL, LiveDecoder, LiveEncoder
from hsc.sequence.track import Follower, towards


def frame(number: int = 0) -> Image.Image:
    """A light square that moves."""
    pixels = np.full((80, 96, 3), 60, np.uint8)
    pixels[20:50, 10 + 5 * number : 40 + 5 * number] = 220
    return Image.fromarray(pixels)


def jpeg(number: int = 0) -> bytes:
    buffer = io.BytesIO()
    frame(number).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def codec() -> TinyCodec:
    return TinyCodec()


@pytest.fixture
def live(codec: TinyCodec) -> Live:
    return Live(Executor(lambda: codec))


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Numbers of the looks at which no face is found."""
    hidden: set[int] = set()
    looks = iter(range(1000))
    find = Follower.square

    def square(self: Follower, image: Image.Image) -> Square | None:
        return None if next(looks) in hidden else find(self, image)

    monkeypatch.setattr(Follower, "square", square)
    return hidden


def test_records_are_those_of_a_file_and_pictures_those_of_its_frames(codec: TinyCodec) -> None:
    encoder = LiveEncoder(codec, 3, (96, 80))
    decoder = LiveDecoder(codec, encoder.header)
    coded = [encoder.code(frame(number)) for number in range(4)]
    pictures = [decoder.draw(each.record) for each in coded if each]
    assert [each.frame.key for each in coded if each] == [True, False, False, False]

    data = encoder.file(4.0)
    file = sequence.unpack(data)
    assert file.lost == 0 and file.header.coded_fps == 4.0
    assert sequence.unpack(encoder.file(0.4)).header.coded_fps == 0.4  # as slow as it was
    assert [f.layers for f in file.frames] == [c.frame.layers for c in coded if c]
    assert file.sizes == tuple(len(each.record) for each in coded if each)
    shown = sequence.decode_frames(codec, data, between=False, preview=True)
    for one, other in zip(pictures, shown, strict=True):
        assert np.array_equal(np.asarray(one), np.asarray(other.picture))


def test_after_a_lost_face_comes_a_key_frame(codec: TinyCodec, blind: set[int]) -> None:
    blind |= {0, 3}
    encoder = LiveEncoder(codec, 3, (96, 80))
    coded = [encoder.code(frame(number)) for number in range(6)]
    assert [each and each.frame.key for each in coded] == [None, True, False, None, True, False]
    assert [each.frame.number for each in coded if each] == [0, 1, 2, 3]
    with pytest.raises(BitstreamError, match="No frame was coded"):
        LiveEncoder(codec, 3, (96, 80)).file(4.0)


def test_a_record_that_does_not_fit_is_refused(codec: TinyCodec) -> None:
    encoder = LiveEncoder(codec, 3, (96, 80))
    records = [each.record for n in range(3) if (each := encoder.code(frame(n)))]
    decoder = LiveDecoder(codec, encoder.header)
    with pytest.raises(BitstreamError, match="wait for a key frame"):
        decoder.draw(records[1])
    decoder.draw(records[0])
    with pytest.raises(BitstreamError, match="wait for a key frame"):
        decoder.draw(records[2])
    damaged = bytes([*records[1][:-1], records[1][-1] ^ 1])
    for wrong in (damaged, records[1] + b"\0", records[1][:-1], b""):
        with pytest.raises(BitstreamError, match="damaged"):
            decoder.draw(wrong)
    decoder.draw(records[1])


def test_old_frames_are_dropped_up_to_a_key_frame(
    codec: TinyCodec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hsc.sequence.live.KEPT", 5)
    encoder = LiveEncoder(codec, 3, (96, 80), fps=1.0)  # every fifth frame is a still
    for number in range(7):
        encoder.code(frame(number))
    file = sequence.unpack(encoder.file(2.0))
    assert [f.key for f in file.frames] == [True, False]


def test_small_changes_of_the_crop_are_smoothed_and_large_ones_followed() -> None:
    before = Square(100, 100, 200, 0.0)
    near = towards(before, Square(101, 100, 200, 0.01), STILL)
    assert 100 < near.x < 100.6 and 0 < near.angle < 0.006
    assert towards(before, Square(101, 100, 200, 0.0)).x < near.x
    far = towards(before, Square(130, 90, 250, 0.3))
    assert (far.x, far.y, far.side, far.angle) == pytest.approx((130, 90, 250, 0.3))


def test_a_camera_gets_pictures_from_its_bytes(live: Live, codec: TinyCodec) -> None:
    first = live.frame("a", jpeg(0), 3)
    second = live.frame("a", jpeg(1), 3, {"smile": 9.0, "no such edit": 1.0})
    assert first and second
    assert (first.key, second.key, second.number) == (True, False, 1)
    assert Image.open(io.BytesIO(second.picture)).size == (32, 32)
    assert codec.drawn[-1] == {"smile": 0.75}  # brought into its range, and held back by half
    assert len(second.corners) == 4 and second.encode_ms > 0 < second.decode_ms
    other = live.frame("b", jpeg(0), 3)
    assert other and other.key and other.picture == first.picture
    assert sequence.unpack(live.file("a")).header.frames == 2
    again = live.frame("a", jpeg(2), 4)  # another level: another sequence
    assert again and again.key and again.number == 0


def test_no_face_is_no_error(live: Live, blind: set[int]) -> None:
    blind.add(1)
    results = [live.frame("a", jpeg(number), 3) for number in range(3)]
    assert results[1] is None
    assert results[0] and results[2] and results[2].key


def test_a_frame_that_comes_too_soon_is_dropped(live: Live, codec: TinyCodec) -> None:
    inside, go = threading.Event(), threading.Event()
    live.frame("a", jpeg(0), 3)

    def hold(_: object) -> None:
        inside.set()
        go.wait(10)

    thread = threading.Thread(target=live.executor.run, args=(hold,))
    thread.start()
    inside.wait(10)
    waiting = threading.Thread(target=live.frame, args=("a", jpeg(1), 3))
    waiting.start()
    while live.executor.calls.waiting < 1:
        pass
    with pytest.raises(CameraBusy):
        live.frame("a", jpeg(2), 3)
    go.set()
    thread.join()
    waiting.join()


def test_so_many_cameras_and_no_more(live: Live) -> None:
    names = [str(number) for number in range(service.MOST_VISITORS)]
    for name in names:
        live.frame(name, jpeg(), 3)
    with pytest.raises(HscError, match="cameras are in use"):
        live.frame("one more", jpeg(), 3)
    live.close(names[0])
    assert live.frame("one more", jpeg(), 3)
    with pytest.raises(HscError, match="cameras are in use"):
        live.frame(names[0], jpeg(), 3)
    assert sequence.unpack(live.file(names[0])).header.frames == 1


def test_what_the_server_answers(live: Live, blind: set[int]) -> None:
    blind.add(2)
    app = Starlette(routes=camera.routes())
    app.get_blocks = lambda: app  # type: ignore[attr-defined]
    app.live = live  # type: ignore[attr-defined]
    client = TestClient(app)
    name = str(uuid.uuid4())

    def post(data: bytes = jpeg(), asked: str | None = None) -> tuple[int, dict]:
        asked = asked or f'{{"visitor": "{name}", "level": 2, "edits": {{"smile": 1}}}}'
        response = client.post("/live/frame", content=data, headers={"x-hsc-camera": asked})
        return response.status_code, response.json()

    status, answer = post()
    assert status == 200 and answer["key"] and answer["picture"].startswith("data:image/jpeg")
    status, answer = post()
    assert status == 200 and not answer["key"]
    assert post() == (200, {"note": NO_FACE})
    for asked in ("", "[]", '{"visitor": "../x", "level": 2, "edits": {}}', "{}"):
        assert post(asked=asked or " ")[0] == 400
    assert post(b"no picture")[0] == 422
    assert post(bytes(service.LARGEST_FRAME + 1))[0] == 422
    saved = client.get(f"/live/{name}.hsv")
    assert sequence.unpack(saved.content).header.frames == 2
    assert client.post("/live/stop", content=name).status_code == 204
    assert client.get("/live/unknown.hsv").status_code == 422
