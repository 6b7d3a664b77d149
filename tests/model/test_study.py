"""The laboratory: fair comparisons, figures that survive a stop, statistics with known answers."""

import csv
import json
import math
import pickle
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from generated import face, to_pil
from PIL import Image
from safetensors.torch import save_file

from hsc.cli import main
from hsc.cluster import Result
from hsc.metrics.dino import Dino, frechet
from hsc.metrics.dists import Dists
from hsc.metrics.picture import ms_ssim
from hsc.research.evaluation.study import run
from hsc.research.evaluation.study.bd_rate import Saving, bd_rate
from hsc.research.evaluation.study.folder import StudyPicture, is_aligned, size_note, study_pictures
from hsc.research.evaluation.study.measures import Measures
from hsc.research.evaluation.study.store import Store, key_of
from hsc.research.evaluation.study.verification import verify

pytestmark = pytest.mark.usefixtures("quick_model_in_use")


def test_bd_rate_agrees_with_the_published_package() -> None:
    anchor = [(500, 0.40), (1000, 0.30), (2000, 0.22), (4000, 0.17)]
    test = [(400, 0.41), (900, 0.28), (1700, 0.21), (3000, 0.16)]
    # bjontegaard 1.3.0, method pchip, on the negated distances
    assert bd_rate(anchor, test, True).percent == pytest.approx(-22.646, abs=0.01)
    found = bd_rate(anchor, test, True)
    assert (found.low, found.high) == (0.17, 0.40)
    half = [(size / 2, value) for size, value in anchor]
    assert bd_rate(anchor, half, True).percent == pytest.approx(-50)
    assert bd_rate(half, anchor, True).percent == pytest.approx(100)


def test_bd_rate_of_curves_that_never_meet() -> None:
    good, bad = [(500, 0.2), (900, 0.1)], [(500, 0.9), (900, 0.8)]
    assert bd_rate(bad, good, True) == Saving(None, None, None, "test")
    assert bd_rate(good, bad, True).better_everywhere == "anchor"
    low, high = [(500, 0.1), (900, 0.2)], [(500, 0.8), (900, 0.9)]
    assert bd_rate(low, high, False).better_everywhere == "test"
    # a sliver in common says nothing about the rest
    sliver = [(500, 0.21), (900, 0.105)], [(500, 0.11), (900, 0.01)]
    assert bd_rate(*sliver, True) == Saving(None, None, None, "test")
    # a single point, or one that more bytes make worse, is no curve
    assert bd_rate([(500, 0.2), (900, 0.3)], good, True) == Saving(None, None, None)


def test_verification_counts_pairs() -> None:
    people = ["a", "a", "b", "c"]
    originals = np.zeros((4, 128))
    originals[:, 0] = [0.0, 0.3, 2.0, 4.0]
    decoded = originals.copy()
    decoded[2] = np.nan  # no face was found in it
    found = verify(originals, decoded, people)
    assert found.limit == pytest.approx(1.7)  # the nearest strangers; so few that none may pass
    assert (found.itself, found.another, found.strangers, found.pairs) == (0.75, 1.0, 0.0, 2)
    assert verify(originals[:2], originals[:2], ["a", "a"]) is None
    assert verify(originals[2:], originals[2:], ["b", "c"]).another is None


def test_verification_is_at_one_rate_of_false_accepts() -> None:
    """Descriptors that shrink towards everybody's mean are near to all: the limit shrinks too."""
    rng = np.random.default_rng(0)
    people = [f"{n // 2}" for n in range(60)]
    originals = np.repeat(rng.normal(size=(30, 128)), 2, 0) + 0.6 * rng.normal(size=(60, 128))
    shrunk = 0.1 * originals
    plain, near = verify(originals, originals, people), verify(originals, shrunk, people)
    assert near.limit < plain.limit and plain.another > 0.9
    assert plain.strangers <= 0.01 and near.strangers <= 0.01


def test_frechet_distance_of_known_gaussians() -> None:
    x = torch.randn(400, 3, generator=torch.Generator().manual_seed(0))
    assert frechet(x, x) == pytest.approx(0, abs=1e-9)
    assert frechet(x, x + torch.tensor([3.0, 4.0, 0.0])) == pytest.approx(25, rel=1e-4)
    # equal means, one spread twice the other's: the trace of the covariance once
    centred = x - x.mean(0)
    assert frechet(centred, 2 * centred) == pytest.approx(x.var(0).sum().item(), rel=1e-4)


def test_ms_ssim_is_one_on_itself_and_falls_with_blur() -> None:
    picture = torch.nn.functional.avg_pool2d(face(1), 4)
    blurred = torch.nn.functional.avg_pool2d(picture, 5, 1, 2)
    assert ms_ssim(picture, picture) == pytest.approx(1)
    assert 0.5 < ms_ssim(picture, blurred) < 0.99


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """DISTS and DINOv2 with random weights: their real ones are not in the repository."""
    torch.manual_seed(0)
    paths = {}
    dists = Dists()
    for part in (dists.alpha, dists.beta):
        part.data.fill_(1.0)
    for name, network in (("dists", dists), ("dino", Dino())):
        paths[name] = tmp_path_factory.mktemp("weights") / f"{name}.safetensors"
        save_file(network.state_dict(), paths[name])
    return paths


def test_dino_sees_where_things_are(networks) -> None:
    dino = Dino.pretrained(networks["dino"])
    picture = torch.nn.functional.avg_pool2d(face(1), 4)
    assert dino(picture).shape == (1, 384)
    tokens = dino.tokens(picture[..., :224, :224])
    assert tokens.shape == (1, 257, 384)
    turned = dino.tokens(picture[..., :224, :224].flip(3))
    assert not torch.allclose(tokens, turned, atol=1e-3)


def test_an_aligned_picture_is_left_alone(tmp_path: Path) -> None:
    crop = to_pil(face(1))
    assert is_aligned(crop)
    wide = Image.new("RGB", (1600, 1200), "grey")
    wide.paste(crop, (500, 100))
    assert not is_aligned(wide) and not is_aligned(wide.crop((100, 0, 1300, 1200)))
    for name, image in (("crop", crop), ("wide", wide)):
        image.save(tmp_path / f"{name}.png")
    one, other = (StudyPicture(n, tmp_path / n).load() for n in ("crop.png", "wide.png"))
    assert one == crop
    difference = np.asarray(one, float) - np.asarray(other, float)
    assert np.abs(difference)[300:700, 300:700].mean() < 12  # the same face in the same place


def test_which_pictures_are_taken(tmp_path: Path) -> None:
    for name in ("ffhq/00015.jpg", "ffhq/00016.jpg", "mine/anna_1.png", "mine/note.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (32, 32)).save(path, "PNG")
    chosen, notes = study_pictures(tmp_path, None)
    assert [p.name for p in chosen] == ["ffhq/00015.jpg"]
    assert any("held_out" in note for note in notes)
    (mine,), notes = study_pictures(tmp_path / "mine", None)
    assert size_note([mine]) == "Shorter sides of the picture files: 1 of 32 px."
    assert (mine.name, mine.collection, mine.person) == ("anna_1.png", ".", "./anna")
    assert not any("held_out" in note for note in notes)
    assert main(["evaluate", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 2


def test_figures_are_kept_until_what_they_depend_on_changes(tmp_path: Path) -> None:
    store = Store(tmp_path, "a", key_of("one"))
    store.rows["x"] = {"bytes": 3, "identity_l2": math.nan, "kind": "file"}
    store.features["x"] = {"identity": np.array([1.0, np.nan])}
    store.save()
    again = Store(tmp_path, "a", key_of("one"))
    assert again.rows["x"]["bytes"] == 3 and math.isnan(again.rows["x"]["identity_l2"])
    np.testing.assert_array_equal(again.features["x"]["identity"], [1.0, np.nan])
    assert not Store(tmp_path, "a", key_of("two")).rows


def test_a_study_and_how_it_goes_on(networks, tmp_path: Path, monkeypatch, capfd) -> None:
    (tmp_path / "faces").mkdir()
    to_pil(face(1)).save(tmp_path / "faces" / "one.png")
    Image.new("RGB", (64, 64), "grey").save(tmp_path / "faces" / "two.png")
    monkeypatch.setattr(run, "Measures", partial(Measures, **networks))
    out = tmp_path / "out"
    command = ["evaluate", str(tmp_path / "faces"), "--out", str(out), "--device", "cpu"]
    command += ["--levels", "2"]
    assert main([*command, "--codecs", "jpeg"]) == 0
    result = json.loads((out / "report.json").read_text())
    rows = {row["what"]: row for row in result["summary"]}
    assert list(rows) == [
        "HSC, file, level 2", "HSC, S only, level 2", "HSC, S^ read directly, level 2",
        "JPEG, best size, level 2", "JPEG, full size, level 2",
    ]  # fmt: skip
    ours, jpeg = rows["HSC, file, level 2"], rows["JPEG, best size, level 2"]
    assert jpeg["bytes"] <= ours["bytes"] or jpeg["fits"] == 0
    assert rows["JPEG, full size, level 2"]["fits"] == 0
    assert ours["lpips_1024"] < jpeg["lpips_1024"] and ours["mask_overlap"] > 0.8
    read = rows["HSC, S^ read directly, level 2"]
    assert "lpips_1024" not in read and read["bytes"] < 80 and read["landmark_error"] < 0.15
    assert any(note.startswith("two.png was left out") for note in result["notes"])
    with (out / "figures.csv").open() as file:
        assert {row["what"] for row in csv.DictReader(file)} == set(rows)
    text = (out / "index.html").read_text()
    assert "JPEG" in text and "data:image/jpeg;base64" in text
    assert "<script src" not in text and "<link" not in text  # nothing is fetched

    # another codec costs only itself, on a cluster too, and nothing at all is done twice
    looked = []
    monkeypatch.setattr(run.CachedMeasures, "at", _counting(run.CachedMeasures.at, looked))
    monkeypatch.setattr(run.cluster, "run", _one_worker)
    assert main([*command, "--codecs", "jpeg,webp", "--ray", "here"]) == 0
    assert "1/2 one.png measured" in capfd.readouterr().err
    assert {name for name in looked if not name.startswith("HSC")} == {
        "WebP, best size, level 2", "WebP, full size, level 2"
    }  # fmt: skip
    monkeypatch.setattr(run, "ours", None)
    assert main([*command, "--codecs", "jpeg,webp"]) == 0
    assert "WebP" in capfd.readouterr().out


def _one_worker(work, names, load, **options) -> Iterator[Result]:
    """In the place of `hsc.cluster.run`, in this process; the work is pickled as for a cluster."""
    assert options["address"] == "here"
    work = pickle.loads(pickle.dumps(work))
    model = work.start()
    for name in names:
        (value,) = work([pickle.loads(pickle.dumps(load(name)))])
        failed = isinstance(value, Exception)
        yield Result(name, model, *(None, str(value)) if failed else (value, None))


def _counting(method, names: list):
    def counted(self, candidate, store):
        names.append(candidate.what)
        method(self, candidate, store)

    return counted
