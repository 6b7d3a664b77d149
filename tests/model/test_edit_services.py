"""Edits, faces between faces, measures and other codecs: the services, over a stand-in codec."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from fakes import FakeCodec
from paths import ASTRONAUT
from PIL import Image

from app.cache import SharedCache
from app.results import Edits, facts_of
from app.services.baselines import Baselines, as_json
from app.services.edit_words import ENDS, WORDS, edits_in_words
from app.services.editing import (
    LONGEST_HISTORY,
    EditTarget,
    History,
    amounts_over,
    is_on,
    shipped_edits,
    toggled,
    usable_presets,
)
from app.services.measure import Distances, Measures, difference
from app.services.morph import FRAME_PX, MIXES, MORPH, animation
from app.tabs.compress import html as compress_html
from app.tabs.compress.choices import codec_choice
from app.tabs.edit import html as edit_html
from hsc.errors import BitstreamError, HscError, NoFaceError


@pytest.fixture
def face(studio):
    result = studio.compress(ASTRONAUT, 3, align=False)
    return EditTarget(result.data, "scn+fcn", result.prepared)


def same(one, other):
    return np.array_equal(np.asarray(one), np.asarray(other))


def test_a_slider_reads_the_file_once_and_draws_small_pictures(studio, fake_codec, face):
    editing = studio.editing
    fake_codec.calls.clear()
    for amount in (0.1, 0.2, 0.3):
        assert editing.preview(face, Edits.of({"smile": amount})).size == (256, 256)
    assert fake_codec.calls == ["preview edited"] * 3  # opened when it was compressed
    fake_codec.calls.clear()
    editing.preview(face, Edits.of({"smile": 0.2}))
    assert fake_codec.calls == []


def test_a_late_preview_does_not_replace_the_whole_picture(studio, face):
    editing, look = studio.editing, Edits.of({"smile": 0.5})
    whole = editing.picture(face, look)
    assert same(editing.preview(face, look), whole)


def test_a_strip_runs_over_the_range_and_keeps_the_other_edits(studio, face):
    strip = studio.editing.strip(face, "smile")
    amounts = [amount for amount, _ in strip]
    assert amounts == sorted(amounts) and amounts[0] == -1.5 and amounts[-1] == 1.5
    plain = dict(strip)[0.0]
    assert same(plain, FakeCodec().preview(FakeCodec().open(face.data)))


@pytest.mark.parametrize("edit", shipped_edits(), ids=lambda edit: edit.name)
def test_amounts_stay_in_the_safe_range_and_hold_zero(edit):
    for count in (5, 7):
        amounts = amounts_over(edit, count)
        assert len(amounts) == len(set(amounts)) == count and 0 in amounts
        assert edit.low <= min(amounts) < max(amounts) <= edit.high


def test_presets_hold_what_the_table_allows():
    edits = {edit.name: edit for edit in shipped_edits()}
    usable = usable_presets(edits.values())
    assert len(usable) >= 5
    for amounts in usable.values():
        assert all(edits[name].low <= x <= edits[name].high for name, x in amounts.items())
    assert usable_presets([]) == {}


def test_a_grid_codes_every_level_from_one_analysis(studio, fake_codec, face):
    fake_codec.calls.clear()
    rows = list(studio.editing.grid(face, "smile", (1, 3, 6)))
    assert [row.level for row in rows] == [1, 3, 6]
    assert rows[0].total < rows[1].total < rows[2].total
    assert "analyse" not in fake_codec.calls
    html = edit_html.grid(studio.editing.edit("smile"), rows)
    assert html.count("<img") == sum(len(row.pictures) for row in rows)
    with pytest.raises(HscError, match="needs the photo"):
        list(studio.editing.grid(EditTarget(face.data), "smile"))


def test_a_face_comes_from_a_file_or_a_photo(studio, face, tmp_path):
    editing, path = studio.editing, tmp_path / "face"
    path.write_bytes(face.data)
    assert editing.target(path).data == face.data
    assert editing.target(ASTRONAUT).prepared.faces
    path.write_bytes(face.data[:-3])
    with pytest.raises(BitstreamError):
        editing.target(path)
    Image.new("RGB", (300, 300)).save(path, format="PNG")
    with pytest.raises(NoFaceError):
        editing.target(path)


def test_between_two_faces(studio, face):
    other = EditTarget(studio.codec.encode(FakeCodec().random_face(3), 3))
    between = studio.morph
    assert same(between.picture(face, other, MORPH, 0), studio.decode(face.data).picture)
    assert same(between.picture(face, other, MORPH, 1), studio.decode(other.data).picture)
    for kind in MIXES:
        assert between.picture(face, other, kind, 1, preview=True).size == (256, 256)
    with pytest.raises(HscError, match="kinds"):
        between.picture(face, other, "everything", 1)


def test_presets_combine_and_replace_each_other():
    smile, old, young = {"smile": 1.0}, {"age": 20.0}, {"age": -10.0}
    both = toggled(old, toggled(smile, {"yaw": 5.0}))
    assert both == {"yaw": 5.0, "smile": 1.0, "age": 20.0}
    assert is_on(smile, both) and is_on(old, both) and not is_on(young, both)
    younger = toggled(young, both)
    assert is_on(young, younger) and not is_on(old, younger) and is_on(smile, younger)
    assert toggled(young, younger) == {"yaw": 5.0, "smile": 1.0}


def test_edits_are_undone_redone_and_forgotten():
    history = History()
    assert history.values is None and not history.can_undo and not history.can_redo
    for value in (0, 1, 1, 2):
        history = history.with_values((value, 1))
    assert history.entries == ((0.0, 1.0), (1.0, 1.0), (2.0, 1.0)) and history.can_undo
    back = history.moved(-1)
    assert back.values == (1.0, 1.0) and back.can_redo
    assert back.with_values((1, 1)) == back  # drawing what is shown forgets nothing
    assert back.moved(1) == history and history.moved(1) == history
    assert back.with_values((5, 1)).entries[-1] == (5.0, 1.0)
    assert not back.with_values((5, 1)).can_redo
    for value in range(500):
        history = history.with_values((value, 0))
    assert len(history.entries) == LONGEST_HISTORY and history.values == (499.0, 0.0)


def test_an_edited_face_becomes_a_file_at_its_own_level(studio, face, fake_codec):
    editing, look = studio.editing, Edits.of({"smile": 1.0})
    assert editing.file(face, Edits()) == face.data
    data = editing.file(face, look)
    assert data != face.data and facts_of(data)["level"] == facts_of(face.data)["level"]
    calls = len(fake_codec.calls)
    assert editing.file(face, look) == data and len(fake_codec.calls) == calls


def test_what_is_held_back_is_said(studio, face):
    editing = studio.editing
    assert editing.held(face, Edits()) == 1 and editing.held(face, Edits.of({"smile": 1})) == 1
    share = editing.held(face, Edits.of({"smile": 1.5}))
    assert share == pytest.approx(0.8)
    html = edit_html.meanings(editing.table, Edits.of({"smile": 1.5}), share)
    assert "Held back to 80%" in html and "Corners of the mouth" in html
    assert "Held" not in edit_html.meanings(editing.table, Edits.of({"smile": 1}))


def test_edits_are_said_in_words():
    assert edits_in_words(Edits()) == "nothing edited yet"
    edits = Edits.of({"yaw": -12, "age": 1, "smile": 1.5, "pc1": 0.5})
    assert edits_in_words(edits) == (
        "1 year older, pc1 +0.5, more smile (+1.5), head 12 degrees left"
    )
    assert edits_in_words(edits, shipped_edits()).count("Principal 1 +0.5") == 1
    assert edits_in_words(Edits.of({"gender": -0.5, "glasses": 1})) == (
        "more feminine (-0.5), glasses (+1)"
    )
    named = {edit.name for edit in shipped_edits() if not edit.name.startswith("pc")}
    assert named == WORDS.keys() == ENDS.keys()


@pytest.mark.parametrize("kind", ["webp", "gif"])
def test_an_animation_goes_there_and_back(studio, face, kind):
    other = EditTarget(studio.codec.encode(FakeCodec().random_face(3), 3))
    frames = list(studio.morph.frames(face, other, MORPH, 4))
    with Image.open(io.BytesIO(animation(frames, kind))) as moving:
        assert moving.size == (FRAME_PX, FRAME_PX)
        assert moving.n_frames == 2 * len(frames) - 2


def test_the_difference_is_amplified_and_clipped():
    black, grey = Image.new("RGB", (2, 2)), Image.new("RGB", (2, 2), (10, 20, 100))
    assert difference(black, grey, 4).getpixel((0, 0)) == (40, 80, 255)
    assert same(difference(grey, grey, 8), black)


def test_measures_come_pixels_first_and_are_remembered(studio):
    with Image.open(ASTRONAUT) as image:
        crop = studio.prepare(image).crop
    blurred = crop.resize((64, 64)).resize(crop.size)
    measures = Measures(SharedCache())
    pixels, whole = measures.steps(crop, blurred)
    assert pixels.identity is None and whole.lpips == pixels.lpips > 0.05
    assert 0 < whole.identity < 1 and 10 < whole.psnr < 40
    assert list(measures.steps(crop, blurred)) == [whole]
    assert measures.measure(crop, crop).identity == 0
    html = compress_html.measures(whole)
    assert f"{whole.identity:.2f}" in html and f"LPIPS {whole.lpips:.3f}" in html
    assert "Measuring" in compress_html.measures(Distances(psnr=20, lpips=0.1))


def test_without_a_face_there_is_no_identity():
    flat = Image.new("RGB", (1024, 1024), "grey")
    measured = Measures(SharedCache()).measure(flat, flat)
    assert measured.no_face and measured.identity is None
    assert "No face" in compress_html.measures(measured)


def test_other_codecs_keep_to_the_bytes_or_say_that_they_cannot(studio):
    result = studio.compress(ASTRONAUT, 1, align=False)
    budget = 1200
    same_bytes = Baselines(Measures(SharedCache()), SharedCache())
    first, measured = same_bytes.steps(result.crop, budget, ["jpeg"])
    assert first.best_measured is None and measured.best_measured.lpips > 0
    assert not measured.full.fits and len(measured.full.data) > budget
    assert measured.best.fits and len(measured.best.data) <= budget and measured.best.px < 1024
    assert measured.full_measured is None  # over the budget: not held against ours
    assert json.loads(json.dumps(as_json(measured)))["best_size"]["px"] == measured.best.px
    assert list(same_bytes.steps(result.crop, budget, ["jpeg"])) == [measured]
    assert codec_choice(measured).note.startswith(f"coded at {measured.best.px} px, LPIPS")
    least = codec_choice(replace(measured, best=None))
    assert least.note == f"cannot go below {len(measured.full.data):,} bytes"
