"""Evaluation: the list of strangers, reports, sheets and the results page, around a small codec."""

import json
import math
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from fakes import save_dists
from generated import face, to_pil
from PIL import Image

from hsc.cli import main
from hsc.errors import HscError, WeightsError
from hsc.levels import LEVELS
from hsc.metrics.evaluator import METRICS, Evaluator
from hsc.research import results
from hsc.research.data.held_out import held_out_names, held_out_pictures, spread
from hsc.research.evaluation import edits, report
from hsc.research.evaluation.contact_sheet import GAP, HEADER_PX, LABEL_PX, ContactSheet
from hsc.research.evaluation.published import AIMS
from hsc.research.options import ValidateOptions
from hsc.research.results import merged

pytestmark = pytest.mark.usefixtures("quick_model_in_use")


@pytest.fixture(scope="module")
def dists(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_dists(tmp_path_factory.mktemp("weights"))


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """A folder with five of the listed names and one that is not listed."""
    for name in [*sorted(held_out_names())[::12][:5], "ffhq/00001.jpg"]:
        path = tmp_path / "faces" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (256, 256), "tan").save(path)
    return tmp_path / "faces"


def test_only_listed_pictures_are_used(faces) -> None:
    pictures = held_out_pictures(faces)
    assert len(pictures) == 5 and {p.name for p in pictures} <= held_out_names()
    assert pictures[0].load().size == (1024, 1024)
    assert len({p.stem for p in pictures}) == 5 and "/" not in pictures[0].stem
    some = held_out_pictures(faces, 2)
    assert len(some) == 2 and some[0].collection != some[1].collection


def test_spread_reaches_over_everything() -> None:
    assert spread(list(range(10)), 3) == [1, 5, 8]
    assert spread([1, 2], 5) == [1, 2]


def test_missing_pictures_and_weights(tmp_path, capfd) -> None:
    with pytest.raises(HscError, match="--faces"):
        held_out_pictures(None)
    with pytest.raises(HscError, match=r"held_out\.txt"):
        held_out_pictures(tmp_path)
    with pytest.raises(WeightsError, match="import-weights perceptual"):
        Evaluator(torch.device("cpu"), tmp_path / "dists.safetensors")
    assert main(["validate", "results", "--out", str(tmp_path)]) == 2
    assert "validate inversion" in capfd.readouterr().err


def test_the_judge(dists, monkeypatch) -> None:
    judge = Evaluator(torch.device("cpu"), dists)
    image = to_pil(face(1))
    original = judge.original(image)
    equal = judge.compare(original, image)
    assert set(equal) == {metric.key for metric in METRICS}
    assert equal.pop("psnr_256") == math.inf
    assert all(figure == pytest.approx(0, abs=1e-4) for figure in equal.values())
    worse = judge.compare(original, image.resize((64, 64)).resize(image.size))
    other = judge.compare(original, to_pil(face(2)))
    assert 0 < worse["identity_l2"] < 0.6 < other["identity_l2"]
    assert 0 < worse["lpips_256"] < other["lpips_256"]
    assert 15 < worse["psnr_256"] < 40
    # no face in the reconstruction: still a distance, but no landmarks
    monkeypatch.setattr("hsc.metrics.evaluator.find_faces", lambda image: [])
    blank = judge.compare(original, Image.new("RGB", image.size, "tan"))
    assert blank["identity_l2"] > 0.6 and math.isnan(blank["landmark_error"])


def test_both_evaluations_with_the_weights_that_ship(dists, tmp_path, monkeypatch, capfd) -> None:
    path = tmp_path / "faces" / sorted(held_out_names())[0]
    path.parent.mkdir(parents=True)
    to_pil(face(1)).reduce(4).save(path)
    for kind in ("inversion", "rate_distortion"):
        monkeypatch.setattr(
            f"hsc.research.evaluation.{kind}.Evaluator", partial(Evaluator, dists=dists)
        )
    out = tmp_path / "out"
    options = ["--faces", str(tmp_path / "faces"), "--out", str(out), "--device", "cpu"]
    assert main(["validate", "inversion", *options]) == 0
    assert main(["validate", "rate-distortion", *options, "--levels", "2.5"]) == 0
    printed, progress = capfd.readouterr()
    assert "S + F" in printed and "level 2.5, S only" in printed and "1/1" in progress

    summary = report.read("inversion", out)["summary"]
    assert [row["what"] for row in summary] == ["S only", "S + F"]
    cut, whole = report.read("rate-distortion", out)["summary"]
    files = sorted((out / "files").iterdir())
    assert sorted(path.stat().st_size for path in files) == [cut["bytes_max"], whole["bytes_max"]]
    assert cut["bytes_fcn"] == 0 < whole["bytes_fcn"] and cut["bytes_scn"] == whole["bytes_scn"]
    assert whole["bpp"] == 8 * whole["bytes_total"] / 2**20
    assert {path.name for path in out.iterdir()} == {
        "files", "inversion.csv", "inversion.jpg", "inversion.json",
        "rate-distortion.csv", "rate-distortion.jpg", "rate-distortion.json",
    }  # fmt: skip


def rows(what: str, sizes: list[int], landmark: float = 0.05) -> list[report.Row]:
    figures = {metric.key: 0.25 for metric in METRICS} | {"landmark_error": landmark}
    return [
        {"what": what, "picture": f"ffhq/{i}.jpg", "bytes_total": size, "bytes_scn": 30,
         "bytes_fcn": size - 45, "bytes_header": 15, "bpp": size / 2**17}
        | figures | {"decode_seconds": 1.0}
        for i, size in enumerate(sizes)
    ]  # fmt: skip


def test_means_leave_out_what_is_not_there() -> None:
    measured = rows("level 1", [400, 600]) + rows("level 2", [900, 1000], math.nan)
    measured[0]["landmark_error"] = math.nan
    first, second = report.summarise(measured)
    assert (first["what"], first["count"], first["bytes_total"]) == ("level 1", 2, 500)
    assert (first["bytes_min"], first["bytes_max"]) == (400, 600)
    assert (first["landmark_error"], first["faces_not_found"]) == (0.05, 1)
    assert (second["landmark_error"], second["faces_not_found"]) == (None, 2)


def test_results_from_reports(tmp_path, monkeypatch, capfd) -> None:
    monkeypatch.chdir(tmp_path)
    common = {
        "date": "2026-01-01", "model": "hsc-face-0000", "weights": {"scn": "ab" * 32},
        "machine": "a machine", "pictures": {"ffhq": 2}, "notes": ["A note."],
    }  # fmt: skip
    figures = rows("level 1", [512, 514]) + rows("level 6", [8000, 8100], math.nan)
    for kind, measured in (
        ("inversion", [r | {"what": "S only"} for r in figures[:2]]),
        ("rate-distortion", figures),
    ):
        result = {"kind": kind} | common | {"summary": report.summarise(measured)}
        report.write(result, measured, tmp_path / "runs")
        assert report.read(kind, tmp_path / "runs") == json.loads(json.dumps(result))
    csv = (tmp_path / "runs" / "rate-distortion.csv").read_text().splitlines()
    assert len(csv) == 5 and csv[0].startswith("what,picture,bytes_total")
    results.run(ValidateOptions(out=tmp_path / "runs"))
    page = (tmp_path / "RESULTS.md").read_text()
    assert "| level 1 " in page and " 513 | 512 | 514 |" in " ".join(page.split())
    assert "CC BY-NC-SA 4.0" in page and "ab" * 6 in page and "A note." in page
    measured, published = page.split("### Published by the paper, not measured here")
    assert "1468 bytes" in published and "1468" not in measured
    # a part without a report stays, and one with a report is written anew
    page = page.replace("## Notes", "## Time and memory (`hsc bench`)\n\nLast year.\n\n## Notes")
    (tmp_path / "RESULTS.md").write_text(page)
    (tmp_path / "runs" / "inversion.json").unlink()
    (tmp_path / "runs" / "rate-distortion.json").write_text(
        (tmp_path / "runs" / "rate-distortion.json").read_text().replace("A note.", "Another.")
    )
    results.run(ValidateOptions(out=tmp_path / "runs"))
    assert (tmp_path / "RESULTS.md").read_text() == page.replace("A note.", "Another.")
    with pytest.raises(HscError, match="found none"):
        results.run(ValidateOptions(out=tmp_path / "nothing"))


def test_parts_of_a_page_are_replaced_in_place() -> None:
    old = "# A\n\nold\n\n## one\n\n1\n\n## two\n\n2\n\n### below two\n\n## three\n\n3\n"
    new = "# A\n\nnew\n\n## zero\n\n0\n\n## two\n\nII\n\n## between\n\n2.5\n"
    assert merged(new, old) == (
        "# A\n\nnew\n\n## zero\n\n0\n\n## one\n\n1\n\n## two\n\nII\n\n"
        "## between\n\n2.5\n\n## three\n\n3\n"
    )
    assert merged(new, "") == new


def test_tables_are_straight() -> None:
    text = report.table(["what", "n"], [["a", "1"], ["longer", "1234"]]).splitlines()
    assert len({len(line) for line in text}) == 1
    assert text[1] == "|--------|-----:|"
    assert report.number(None, 3) == "-" and report.number(0.12345, 3) == "0.123"


def test_a_sheet_has_every_picture_in_its_place(tmp_path) -> None:
    sheet = ContactSheet(("original", "level 1"), tile_px=32)
    for label, colours in (("a/b.jpg", ("red", "lime")), ("c/d.jpg", ("blue", "white"))):
        sheet.add(label, [Image.new("RGB", (90, 90), colour) for colour in colours])
    with pytest.raises(ValueError, match="2"):
        sheet.add("e", [Image.new("RGB", (9, 9))])
    sheet.save(tmp_path / "new" / "sheet.png")
    pixels = np.asarray(Image.open(tmp_path / "new" / "sheet.png"))
    found = [
        pixels[HEADER_PX + row * (32 + GAP) + 16, LABEL_PX + column * (32 + GAP) + 16].tolist()
        for row in (0, 1)
        for column in (0, 1)
    ]
    assert found == [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]


def test_there_is_an_aim_for_every_level() -> None:
    assert [aim.bytes for aim in AIMS] == [level.target_bytes for level in LEVELS]


def test_edits_of_real_people(tmp_path, monkeypatch, capfd) -> None:
    path = tmp_path / "faces" / sorted(held_out_names())[0]
    path.parent.mkdir(parents=True)
    to_pil(face(11)).resize((256, 256)).save(path)
    turn = next(wanted for wanted in edits.CATALOGUE if wanted.name == "yaw")
    monkeypatch.setattr(edits, "CATALOGUE", (turn,))
    out = tmp_path / "out"
    argv = ["validate", "edits", "--faces", str(tmp_path / "faces"), "--out", str(out)]
    assert main([*argv, "--levels", "1"]) == 0
    (row,) = [line for line in (out / edits.FILE).read_text().splitlines() if "| yaw |" in line]
    _, _, amounts, meant, moved, everybody, identity, _, side, _ = row.split("|")
    assert everybody == moved  # the only one there is has room both ways
    assert amounts.strip() == "-10 / +10" and amounts == meant
    left, right = (float(part) for part in moved.split("/"))
    assert left < -3 and right > 3
    assert all(0 < float(part) < 1 for part in identity.split("/"))
    assert len(side.split(",")) == edits.TOLD and "yaw" not in side
    with Image.open(out / f"edits-{held_out_pictures(tmp_path / 'faces')[0].stem}-level1.jpg") as s:
        assert s.width > 5 * edits.TILE_PX
