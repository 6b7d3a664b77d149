"""Kinds of fault: what is painted and measured, around a codec that draws what it was given."""

from types import SimpleNamespace

import numpy as np
import pytest
from paths import ASTRONAUT
from PIL import Image, ImageDraw, ImageOps

from hsc.domains.ffhq_face import aligned, find_faces
from hsc.domains.ffhq_face.align import Square, face_square
from hsc.photograph import DrawnFace, paste
from hsc.photograph.mask import head
from hsc.research import results
from hsc.research.evaluation import detection, faults, jitter, photographs
from hsc.research.evaluation.faults import Tried
from hsc.vision.appearance import to_lab


@pytest.fixture(scope="module")
def portrait() -> Image.Image:
    return aligned(ASTRONAUT, px=512)


class Copies:
    """A codec whose files are pictures; `forgets` is what it does to them."""

    edit_names = (SimpleNamespace(name="age", low=-20.0, high=20.0), SimpleNamespace(name="smile"))

    def __init__(self, forgets=lambda image: image) -> None:
        self.forgets = forgets

    def analyse(self, crop):
        return crop

    def compress(self, latents, level):
        self.last = latents
        return bytes(round(100 * level))

    def decode(self, data, edits=None):
        return self.forgets(self.last) if edits is None else ImageOps.invert(self.last)


EVALUATOR = SimpleNamespace(
    original=lambda image: image,
    compare=lambda original, decoded, figures: dict.fromkeys(figures, 0.25),
)


class Reader:
    """Reads how light a picture is, and takes what is dark for glasses."""

    def read(self, images):
        light = np.array([np.asarray(image.convert("L"), float).mean() for image in images])
        return {key: -light if key == faults.GLASSES else light for key in faults.APPEARED}


READER = Reader()


def test_a_codec_that_keeps_everything_has_no_fault(portrait):
    rows = faults.try_face(Copies(), EVALUATOR, READER, portrait, (1.0, 3.0))
    kinds = [*faults.COLOURS, *faults.PAINTED, "age -20", "age +20"]
    assert [row["what"] for row in rows] == [kind for kind in kinds for _ in range(2)]
    for row in rows:
        assert row["bytes"] == 100 * row["level"]
        if row["what"].startswith("age"):
            assert row["beard"] == row["skin_light"] < 0 < row["glasses"]
            continue
        painted = row["what"] in faults.PAINTED
        assert np.isnan(row["colour"]) == painted and np.isnan(row["kept"]) != painted
        assert row["identity_l2"] == 0.25
        assert (row["glasses"] == row["skin_light"] == 0) == (row["what"] == "as it is")
        if painted:
            assert row["kept"] == pytest.approx(1) and row["elsewhere"] < 0.2
        else:
            assert row["colour"] == row["chroma"] == 0


def test_a_codec_that_knows_one_picture_only_keeps_nothing(portrait):
    rows = faults.try_face(Copies(lambda _: portrait), EVALUATOR, READER, portrait, (1.0,))
    found = {row["what"]: row for row in rows}
    assert all(found[kind]["kept"] == 0 for kind in faults.PAINTED)
    assert found["grey"]["chroma"] > 8 and found["dark, 30% of the light"]["lightness"] > 15
    assert found["as it is"]["colour"] == 0


@pytest.mark.parametrize("kind", faults.PAINTED)
def test_what_is_painted_can_be_seen_and_leaves_the_rest_alone(portrait, kind):
    points = find_faces(portrait)[0].landmarks
    upload = portrait.copy()
    unit = float(np.linalg.norm(points[45] - points[36]))
    faults.PAINTED[kind](ImageDraw.Draw(upload), points, unit)
    changed = (np.asarray(upload) != np.asarray(portrait)).any(axis=2).mean()
    assert 0.002 < changed < 0.2
    tried = Tried(faults.lab(upload), faults.lab(upload))
    assert faults.kept(tried, Tried(faults.lab(portrait), faults.lab(portrait)))["kept"] == 1


def test_moves_of_changed_pictures_lead_to_the_same_places(portrait):
    """A red dot at a landmark is where the move says, whatever was done to the picture."""
    (face,) = find_faces(portrait)
    spot = face.landmarks[30]
    dotted = Image.new("RGB", portrait.size, "black")
    ImageDraw.Draw(dotted).ellipse((*(spot - 12), *(spot + 12)), fill="red")
    for what, changed, move in detection.changes(dotted, face):
        if what in ("mask", "dark glasses", "microphone", "grey and soft, as stone"):
            continue  # they hide it
        red = np.asarray(changed, int)
        rows, columns = np.nonzero(red[..., 0] - red[..., 1] > 10)
        place = np.array([columns.mean(), rows.mean()]) + 0.5
        assert np.abs(place - move(spot[None])[0]).max() < 2, what


def test_jitter_is_small_and_the_same_every_time(portrait):
    one, two = (jitter.jittered(portrait, np.random.default_rng(3)) for _ in range(2))
    assert one.size == portrait.size and one.tobytes() == two.tobytes() != portrait.tobytes()
    before, after = (face_square(find_faces(each)[0]) for each in (portrait, one))
    moved = np.hypot(after.x - before.x, after.y - before.y) / portrait.width
    assert 0.005 < moved < 0.04
    assert after.side / before.side == pytest.approx(1, abs=0.04)


def test_spread_is_that_of_each_face():
    rows = [
        {"what": "level 1", "picture": name, "bytes": 500, "identity_l2": distance,
         "identity_faceres": float("nan")}
        for name, distances in (("a", (0.2, 0.4)), ("b", (0.5, 0.5)))
        for distance in distances
    ]  # fmt: skip
    (means,) = jitter.summarise(rows)
    assert means["identity_l2"] == pytest.approx(0.4)
    assert means["identity_l2_std"] == pytest.approx(0.05)
    assert means["identity_l2_range"] == pytest.approx(0.1)
    assert "| level 1 |   500 | 0.400 |" in jitter.figures_table({"summary": [means]})


@pytest.mark.parametrize("turned", [0.0, 0.7])
def test_a_step_in_colour_is_measured_where_the_mask_ends(turned):
    """Of a grey wall, a face drawn lighter is seen at its seam, all of it lighter is not."""
    wall = Image.new("RGB", (500, 400), (120, 120, 120))
    face = DrawnFace(0, Square(260.0, 190.0, 200.0, turned), head(np.zeros((256, 256), np.float32)))
    lighter = np.full((256, 256, 3), 150, np.float32)
    drawn, plain = wall.copy(), wall.copy()
    paste.draw(drawn, lighter, face.mask, face.square)
    paste.draw(plain, lighter, np.ones((256, 256), np.float32), face.square)
    apart = float(np.diff(to_lab(np.array([[[120] * 3, [150] * 3]]))[0, :, 0])[0])
    figures = photographs.seam(wall, drawn, face)
    assert figures["face"] == pytest.approx(apart, rel=0.1)
    assert 0.4 * apart < figures["step"] <= figures["step_max"] < 1.05 * apart
    assert photographs.plain_step(wall, plain, face)["plain"] > 0.5 * apart
    same = Image.new("RGB", wall.size, (150, 150, 150))
    assert photographs.seam(wall, same, face)["step"] < 0.01


def test_the_reports_have_sections_of_the_results(portrait):
    rows = faults.try_face(Copies(), EVALUATOR, READER, portrait, (1.0,))
    common = {
        "date": "2026-01-01", "machine": "a machine", "model": "m", "weights": {"scn": "0" * 64},
        "notes": ["1 aligned photographs."],
    }  # fmt: skip
    found = {
        "faults": common | {"kind": "faults", "summary": faults.summarise(rows)},
        "jitter": common | {"kind": "jitter", "summary": [{"what": "level 1", "bytes": 5.0}]},
    }
    seams = ("step", "step_max", "plain", "plain_max", "avif_step", "ring", "face")
    faces = ("bytes", "background", "avif_bytes", *photographs.FIGURES)
    faces += tuple(f"avif_{key}" for key in photographs.FIGURES)
    rows = [
        {"what": "level 3", "picture": f"a {n}", "faces": 2} | dict.fromkeys(seams + faces, n / 4)
        for n in (1, 3)
    ]
    rows[0]["identity_l2"] = float("nan")  # no face was found there
    found["photographs"] = common | {"summary": photographs.summary(rows)}
    rows = [
        {"what": "dark", "search": "HOG", "found": 0.0, "false": 0, "seconds": 0.2}
        | dict.fromkeys(("position", "size", "angle"), float("nan"))
    ]
    found["detection"] = common | {"summary": detection.summarise(rows)}
    page = results.text(found)
    flat = " ".join(page.split())
    assert "| level 3 | 2 | 0.50 | 0.75 | 0.50 | 0.75 |" in flat  # means, and the largest
    assert "| level 3 | 2 | 0 | 0 | 0.500 | 0.750 |" in flat
    assert "## Which faces are found" in page and "| dark | HOG | 0 of 1 |" in flat
    assert "## Kinds of fault" in page and "| earrings" in page and "level 1" in page
