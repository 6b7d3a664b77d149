"""What faces are read for: colours, beards, make-up, hair, and the regression on top of it."""

import numpy as np
import pytest
from generated import face, to_pil
from PIL import Image, ImageDraw, ImageFilter

from hsc.research.edit_discovery.probe import fit
from hsc.vision.appearance import MOUTH, appearance, to_lab
from hsc.vision.face_readouts import aligned_landmarks, where_valid


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    return to_pil(face(11)).resize((256, 256), Image.Resampling.BOX)


@pytest.fixture(scope="module")
def points(picture) -> np.ndarray:
    return aligned_landmarks(picture)


@pytest.fixture(scope="module")
def person() -> np.ndarray:
    return np.ones((256, 256))


@pytest.fixture(scope="module")
def before(picture, points, person) -> dict[str, float]:
    return appearance(picture, points, person)


def painted(picture, polygon, colour, strength=0.5) -> Image.Image:
    """The picture with a soft-edged polygon of a colour over it."""
    mask = Image.new("L", picture.size)
    ImageDraw.Draw(mask).polygon([tuple(p) for p in polygon], fill=round(255 * strength))
    paint = Image.new("RGB", picture.size, colour)
    return Image.composite(paint, picture, mask.filter(ImageFilter.GaussianBlur(1)))


def test_known_colours_in_lab():
    lab = to_lab(np.array([[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 0, 255]]))
    known = [[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20], [32.30, 79.19, -107.86]]
    assert np.allclose(lab, known, atol=0.2)


def test_dark_about_the_mouth_is_a_beard_and_no_change_of_skin(picture, points, person, before):
    chin = np.concatenate([points[4:13], points[[35, 33, 31]]])
    after = appearance(painted(picture, chin, (40, 25, 20)), points, person)
    assert after["beard"] > before["beard"] + 8
    assert abs(after["skin_light"] - before["skin_light"]) < 2


def test_red_lips_are_makeup(picture, points, person, before):
    after = appearance(painted(picture, points[MOUTH], (200, 10, 40)), points, person)
    assert after["lips"] > before["lips"] + 5 and after["makeup"] > before["makeup"] + 0.5
    assert abs(after["lids"] - before["lids"]) < 0.5


def test_a_bar_across_the_nose_is_glasses(picture, points, person, before):
    (x, y), half = points[[27, 28]].mean(0), 0.12 * np.ptp(points[:, 0])
    bar = [(x - half, y - 2), (x + half, y - 2), (x + half, y + 2), (x - half, y + 2)]
    after = appearance(painted(picture, bar, (10, 10, 10), 0.9), points, person)
    assert after["glasses"] > before["glasses"] + 0.5


def test_a_blue_tint_is_cooler_and_a_dark_side_is_light_from_the_other(
    picture, points, person, before
):
    blue = Image.blend(picture, Image.new("RGB", picture.size, (40, 90, 255)), 0.3)
    assert appearance(blue, points, person)["warmth"] < before["warmth"] - 5
    left = [(0, 0), (points[30, 0], 0), (points[30, 0], 256), (0, 256)]
    after = appearance(painted(picture, left, "black", 0.4), points, person)
    assert after["light"] > before["light"] + 5


def test_a_washed_picture_has_less_contrast(picture, points, person, before):
    grey = Image.blend(picture, Image.new("RGB", picture.size, (128, 128, 128)), 0.5)
    washed = appearance(grey, points, person)["contrast"]
    assert 0.3 * before["contrast"] < washed < 0.7 * before["contrast"]


def test_hair_is_read_only_where_there_is_somebody(picture, points, person, before):
    assert before["hair_length"] > 0 and 0 < before["hair_light"] < 100
    nobody = appearance(picture, points, np.zeros((256, 256)))
    assert np.isnan(nobody["hair_light"]) and nobody["hair_length"] == 0


def test_beards_are_read_on_men_makeup_on_women_and_age_on_adults():
    names = ("beard", "lips", "lids", "makeup", "glasses", "eyes_open", "gaze", "yaw")
    values = {name: np.ones(3) for name in names}
    faces = {
        "age": np.array([40.0, 30, 5]),
        "gender": np.array([3.0, -3, -3]),
        "lenses": np.array([0, 0, 40]),
    }
    meant = where_valid(values | faces)
    known = {name: np.isfinite(meant[name]).tolist() for name in names}
    assert known["beard"] == [True, False, False]
    assert known["makeup"] == [False, True, False]
    assert known["glasses"] == [True, True, False]
    assert known["yaw"] == [True] * 3
    assert np.isfinite(meant["age"]).tolist() == [True, True, False]  # a child grows


def samples(count: int = 600) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """w of 512 channels, eight of which matter, and three read-outs of them."""
    generator = np.random.default_rng(0)
    w = generator.normal(size=(count, 512)) * 0.02
    w[:, :8] += generator.normal(size=(count, 8)) * np.arange(9, 1, -1)
    noise = generator.normal(size=(3, count)) * 0.1
    return w, {
        "one": 2 * w[:, 0] + noise[0],
        "both": w[:, 0] + w[:, 1] + noise[1],
        "rare": np.where(generator.random(count) < 0.3, w[:, 2] + noise[2], np.nan),
    }


def test_a_direction_moves_its_readout_and_holds_the_other():
    w, readouts = samples()
    probe = fit(w, readouts, axes=8, ridge=1.0)
    assert (probe.r2 > 0.95).all()
    direction = probe.direction("both", {"one": 0.0})
    assert abs(direction[0]) < 0.05 * abs(direction[1])
    assert np.isclose(direction[1], probe.scale[1], rtol=0.05)


def test_a_readout_that_is_seldom_known_is_learnt_from_where_it_is():
    w, readouts = samples()
    probe = fit(w, readouts, axes=8, ridge=1.0)
    assert abs(probe.direction("rare", {})).argmax() == 2


def test_principal_directions_leave_what_is_taken_out():
    w, readouts = samples()
    probe = fit(w, readouts, axes=8, ridge=1.0)
    plain, held = probe.principal(1, without=()), probe.principal(1, without=["one"])
    assert abs(plain[0][0]).argmax() == 0 and np.abs(plain[0][1]).argmax() == 0
    assert abs(held[0][1][0]) < 1e-6
    assert held[0][1][np.abs(held[0][1]).argmax()] > 0
