"""Photographs by the codec itself: a group of generated faces, there and back."""

from types import SimpleNamespace

import numpy as np
import pytest
from fakes import FakeCodec
from paths import ASTRONAUT
from PIL import Image, ImageFilter

from hsc import photograph
from hsc.cli import main
from hsc.images import marks
from hsc.images.photo import read_photo
from hsc.photograph.invented import group
from hsc.research import results
from hsc.research.evaluation import photographs, report

pytestmark = pytest.mark.usefixtures("quick_model_in_use")


@pytest.fixture(scope="module")
def faces(codec):
    return [codec.random_face(seed) for seed in (3, 7, 11)]


def test_two_faces_there_and_back(codec, faces):
    picture, squares = group(faces[:2], 2, 2, 330)
    coded = photograph.encode(codec, picture, 3, background_bytes=3000)
    assert len(coded.found) == len(squares) == 2
    for square in squares:
        assert min(np.hypot(f.square.x - square.x, f.square.y - square.y) for f in coded.found) < 15
    assert coded.data == photograph.unpack(coded.data).pack()
    shown = photograph.decode(codec, coded.data)
    error = np.asarray(shown.picture, float) - np.asarray(picture, float)
    assert np.abs(error).mean() < 8
    for face in shown.drawn:
        x, y, r = round(face.square.x), round(face.square.y), round(face.square.side * 0.15)
        assert np.abs(error[y - r : y + r, x - r : x + r]).mean() < 14
    # no seam: what is smooth of the error has no step, least of all along a square
    smooth = Image.fromarray(np.clip(error + 128, 0, 255).astype(np.uint8))
    smooth = np.asarray(smooth.filter(ImageFilter.GaussianBlur(4)), float)
    assert np.abs(np.diff(smooth, axis=0)).max() < 9 and np.abs(np.diff(smooth, axis=1)).max() < 9

    smiling = photograph.decode(codec, coded.data, edits={1: {"smile": 1.5}})
    changed = np.abs(np.asarray(smiling.picture, int) - np.asarray(shown.picture)).max(-1)
    untouched, edited = shown.drawn[0].square, shown.drawn[1].square
    x, y, r = round(untouched.x), round(untouched.y), round(untouched.side * 0.3)
    assert changed[y - r : y + r, x - r : x + r].max() == 0
    x, y = round(edited.x), round(edited.y + edited.side * 0.2)
    assert changed[y - 20 : y + 20, x - 20 : x + 20].mean() > 4


def test_twenty_faces_are_found_numbered_and_coded(faces):
    picture, squares = group(faces, 20, 5, 220)
    steps = []
    coder = FakeCodec()
    coded = photograph.encode(
        coder, picture, 1, background_bytes=2500, progress=lambda *step: steps.append(step)
    )
    assert len(coded.found) == len(squares) == 20
    sides = [face.square.side for face in coded.found]
    assert sides == sorted(sides, reverse=True)
    assert [done for done, total, _ in steps] == list(range(21))
    for square in squares:
        assert min(np.hypot(f.square.x - square.x, f.square.y - square.y) for f in coded.found) < 15
    shown = photograph.decode(coder, coded.data)
    assert len(shown.drawn) == 20 and shown.picture.size == picture.size


def test_photographs_are_measured_from_the_command_line(tmp_path, monkeypatch, capfd):
    """Over a stand-in codec; one photograph has nobody in it."""
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    portrait = read_photo(ASTRONAUT)
    portrait.crop((60, 0, 400, 300)).save(photos / "a.jpg", quality=92)
    Image.new("RGB", (120, 90), (90, 120, 160)).save(photos / "b.png")
    near = dict.fromkeys(photographs.FIGURES, 0.25)
    evaluator = SimpleNamespace(original=lambda image: image, compare=lambda *_: near)
    monkeypatch.setattr(photographs.Codec, "load", lambda device: FakeCodec())
    monkeypatch.setattr(photographs, "Evaluator", lambda device, figures: evaluator)
    arguments = ["--photos", str(photos), "--levels", "2", "--out", str(out)]
    assert main(["validate", "photographs", *arguments]) == 0
    result = report.read(photographs.KIND, out)
    (row,) = result["summary"]
    assert row["count"] == 1 and row["what"] == "level 2" and row["avif_identity_l2"] == 0.25
    assert row["avif_bytes"] <= row["bytes"] and 0 < row["step"] <= row["step_max"]
    assert photographs.figures_table(result) in capfd.readouterr().out
    assert marks.read((out / "photographs-a-2.png").read_bytes()) is not None
    assert (out / "photographs-a.jpg").is_file() and not (out / "photographs-b.jpg").exists()
    assert "## Whole photographs" in results.text(results.reports(out, out))
