"""The services behind Explore and Vision over the real codec, and the figures made of them."""

import json
from itertools import combinations

import numpy as np
import pytest
from paths import ASTRONAUT
from PIL import Image

import hsc
from app.services.exploring import GENERATED, OnMap, Place
from app.services.portraits import ACROSS, COUNT, SHEET, SIDE
from app.services.rd_curve import METRICS, Curve, CurvePoint
from app.services.vision import as_json, verdict
from app.studio import Studio
from app.tabs.explore import figures
from app.tabs.explore import html as explore_html
from app.tabs.explore.events import parse_place
from app.tabs.explore.labels import overlap
from app.tabs.vision import html as vision_html
from hsc.analysis.latent_map import render_w_plus
from hsc.baselines.published import PAPER_POINTS
from hsc.bitstream import describe
from hsc.errors import HscError


@pytest.fixture(scope="module")
def studio(codec):
    return Studio(lambda: codec)


@pytest.fixture(scope="module")
def exploring(studio):
    return studio.explorer


@pytest.fixture(scope="module")
def photo(studio):
    return studio.prepare(ASTRONAUT)


@pytest.fixture(scope="module")
def face(studio, photo) -> bytes:
    return studio.compression.file(photo, 1)


def test_the_map_has_the_generated_faces_and_the_photo(exploring, photo):
    shown = exploring.face_map("axis1", "age")
    assert len(shown.faces) == GENERATED and shown.y.label == "Age"
    found = exploring.on_map(photo, 1, "axis1", "age")
    assert found.before != found.after
    # an edit goes up the axis of its own name by just its amount
    ages = {name: (amount, place) for name, _, amount, place in found.edits}
    amount, place = ages["age"]
    assert place[1] - found.after[1] == pytest.approx(amount, abs=0.05)


def test_faces_of_places(exploring, studio, photo, face):
    seed = exploring.face(Place(seed=3))
    assert np.array_equal(np.asarray(seed), np.asarray(studio.random_face(3)))
    after = exploring.face(Place(stage="after"), photo, 1)
    assert np.array_equal(np.asarray(after), np.asarray(studio.decode(face, "scn").picture))
    small = exploring.face(Place(seed=3), small=True)
    assert small.size == (256, 256)
    large = np.asarray(seed.resize((256, 256), Image.Resampling.BOX), float)
    assert np.abs(np.asarray(small, float) - large).mean() < 12


@pytest.mark.parametrize("from_photo", [False, True])
def test_the_face_at_a_place_lies_there(exploring, photo, from_photo):
    place = Place(at=(0.5, 10.0), x="axis3", y="age", from_photo=from_photo)
    assert exploring.where(place, "axis3", "age", photo, 1) == pytest.approx((0.5, 10.0), abs=1e-2)


@pytest.mark.parametrize("at", [(40.0, 0.0), (float("nan"), 0.0), (0.0, float("-inf"))])
def test_places_without_faces_are_refused(exploring, at):
    with pytest.raises(HscError, match="choose a place from"):
        exploring.face(Place(at=at))


def test_what_needs_a_photo_says_so(exploring):
    for place in (Place(stage="after"), Place(edit=("smile", 1.0)), Place(from_photo=True)):
        with pytest.raises(HscError, match="photo first"):
            exploring.face(place)
    with pytest.raises(HscError, match="two different axes"):
        exploring.face_map("axis1", "axis1")
    assert exploring.face_map("pc1", "age") == exploring.face_map("axis1", "age")  # older links
    with pytest.raises(HscError, match="two different axes"):
        exploring.face_map("pc1", "axis1")
    with pytest.raises(HscError, match="out of axis1"):
        exploring.face_map("axis1", "<b>")


def test_what_the_browser_says_of_a_click_is_not_trusted():
    assert parse_place("seed:7", 0, 0, "axis1", "axis2", "mean") == Place(seed=7)
    smile = parse_place("edit:smile:1.5", 0, 0, "axis1", "axis2", "mean")
    assert smile == Place(edit=("smile", 1.5))
    assert parse_place(None, "0.12345", 1, "axis1", "axis2", "photo") == Place(
        at=(0.123, 1), x="axis1", y="axis2", from_photo=True
    )
    odd = parse_place("seed:-1; drop", "x", None, "axis1", "axis2", "mean")
    assert odd.seed is None and all(np.isnan(odd.at))


def test_the_portraits_are_those_of_the_generator(studio, exploring):
    with Image.open(SHEET) as sheet:
        assert sheet.size == (ACROSS * SIDE, COUNT // ACROSS * SIDE)
        for seed in (0, COUNT - 1):
            left, top = seed % ACROSS * SIDE, seed // ACROSS * SIDE
            shown = sheet.convert("RGB").crop((left, top, left + SIDE, top + SIDE))
            face = exploring.latent_map.generated([seed])
            own = render_w_plus(studio.codec.decoder, face, small=True).crop((28, 36, 228, 236))
            own = own.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
            assert np.abs(np.asarray(own, float) - np.asarray(shown, float)).mean() < 10


def test_the_map_as_a_figure(exploring, photo):
    shown = exploring.face_map("axis1", "axis2")
    found = exploring.on_map(photo, 1, "axis1", "axis2")
    figure = json.loads(figures.map_figure(shown, found, (0.1, 0.2)))
    ids = [one for trace in figure["data"] for one in trace.get("customdata", [])]
    assert ids[:2] == ["seed:0", "seed:1"] and "you:after" in ids and len(set(ids)) == len(ids)
    (low, high) = figure["layout"]["xaxis"]["range"]
    assert all(low < x < high for x, _ in shown.faces)
    assert 20 < len(figure["portraits"]["faces"]) <= COUNT
    # along the edit's own axis its arrow ends where the map does
    figure = json.loads(
        figures.map_figure(
            exploring.face_map("axis1", "age"), exploring.on_map(photo, 1, "axis1", "age")
        )
    )
    (edits,) = (trace for trace in figure["data"] if trace["name"] == "Edits")
    assert any(one.startswith("edit:age:") for one in edits["customdata"])
    low, high = figure["layout"]["yaxis"]["range"]
    assert all(low < y < high for y in edits["y"])


def test_words_on_the_map_do_not_run_out_of_it(exploring):
    shown = exploring.face_map("axis1", "axis2")

    def sides(before: float, after: float) -> list[str]:
        photo = OnMap((before, 0.0), (after, 0.1), ())
        layout = json.loads(figures.map_figure(shown, photo))["layout"]
        return [words["xanchor"] for words in layout["annotations"]]

    assert sides(0.1, -0.1) == ["left", "right"]  # each away from the other
    assert sides(-0.1, 0.1) == ["right", "left"]
    assert sides(9, -9) == ["right", "left"]  # towards the middle
    assert sides(9, 8.9) == ["right", "right"]


def test_words_on_the_map_do_not_hide_one_another(exploring):
    shown = exploring.face_map("axis1", "axis2")
    edits = tuple((f"edit{i}", f"Edit {i}", 1.0, (0.9, 0.02 * i)) for i in range(4))
    layout = json.loads(figures.map_figure(shown, OnMap((0.0, 0.0), (0.02, 0.01), edits)))["layout"]
    words = [note for note in layout["annotations"] if note["text"]]
    assert {"<b>your photo</b>", "<b>after SCN</b>", "Edit 0"} <= {note["text"] for note in words}
    ranges = [layout[axis]["range"] for axis in ("xaxis", "yaxis")]
    assert len(words) == 6
    assert not any(overlap(a, b, ranges) for a, b in combinations(words, 2))
    assert [note["yshift"] for note in words[:1]] == [0]  # the photo's own stay where they are
    alone = [note | {"yshift": 0} for note in words]
    assert any(overlap(a, b, ranges) for a, b in combinations(alone, 2))


def test_bits_of_a_file_add_up(studio, face):
    spending = studio.bit_allocation
    bits = spending.of(face)
    parts = describe(face)["bytes"]
    assert sum(part for *_, part in bits.groups) == pytest.approx(bits.scn)
    assert sum(count for _, _, count, _ in bits.groups) == len(bits.styles) == 23
    assert abs(bits.fcn / 8 - parts["fcn"]) < 8 + 0.02 * parts["fcn"]
    assert 0.2 < bits.area < bits.person < 1
    assert spending.heat_map(face).size == (1024, 1024)
    words = explore_html.bits_in_words(bits, len(face))
    assert f"{len(face):,} bytes" in words and f"{bits.person:.0%}" in words
    figure = json.loads(figures.styles_figure(bits))
    assert figure["data"][0]["y"] == pytest.approx(bits.styles)


def test_the_curve_is_of_real_files(studio, photo, monkeypatch):
    monkeypatch.setattr("app.services.rd_curve.LEVELS", hsc.LEVELS[:2])
    monkeypatch.setattr("app.services.rd_curve.OTHERS", ("avif",))
    monkeypatch.setattr("app.services.rd_curve.BUDGETS", (100, 2000))
    sweeping = studio.rd_curve
    grown = list(sweeping.steps(photo))
    assert [len(curve.points) for curve in grown] == sorted(len(c.points) for c in grown)
    last = grown[-1]
    # AVIF cannot go down to a hundred bytes: that point is missing
    assert [p.series for p in last.points] == ["SCN alone", "HSC", "HSC", "AVIF"]
    assert last.doing == "" and grown[0].doing
    first, second = last.points[1:3]
    assert describe(second.data)["level"] == 2 and second.bytes == len(second.data) > first.bytes
    assert set(second.figures) == {metric.key for metric in METRICS}
    assert second.figures["lpips_256"] < last.points[0].figures["lpips_256"]
    assert np.array_equal(
        np.asarray(sweeping.picture(second)), np.asarray(studio.decode(second.data).picture)
    )
    assert sweeping.picture(last.points[3]).size == (1024, 1024)
    (again,) = sweeping.steps(photo)
    assert again == last


def test_the_curve_as_a_figure():
    points = (
        CurvePoint("HSC", "level 1", bytes(500), "", {"lpips_1024": 0.4, "psnr_256": 22.0}),
        CurvePoint("AVIF", "AVIF at 96 px", bytes(490), "avif", {"lpips_1024": 0.5}),
    )
    by_key = {metric.key: metric for metric in METRICS}
    figure = json.loads(figures.curve_figure(Curve(points), by_key["lpips_1024"]))
    ours, avif, paper = figure["data"]
    assert (ours["x"], ours["y"], ours["customdata"]) == ([500], [0.4], [0])
    assert avif["customdata"] == [1]
    assert paper["x"] == [p.bytes for p in PAPER_POINTS] and paper["name"].startswith("Paper")
    assert "customdata" not in paper
    # the paper has no PSNR, and AVIF has none here
    (alone,) = json.loads(figures.curve_figure(Curve(points), by_key["psnr_256"]))["data"]
    assert alone["name"] == "HSC"


def test_three_views_are_read_and_compared(studio, photo, face):
    seeing = studio.vision
    counts = [len(views) for views in seeing.steps(photo, 1)]
    assert counts == [1, 2, 3]
    original, ours, avif = seeing.look(photo, 1)
    assert original.agreement is None and verdict(original) == ("A face is found.", True)
    assert ours.bytes == len(face) and ours.agreement.same_person
    assert avif.bytes <= len(face) and avif.label.startswith("AVIF at")
    assert ours.marked.size == (1024, 1024)
    assert not np.array_equal(np.asarray(ours.marked), np.asarray(ours.picture))
    said = json.loads(json.dumps([as_json(view) for view in (original, ours, avif)]))
    assert said[0]["agreement"] is None and said[1]["agreement"]["same_person"] is True
    assert len(said[1]["face"]["landmarks"]) == 68
    html = vision_html.summary((original, ours, avif)) + vision_html.card(ours)
    assert f"{len(face):,} bytes" in html and "Guessed age" in html
