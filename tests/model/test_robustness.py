"""Damaged photographs are measured against what should come back of them."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from fakes import save_dists
from generated import face
from PIL import Image

from hsc.cli import main
from hsc.images.tensors import to_picture
from hsc.metrics.evaluator import Evaluator
from hsc.research import results
from hsc.research.data.held_out import held_out_names
from hsc.research.evaluation import report, robustness

pytestmark = pytest.mark.usefixtures("quick_model_in_use")


def brightness(image: Image.Image) -> float:
    return float(np.asarray(image.convert("L"), float).mean())


@pytest.mark.parametrize("damage", robustness.DAMAGES[1:], ids=lambda damage: damage.name)
def test_damage_is_what_it_says_and_the_same_every_time(damage: robustness.Damage) -> None:
    image = to_picture(face(1))
    damaged = damage.apply(image)
    assert damaged.size == image.size and damaged.mode == "RGB"
    assert damaged.tobytes() == damage.apply(image).tobytes() != image.tobytes()
    darker = brightness(damaged) < 0.5 * brightness(image)
    assert darker == (damage.name == "dark")
    grey = not np.ptp(np.asarray(damaged, int), axis=2).any()
    assert grey == (damage.name == "without colour")


def test_from_the_command_line(tmp_path: Path, monkeypatch, capfd) -> None:
    path = tmp_path / "faces" / sorted(held_out_names())[0]
    path.parent.mkdir(parents=True)
    to_picture(face(1)).save(path, quality=95)
    monkeypatch.setattr(robustness, "Evaluator", partial(Evaluator, dists=save_dists(tmp_path)))
    # some to be undone and one that is not: an encoding takes some seconds
    names = ("JPEG", "64 px", "dark")
    tried = [damage for damage in robustness.DAMAGES if damage.name in names]
    monkeypatch.setattr(robustness, "DAMAGES", tried)
    options = ["--faces", str(tmp_path / "faces"), "--out", str(tmp_path), "--device", "cpu"]
    assert main(["validate", "robustness", *options]) == 0
    result = report.read("robustness", tmp_path)
    rows = {row["what"]: row for row in result["summary"]}
    parts = (robustness.UPLOAD, robustness.FILE)
    for damage in robustness.DAMAGES:
        upload, file = (rows.pop(f"{damage.name}: {part}", None) for part in parts)
        assert 300 < file["bytes"] < 8000 and file["identity_l2"] < 0.45, damage.name
        # an upload is its own reference unless its damage is to be undone
        assert (upload is not None) == damage.undone
        assert upload is None or (upload["bytes"] is None and upload["lpips_256"] > 0.02)
    assert not rows
    rows = {row["what"]: row for row in result["summary"]}
    assert rows["dark: the file"]["psnr_256"] > 22  # as dark as it was uploaded
    assert robustness.figures_table(result) in capfd.readouterr().out
    assert (tmp_path / "robustness.jpg").is_file()
    sections = results.sections(results.reports(tmp_path, tmp_path))
    (section,) = [s for s in sections if s.startswith("## Damaged")]
    assert robustness.figures_table(result) in section
