"""The service of the room for clips, over a tiny random model."""

from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image
from tiny_model import TinyCodec

from app.cache import SharedCache
from app.executor import Executor
from app.results import Edits
from app.services.moving import CodedClip, DrawnClip, Moving, Step
from app.tabs.video import html
from hsc.errors import BitstreamError, HscError, PhotoError
from hsc.images import marks
from hsc.sequence.video import Clip, write_mp4

COUNT = 6


@pytest.fixture(scope="module")
def moving() -> Moving:
    return Moving(Executor(TinyCodec), SharedCache())


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A light square that moves, 10 frames a second."""
    frames = []
    for number in range(COUNT):
        pixels = np.full((80, 96, 3), 60, np.uint8)
        pixels[20:50, 10 + 5 * number : 40 + 5 * number] = 220
        frames.append(Image.fromarray(pixels))
    path = tmp_path_factory.mktemp("clips") / "square.mp4"
    write_mp4(path, frames, 10)
    return str(path)


@pytest.fixture(scope="module")
def coded(moving: Moving, clip: str) -> CodedClip:
    *steps, result = moving.encode_steps(clip, 3, 5)
    assert [step.done for step in steps if isinstance(step, Step)] == [0, 1, 2, 3]
    assert isinstance(result, CodedClip)
    return result


def test_a_clip_is_coded_frame_by_frame(coded: CodedClip) -> None:
    assert coded.facts["frames"] == {"coded": 3, "key": 1, "lost": 0}
    bits = sum(frame.scn + frame.fcn + frame.rest for frame in coded.frames)
    assert bits == 8 * (len(coded.data) - coded.facts["bytes"]["header"])
    assert [frame.key for frame in coded.frames] == [True, False, False]


def test_the_same_clip_is_not_coded_twice(moving: Moving, coded: CodedClip, clip: str) -> None:
    assert list(moving.encode_steps(clip, 3, 5)) == [coded]


def test_a_rate_is_kept_and_reported(moving: Moving, coded: CodedClip, clip: str) -> None:
    """Progress goes on while frames are analysed, and while their group is coded."""
    *steps, result = moving.encode_steps(clip, 3, 5, kbits=24)
    done = [step.done for step in steps if isinstance(step, Step)]
    assert done[0] == 0 and done[-1] == 3 and done == sorted(done)
    assert len(done) > 1 + 2 * 3  # each frame is analysed and coded, and the search has steps
    assert isinstance(result, CodedClip) and result.kbits == 24
    assert result.data != coded.data and result.facts["frames"]["coded"] == 3
    assert list(moving.encode_steps(clip, 3, 5, kbits=24)) == [result]
    said = html.facts(result)
    assert f"24 kbit/s aimed at, {result.facts['kbit_per_second']:.1f} reached" in said
    assert "aimed at" not in html.facts(coded)
    with pytest.raises(HscError, match="at least 2 kbit/s"):
        list(moving.encode_steps(clip, 3, 5, kbits=1))


def test_it_is_drawn_beside_the_original(moving: Moving, coded: CodedClip, tmp_path: Path) -> None:
    *steps, result = moving.draw_steps(coded)
    assert len(steps) == COUNT + 1
    assert isinstance(result, DrawnClip)
    assert result.px == 32
    sizes = {}
    for name in ("beside", "alone"):
        path = tmp_path / f"{name}.mp4"
        data = getattr(result, name)
        path.write_bytes(data)
        made = Clip.open(path)
        sizes[name] = made.width, made.height
        assert imageio_ffmpeg.count_frames_and_secs(str(path))[0] == COUNT
        mark = marks.read(data)
        assert mark is not None and mark.source == marks.COMPOSITE
    assert sizes == {"beside": (1024, 512), "alone": (32, 32)}
    left = next(Clip.open(tmp_path / "beside.mp4").frames(10)).crop((0, 0, 512, 512))
    assert left.getpixel((100, 200))[0] > 150 > left.getpixel((450, 480))[0]
    assert result.gif.startswith(b"GIF8")


def test_a_file_is_drawn_alone_and_edited(moving: Moving, coded: CodedClip, tmp_path: Path) -> None:
    opened = moving.read(coded.data)
    assert opened.source is None and opened.facts == coded.facts
    *_, result = moving.draw_steps(opened, Edits.of({"smile": 1.0}), full_size=True)
    assert isinstance(result, DrawnClip)
    assert result.px == 64
    mark = marks.read(result.alone)
    assert mark is not None and mark.recipe["edits"] == {"smile": 1.0}
    path = tmp_path / "beside.mp4"
    path.write_bytes(result.beside)
    assert Clip.open(path).width == 512


def test_what_is_stopped_has_no_result(moving: Moving, coded: CodedClip, clip: str) -> None:
    calls = iter([False, False, True, True, True, True, True])
    steps = list(moving.encode_steps(clip, 4, 5, lambda: next(calls)))
    assert all(isinstance(step, Step) for step in steps)
    steps = list(moving.draw_steps(coded, Edits.of({"smile": 0.5}), False, lambda: True))
    assert all(isinstance(step, Step) for step in steps)


def test_what_is_no_clip_is_refused(moving: Moving, coded: CodedClip, tmp_path: Path) -> None:
    other = tmp_path / "clip.mp4"
    other.write_bytes(b"no video at all" * 100)
    with pytest.raises(PhotoError, match="no video that can be read"):
        list(moving.encode_steps(str(other)))
    with pytest.raises(BitstreamError, match="not a .hsv file"):
        moving.read(b"something else")
