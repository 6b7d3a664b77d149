"""What leaves to be shared: the link that carries a face, the card, the clips; all marked."""

import io

import imageio_ffmpeg
import numpy as np
import pytest
import zxingcpp
from fakes import FakeCodec
from paths import ASTRONAUT
from PIL import Image

from app.results import CurrentFace, Sizes, facts_of
from app.services import clips
from app.services.cards import Card, card_png
from app.services.clips import Frame, arriving, clip, there_and_back
from app.services.links import LONGEST, face_link
from hsc.bitstream import with_layers
from hsc.bitstream.text import from_text
from hsc.errors import HscError
from hsc.images import marks

ADDRESS = "https://studio.example/?face="


@pytest.fixture(scope="module")
def face():
    """A file, and what its layers draw."""
    codec = FakeCodec()
    data = codec.encode(codec.random_face(3), 2)
    pictures = {
        layers: marks.put(codec.decode(data, layers), marks.decoded(data, layers))
        for layers in ("scn", "scn+fcn")
    }
    return data, pictures


def test_a_link_carries_the_whole_file_where_that_fits(face):
    data, _ = face
    whole = face_link(data, ADDRESS)
    assert whole.whole and "whole face" in whole.carries
    assert whole.link.startswith(ADDRESS) and len(whole.link) <= LONGEST
    assert from_text(whole.link) == data
    short = face_link(data, ADDRESS, longest=len(whole.link) - 1)
    assert not short.whole and "essence alone" in short.carries
    assert from_text(short.link) == with_layers(data, "scn")


@pytest.mark.parametrize("layers", ["scn", "scn+fcn"])
def test_the_code_on_a_card_holds_the_face(face, layers):
    data, pictures = face
    data = with_layers(data, layers)
    card = Card(pictures[layers], data, face_link(data, ADDRESS), pictures["scn"])
    png = card_png(card)
    assert marks.read(png) == marks.of(pictures[layers])
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.width / picture.height == pytest.approx(1.91, abs=0.01)
        (code,) = zxingcpp.read_barcodes(picture)
    assert code.text.startswith(ADDRESS)
    assert from_text(code.text) in (data, with_layers(data, "scn"))
    if layers == "scn":
        assert from_text(code.text) == data


def test_a_face_arrives_byte_by_byte_and_its_clip_is_marked(face):
    data, pictures = face
    sizes = Sizes.of(facts_of(data))
    frames = list(arriving(sizes, *pictures.values(), rival=("AVIF", None)))
    first, last = frames[0].picture, frames[-1].picture
    assert not np.array_equal(np.asarray(first), np.asarray(last))
    mark = marks.of(pictures["scn+fcn"])
    for kind in clips.kinds():
        made = clip([frames[0], frames[12], frames[-1]], kind)
        assert marks.read(made) == mark
    alone = list(arriving(Sizes.of(facts_of(with_layers(data, "scn"))), pictures["scn"], None))
    assert len(alone) < len(frames)


def test_an_mp4_plays_the_frames_as_long_as_they_stand(tmp_path):
    colours = [(200, 40, 40), (40, 160, 60), (40, 60, 200)]
    frames = [
        Frame(Image.new("RGB", (65, 48), colour), 200 * (n + 1)) for n, colour in enumerate(colours)
    ]
    path = tmp_path / "clip.mp4"
    path.write_bytes(clip(frames, "mp4", marks.Mark(marks.COMPOSITE)))
    reader = imageio_ffmpeg.read_frames(str(path))
    facts = next(reader)
    shown = [np.frombuffer(raw, np.uint8).reshape(48, 64, 3) for raw in reader]
    assert facts["size"] == (64, 48) and facts["codec"] == "h264"
    assert len(shown) == 1.2 * clips.FPS
    for number, colour in ((0, colours[0]), (8, colours[1]), (-1, colours[2])):
        assert np.abs(shown[number].mean((0, 1)) - colour).max() < 12


def test_a_way_goes_there_and_back():
    way = [Image.new("RGB", (8, 8), (shade, 0, 0)) for shade in (0, 80, 160, 240)]
    frames = there_and_back(way, ms=50, rest=500)
    assert [frame.picture for frame in frames] == [*way, way[2], way[1]]
    assert [frame.ms for frame in frames] == [500, 50, 50, 500, 50, 50]
    with Image.open(io.BytesIO(clip(frames, "webp"))) as picture:
        assert picture.n_frames == 6


def test_without_ffmpeg_there_are_webp_and_gif(monkeypatch):
    monkeypatch.setattr(clips, "find_spec", lambda name: None)
    assert clips.kinds() == ("webp", "gif")
    with pytest.raises(HscError, match="mp4, webp, gif"):
        clip([Frame(Image.new("RGB", (8, 8)))], "avi")
    with pytest.raises(HscError, match="got none"):
        clip([], "gif")


def test_a_visitors_face_is_shared_as_card_and_clip(studio):
    result = studio.compress(ASTRONAUT, 2, align=False)
    for layers in ("scn+fcn", "scn"):
        file = result.file(layers)
        current = CurrentFace(result, layers, file, studio.decode(file, layers).picture)
        link = studio.sharing.link(file, ADDRESS)
        assert from_text(link.link) == file
        card = studio.sharing.card(current, ADDRESS)
        assert studio.sharing.card(current, ADDRESS) is card, "made once"
        made = studio.sharing.clip(current, "webp")
        assert marks.read(card) == marks.read(made) == marks.decoded(file, layers)
        with Image.open(io.BytesIO(made)) as picture:
            assert picture.n_frames > 5 and picture.width > picture.height
