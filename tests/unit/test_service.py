"""The studio's service over a stand-in codec: what is drawn from what, and what runs again."""

import io
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from fakes import CorrectingCodec, FakeCodec
from paths import ASTRONAUT
from PIL import Image

from app.cache import Cache, SharedCache, fingerprint, size_of
from app.files import keep_bytes, keep_picture
from app.monitoring import CODING
from app.results import Progress, Sizes
from app.services.facts import level_name
from app.studio import LARGEST_FILE, Studio
from app.tabs.compress import html as compress_html
from app.tabs.receive import html as decode_html
from hsc.bitstream import describe, unpack, with_layers
from hsc.errors import BitstreamError, HscError, NoFaceError, PhotoError, WeightsError
from hsc.images import marks
from hsc.types import DecodedLatents

NO_FACE = r"^No face was found in this picture, upright or turned by 90, 180 or 270 degrees\.$"


@pytest.fixture(scope="module")
def two_faces():
    """The astronaut twice, the second a little smaller."""
    with Image.open(ASTRONAUT) as one:
        both = Image.new("RGB", (one.width * 2, one.height), "white")
        both.paste(one, (0, 0))
        both.paste(one.resize((one.width * 4 // 5, one.height * 4 // 5)), (one.width, 0))
    return both


def compress(studio, level=3, photo=ASTRONAUT):
    """Of the centre, because looking for a face takes longer than all the rest."""
    return studio.compress(photo, level, align=False)


def landscape():
    """A picture without a face."""
    rows = np.linspace(60, 200, 300, dtype=np.uint8)[:, None, None]
    return Image.fromarray(np.broadcast_to(rows, (300, 500, 3)).copy())


def same(one, other):
    return np.array_equal(np.asarray(one), np.asarray(other))


def test_results_grow_from_the_crop_to_both_pictures(studio):
    crop, data, scn, both = studio.steps(ASTRONAUT, 3)
    assert crop.prepared.crop.size == (1024, 1024) and crop.data is None
    assert unpack(data.data).level == 3 and data.picture_scn is None
    assert scn.picture_scn is not None and scn.picture_both is None
    assert same(both.picture_scn, scn.picture_scn)
    assert not same(both.picture_both, both.picture_scn)
    assert list(both.seconds) == ["find", "analyse", "compress", "draw SCN", "draw SCN + FCN"]


@pytest.fixture
def correcting():
    codec = CorrectingCodec()
    codec.go.set()
    return codec


def test_where_files_take_long_drafts_come_first(correcting):
    studio = Studio(lambda: correcting)

    def steps(level, drafts=True, cancelled=lambda: False):
        correcting.calls.clear()
        return list(studio.steps(ASTRONAUT, level, 0, False, drafts, cancelled))

    crop, *drafts, data, _, both = steps(3)
    assert crop.data is None and not data.draft and all(each.draft for each in drafts)
    first, *corrected = drafts[2:]
    assert same(first.picture_both, FakeCodec().decode(first.data)) and first.data != both.data
    assert [each.correcting for each in corrected] == [Progress(n, 3) for n in (1, 2, 3)]
    assert all(same(each.picture_both, first.picture_both) for each in corrected)
    assert correcting.calls.index("draw") < correcting.calls.index("correct")
    assert list(both.seconds) == ["find", "analyse", "compress", "draw SCN", "draw SCN + FCN"]
    # another level of the same face: its draft begins with what is known of it
    drafts = [each for each in steps(4) if each.draft]
    assert [each.correcting for each in drafts] == [None] * 3 + [Progress(1, 1)]
    assert "analyse" not in correcting.calls and correcting.calls.count("correct") == 1
    # a file that is there comes at once, and a draft only to those who ask for one
    assert [each.draft for each in steps(4)] == [False]
    crop, step, *grown = steps(5, drafts=False)
    assert step == replace(crop, correcting=Progress(1, 1)) and len(grown) == 3
    assert len(steps(6, drafts=False, cancelled=None)) == 4
    # and the page's files are counted, drafts are not
    assert studio.executor.calls.ended()["encode_in_steps", "done"] == 3 and "draft" not in CODING


def test_whoever_asks_for_something_else_does_not_wait_for_the_file(correcting):
    studio, given_up = Studio(lambda: correcting), threading.Event()
    correcting.go.clear()
    for result in studio.steps(ASTRONAUT, 3, 0, False, drafts=True, cancelled=given_up.is_set):
        if result.correcting:
            given_up.set()
    assert result.draft and result.correcting == Progress(0, 3)
    correcting.go.set()
    # what was not given up is made as ever
    assert not compress(studio, 3).draft and correcting.calls.count("correct") == 1


def test_a_file_that_is_made_at_once_has_no_draft(studio, correcting):
    correcting.device = torch.device("cuda")
    for each in studio, Studio(lambda: correcting):
        assert len(list(each.steps(ASTRONAUT, 3, 0, False, drafts=True, cancelled=bool))) == 4


def test_sizes_of_levels_are_about_right_until_their_files_are_made(correcting):
    codec = correcting
    studio = Studio(lambda: codec)
    result = compress(studio, 5)
    sizes = list(studio.compression.level_sizes(result.prepared))
    assert [each.exact for each in sizes] == [False, False, False, False, True, False]
    assert sizes[4].size == len(result.file()) and codec.calls.count("correct") == 1
    tried = len(codec.calls)
    assert list(studio.compression.level_sizes(result.prepared)) == sizes
    assert len(codec.calls) == tried  # they are kept
    shown = compress_html.stops({each.level: each for each in sizes}, 5)
    assert shown.count("≈") == 5 and f"{len(result.file()):,}<i> bytes" in shown
    alone = list(studio.compression.level_sizes(result.prepared, "scn"))
    assert [each.exact for each in alone] == [each.exact for each in sizes]
    compress(studio, 2)
    assert next(s for s in studio.compression.level_sizes(result.prepared) if s.level == 2).exact


def test_sizes_of_levels_are_those_of_files_where_nothing_is_corrected(studio):
    result = compress(studio, 3)
    for each in studio.compression.level_sizes(result.prepared):
        assert each.exact and each.size == len(compress(studio, each.level).file())


def test_a_size_in_bytes_is_a_level(studio, codec):
    sizes = [len(compress(studio, level).file()) for level in (1, 3)]
    level = studio.level_within(ASTRONAUT, sizes[1] - 1, align=False)
    assert 1 < level < 3
    tried = codec.calls.count("analyse"), len(codec.calls)
    assert sizes[0] < len(compress(studio, level).file()) < sizes[1]
    assert tried[0] == 1 and "compress" not in "".join(codec.calls[tried[1] :])  # kept
    with pytest.raises(HscError, match=f"ask for at least {sizes[0]:,}"):
        studio.level_within(ASTRONAUT, sizes[0] - 1, align=False)


def test_a_remembered_result_comes_whole(studio):
    compress(studio, 3)
    (again,) = studio.steps(ASTRONAUT, 3, align=False)
    assert again.picture_both is not None
    # another level of the same crop: from the crop on, nothing is remembered
    assert len(list(studio.steps(ASTRONAUT, 4, align=False))) == 4


def test_pictures_are_drawn_from_the_bytes(studio):
    result = compress(studio, 2)
    stranger = FakeCodec()
    assert same(result.picture_both, stranger.decode(result.data))
    assert same(result.picture_scn, stranger.decode(result.file("scn"), "scn"))


def test_moving_the_level_codes_and_draws_but_neither_looks_nor_analyses(studio, codec):
    compress(studio, 3)
    codec.calls.clear()
    compress(studio, 4.5)
    assert codec.calls == ["compress 4.5", "open scn", "draw", "open scn+fcn", "draw"]


def test_what_was_shown_before_runs_nothing(studio, codec):
    first = compress(studio, 3)
    compress(studio, 6)
    codec.calls.clear()
    again = compress(studio, 3)
    studio.decode(again.data, "scn", {"smile": 0})
    assert codec.calls == []
    assert again.data == first.data


def test_the_file_without_fcn_is_smaller_and_draws_the_same_scn(studio):
    result = compress(studio, 3)
    small = result.file("scn")
    assert len(small) < len(result.data) == result.sizes().total
    assert unpack(small).fcn is None
    assert result.sizes("scn") == Sizes.of(describe(small))
    assert same(studio.decode(small).picture, result.picture_scn)


def test_a_file_without_fcn_says_what_it_drew(studio):
    small = with_layers(compress(studio, 1).data, "scn")
    assert studio.decode(small, "scn+fcn").layers == "scn"
    with pytest.raises(BitstreamError, match="no FCN layer"):
        studio.decode(small, "fcn")


def test_a_damaged_fcn_still_draws_scn(studio):
    data = compress(studio, 3).data
    damaged = data[:-1] + bytes([data[-1] ^ 1])
    assert same(studio.decode(damaged, "scn").picture, studio.decode(data, "scn").picture)
    with pytest.raises(BitstreamError, match="damaged"):
        studio.decode(damaged)


def test_the_ratio_is_to_the_uploaded_file(studio):
    from_file = compress(studio, 3)
    assert from_file.prepared.upload_bytes == ASTRONAUT.stat().st_size
    assert from_file.ratio() == pytest.approx(ASTRONAUT.stat().st_size / len(from_file.data))
    assert from_file.ratio("scn") > from_file.ratio()
    with Image.open(ASTRONAUT) as image:
        assert compress(studio, 3, image).ratio() is None


def test_a_face_is_compared_with_its_part_of_the_upload(studio, two_faces):
    buffer = io.BytesIO()
    two_faces.save(buffer, format="PNG")
    large, small = (studio.compress(buffer.getvalue(), 3, number) for number in (0, 1))
    assert 0 < small.prepared.share < large.prepared.share < 1
    assert small.face_ratio() == pytest.approx(small.ratio() * small.prepared.share)
    with Image.open(ASTRONAUT) as image:
        assert compress(studio, 3, image).face_ratio() is None


def test_each_of_several_faces_can_be_chosen(studio, two_faces):
    large, small = studio.prepare(two_faces, 0), studio.prepare(two_faces, 1)
    assert len(large.faces) == 2
    assert large.key != small.key
    # the same person: the crops show the same
    difference = np.abs(np.asarray(large.crop, float) - np.asarray(small.crop, float)).mean()
    assert difference < 25
    with pytest.raises(PhotoError, match="has faces 0 to 1"):
        studio.prepare(two_faces, 2)


def test_without_a_face_the_centre_is_taken_only_when_asked(studio):
    with pytest.raises(NoFaceError, match=NO_FACE):
        studio.prepare(landscape())
    centre = studio.prepare(landscape(), align=False)
    assert centre.crop.size == (1024, 1024) and centre.faces == ()


@pytest.mark.parametrize("data", [b"", b"GIF89a nothing", b"HSC", bytes(200)])
def test_unreadable_files_give_one_sentence(studio, data):
    with pytest.raises(BitstreamError) as error:
        studio.decode(data)
    assert str(error.value).endswith(".") and "\n" not in str(error.value)


def test_a_huge_file_is_refused_unread(studio):
    with pytest.raises(BitstreamError, match="too large"):
        studio.decode(bytes(LARGEST_FILE + 1))


def test_unknown_layers_and_edits_are_refused(studio):
    data = compress(studio, 1).data
    with pytest.raises(HscError, match="layers"):
        studio.decode(data, "everything")
    with pytest.raises(HscError, match="frown"):
        studio.decode(data, edits={"frown": 1.0})


def test_edits_change_the_picture_and_not_the_file(studio):
    data = compress(studio, 3).data
    plain, edited = studio.decode(data), studio.decode(data, edits={"smile": 1.0})
    assert not same(plain.picture, edited.picture)
    assert plain.facts == edited.facts


def test_the_page_can_be_shown_while_the_model_loads(codec):
    go = threading.Event()

    def load():
        go.wait(10)
        return codec

    studio = Studio(load)
    assert not studio.ready
    # photos are read and cropped meanwhile
    assert studio.prepare(ASTRONAUT).crop.size == (1024, 1024)
    go.set()
    assert studio.codec is codec and studio.ready


def test_a_model_that_cannot_be_loaded_says_why():
    def load():
        raise WeightsError("The weights are missing: run the import command.")

    with pytest.raises(WeightsError, match="missing"):
        Studio(load).compress(ASTRONAUT)

    def crash():
        raise RuntimeError("unrelated internals")

    with pytest.raises(HscError, match="could not be loaded"):
        Studio(crash).codec  # noqa: B018


def test_one_call_at_a_time_reaches_the_model():
    running, most = 0, 0

    class Watched(FakeCodec):
        def draw(self, *args, **options):
            nonlocal running, most
            running += 1
            most = max(most, running)
            time.sleep(0.05)
            running -= 1
            return super().draw(*args, **options)

    studio = Studio(Watched)
    data = compress(studio, 1).data
    threads = [
        threading.Thread(target=studio.decode, args=(data, "scn", {"smile": n / 10}))
        for n in range(1, 5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_what_is_remembered_is_bounded_by_bytes_and_the_longest_unused_goes():
    shared = SharedCache(limit=100_000)
    pictures, files = Cache(shared), Cache(shared)
    for name in "abc":
        pictures.get_or_make(name, lambda: Image.new("RGB", (100, 100)))  # 30,000 bytes
    pictures.get_or_make("a", lambda: pytest.fail("made again"))
    files.get_or_make("a", lambda: bytes(20_000))  # the same key, of another kind
    assert "a" in pictures and "c" in pictures and "b" not in pictures and "a" in files
    assert 80_000 < shared.size <= shared.limit
    pictures.get_or_make("d", lambda: Image.new("RGB", (200, 200)))  # too large beside anything
    assert "d" in pictures and "a" not in files and shared.size < 121_000
    pictures.get_or_make("e", lambda: Image.new("L", (10, 10)))
    assert "d" not in pictures and shared.size < 1000


def test_a_crowd_of_faces_stays_within_the_memory():
    studio = Studio(FakeCodec, limit=40 << 20)
    for seed in range(8):
        studio.compress(studio.random_face(seed), 2, align=False)
    assert 20 << 20 < studio.cache.size <= studio.cache.limit


def test_sizes_are_those_of_what_is_inside():
    picture, tensor = Image.new("RGB", (100, 100)), torch.zeros(1, 512, 32, 32)
    opened = DecodedLatents(torch.zeros(1, 23, 512), tensor, tensor, "scn")
    for value, size in (
        (picture, 30_000), (np.zeros((100, 100)), 80_000), (b"x" * 5000, 5000),
        ((picture, 1.5), 30_000), ({"a": [picture, picture]}, 60_000), (opened, 4_242_000),
    ):  # fmt: skip
        assert size <= size_of(value) < size + 2500


def test_failures_are_not_cached():
    cache = Cache(SharedCache())
    with pytest.raises(HscError):
        cache.get_or_make("a", lambda: (_ for _ in ()).throw(HscError("no")))
    assert cache.get_or_make("a", lambda: 1) == 1


def test_fingerprints_tell_sizes_apart():
    wide, tall = Image.new("RGB", (2, 3)), Image.new("RGB", (3, 2))
    assert fingerprint(wide) != fingerprint(tall)


def test_files_are_lossless_written_once_and_rewritten_when_deleted(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    picture = FakeCodec().random_face(1)
    path = Path(keep_picture(picture, "face.png"))
    with Image.open(path) as kept:
        assert same(kept, picture)
    assert keep_picture(picture, "face.png") == str(path)
    path.unlink()
    assert Path(keep_picture(picture, "face.png")).is_file()
    assert Path(keep_bytes(b"HSC", "a.hsc")).read_bytes() == b"HSC"
    assert len(list(tmp_path.rglob("*.*"))) == 2


def test_the_readout_counts_every_byte(studio):
    result = compress(studio, 3)
    html = compress_html.readout(result, "scn+fcn")
    sizes = result.sizes()
    assert f"<span>{sizes.total:,}</span> bytes" in html
    assert f"{8 * len(result.data) / 2**20:.4f}" in html
    assert sizes.header + sizes.scn + sizes.fcn == len(result.data)
    assert "left out" in compress_html.readout(result, "scn")


@pytest.mark.parametrize(
    ("level", "words"),
    [(1, "level 1, postage stamp"), (6, "level 6, archive")],
)
def test_named_levels(level, words):
    assert level_name(level) == words


def test_half_levels_lie_between_names():
    assert level_name(2.5) == "level 2.5, between text message and everyday"


def test_file_facts_are_escaped():
    described = {
        "version": 1, "model": "<b>", "level": 3, "width": 1024, "height": 1024,
        "layers": ["scn"], "bytes": {"header": 14, "scn": 100, "fcn": 0, "total": 114}, "bpp": 0.1,
    }  # fmt: skip
    html = decode_html.facts(described)
    assert "&lt;b&gt;" in html and "not in this file" in html


def test_decoded_pictures_are_written_with_a_mark_and_originals_without(
    studio, tmp_path, monkeypatch
):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    result = compress(studio)
    edited = studio.decode(result.file(), edits={"smile": 1.0})
    drawn = {
        "scn+fcn": (result.picture_both, {}),
        "scn": (result.picture_scn, {}),
        "edited": (edited.picture, {"smile": 1.0}),
    }
    for name, (picture, edits) in drawn.items():
        mark = marks.read(Path(keep_picture(picture, f"{name}.png")).read_bytes())
        layers = "scn" if name == "scn" else "scn+fcn"
        assert mark == marks.decoded(result.file(), layers, edits)
    small = studio.decoding.preview(result.file()).resize((64, 64))
    assert marks.of(small) == marks.decoded(result.file())
    original = Path(keep_picture(result.crop, "original.png")).read_bytes()
    assert marks.read(original) is None
