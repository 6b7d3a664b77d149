"""A clip of a generated face, from the command line and back: no people."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hsc import sequence
from hsc.bitstream import Container
from hsc.bitstream.rans import encode_symbols
from hsc.cli import main
from hsc.codec import Codec
from hsc.images import marks
from hsc.sequence.video import Clip, write_mp4

pytestmark = pytest.mark.usefixtures("quick_model_in_use")

COUNT = 5


@pytest.fixture(scope="module")
def clip(codec: Codec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A face that does not exist begins to smile and moves to the right."""
    data = codec.compress(codec.analyse(codec.random_face(7), correct=False), 3)
    opened = codec.open(data)
    frames = []
    for number in range(COUNT):
        face = codec.draw(opened, {"smile": 0.3 * number}).resize((400, 400))
        frame = Image.new("RGB", (640, 480), (90, 100, 110))
        frame.paste(face, (80 + 4 * number, 40))
        frames.append(frame)
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    write_mp4(path, frames, 10)
    return path


@pytest.fixture(scope="module")
def coded(clip: Path) -> Path:
    """It as a .hsv file."""
    target = clip.with_name("clip.hsv")
    assert main(["encode", str(clip), str(target), "--level", "2", "--device", "cpu"]) == 0
    return target


def test_a_clip_is_opened(clip: Path) -> None:
    opened = Clip.open(clip)
    assert (opened.width, opened.height, opened.fps) == (640, 480, 10)
    assert [frame.size for frame in opened.frames(10)] == [(640, 480)] * COUNT
    assert len(list(opened.frames(10, seconds=0.2))) == 2


def test_predicted_frames_are_smaller_than_stills(codec: Codec, coded: Path) -> None:
    file = sequence.unpack(coded.read_bytes())
    assert [frame.key for frame in file.frames] == [True] + [False] * (COUNT - 1)
    sizes = [sum(map(len, frame.layers)) for frame in file.frames]
    assert max(sizes[1:]) < 0.8 * sizes[0]
    still, *costs = sequence.frame_costs(codec, file)
    assert max(cost.scn for cost in costs) < still.scn == 8 * len(file.frames[0].layers[0])
    bits = [cost.scn + cost.fcn + cost.rest for cost in (still, *costs)]
    assert bits == pytest.approx([8 * size for size in file.sizes])


def test_a_rate_is_kept(codec: Codec, clip: Path, tmp_path: Path) -> None:
    """The layers of a file that was asked for by its rate draw a face, and fit."""
    target = tmp_path / "rate.hsv"
    arguments = ["encode", str(clip), str(target), "--kbits", "24", "--device", "cpu"]
    assert main(arguments) == 0
    said = sequence.describe(target.read_bytes())
    assert 12 < said["kbit_per_second"] <= 24
    assert said["frames"]["key"] == 1


def test_info_tells_what_is_in_it(coded: Path, capsys) -> None:
    assert main(["info", str(coded)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["frames"] == {"coded": COUNT, "key": 1, "lost": 0}
    assert said["bytes"]["total"] == coded.stat().st_size


def test_the_frames_are_those_of_the_clip(codec: Codec, clip: Path, coded: Path) -> None:
    file = sequence.unpack(coded.read_bytes())
    shown = sequence.decode_frames(codec, file, between=False, preview=True)
    originals = list(Clip.open(clip).frames(10))
    for frame, original in zip(shown, originals, strict=True):
        square = frame.place.square
        half = square.side / 2
        box = tuple(
            round(v) for v in (square.x - half, square.y - half, square.x + half, square.y + half)
        )
        seen = np.asarray(original.crop(box).resize((64, 64)), float)
        drawn = np.asarray(frame.picture.resize((64, 64)), float)
        inner = (slice(16, 48), slice(16, 48))
        assert np.abs(seen[inner] - drawn[inner]).mean() < 16


def test_a_key_frame_is_a_still_without_fine_styles(codec: Codec, coded: Path) -> None:
    file = sequence.unpack(coded.read_bytes())
    n, (scn, fcn) = codec.networks, file.frames[0].layers
    symbols = n.scn.read_symbols(scn, 2, fine=False)
    whole = np.concatenate([symbols, n.scn.fine.quantise(None, 2)])
    still_scn = encode_symbols(whole, n.scn.scale_indexes(2), n.scn.exact.tables)
    context = n.context.feature(n.scn.decompress(still_scn, 2))
    y_hat = n.fcn.coder.base.decompress(fcn, context, 2)
    still_fcn = encode_symbols(*n.fcn.coder.quantise(y_hat, context, 2), n.fcn.coder.tables)
    still = Container(codec.model_id, 2, still_scn, still_fcn).pack()
    assert not codec.open(still).change.any()
    shown = next(iter(sequence.decode_frames(codec, file, preview=True)))
    assert shown.picture.tobytes() == codec.preview(codec.open(still)).tobytes()


def test_the_command_line_writes_an_edited_clip(coded: Path, tmp_path: Path, capsys) -> None:
    target = tmp_path / "out.mp4"
    arguments = ["decode", str(coded), str(target), "--preview", "--edit", "age=1"]
    assert main([*arguments, "--device", "cpu"]) == 0
    made = Clip.open(target)
    assert (made.width, made.height) == (256, 256)
    assert len(list(made.frames(made.fps))) == COUNT
    assert marks.read(target.read_bytes()) is not None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["encode", "{clip}", "out.hsc", "--fps", "5"], "--fps: it is for clips"),
        (["encode", "{clip}", "out.hsc", "--kbits", "12"], "--kbits: it is for clips"),
        (["encode", "{clip}", "out.hsv", "--bytes", "900"], "--bytes: it is not for clips"),
        (["encode", __file__, "out.hsv"], "is no video that can be read"),
        (["decode", "{coded}", "out.png"], "ends in .mp4"),
        (["decode", "{coded}", "out.mp4", "--layers", "scn"], "both layers"),
        (["decode", "{clip}", "out.png", "--preview"], "--preview: it is for clips"),
    ],
)
def test_wrong_commands_say_why(arguments, words, clip, coded, capsys) -> None:
    names = {"clip": clip, "coded": coded}
    assert main([each.format(**names) for each in arguments]) == 2
    assert words in capsys.readouterr().err
