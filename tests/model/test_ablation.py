"""Ablations: a variant lacks exactly what it says, and its price is read off at equal quality."""

from types import SimpleNamespace

import pytest
import torch
from generated import face, styles
from torch.nn import functional

from hsc.cli import main
from hsc.latent_codecs.feature_slices.model import FeatureCodec
from hsc.latent_codecs.feature_slices.prior import passes
from hsc.latent_codecs.gaussian import load_tables
from hsc.research.ablation import priors, run, semantics
from hsc.research.ablation.samples import CodedFaces, EncodedFaces, code
from hsc.research.evaluation import report
from hsc.weights.loading import path_of

pytestmark = pytest.mark.usefixtures("quick_model_in_use")

FULL, NEITHER = priors.VARIANTS[0], priors.VARIANTS[-1]


@pytest.fixture(scope="module")
def faces() -> CodedFaces:
    """Latents that follow from the context, and whose later channels repeat the first ones."""
    generator = torch.Generator().manual_seed(0)
    context = torch.randn(6, 512, 16, 16, generator=generator)
    y = torch.randn(6, 128, 16, 16, generator=generator)
    y[:, :8] = 4 * context[:, :8]
    y[:, 68:] = 4 * y[:, 8:68]
    return CodedFaces(1.0, torch.zeros(6, 23, 512), torch.zeros(6), context.half(), y)


@pytest.mark.parametrize("variant", priors.VARIANTS, ids=lambda v: v.title)
def test_a_variant_sees_what_it_says(variant: priors.Variant, faces: CodedFaces) -> None:
    torch.manual_seed(0)
    prior = priors.VariantPrior(variant)
    for network in prior.networks:
        torch.nn.init.normal_(network.conv3.weight, std=0.1)
    gain = torch.zeros(128)

    def scales(context: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return prior(context, y, gain, 1.0)[1]

    context, y = faces.context[:1].float(), faces.y[:1]
    before = scales(context, y)
    assert torch.equal(before, scales(context + 1, y)) != variant.context
    other = y.clone()
    other[:, :8] += 3
    changed = (scales(context, other) != before)[0]  # (128, 16, 16)
    first, second = (p.cells for p in passes((8, 120), 1)[:2])
    assert not changed[:8, first].any()
    assert changed[:8, second].any() == (variant.checkered > 0)
    assert changed[8:].any() == (len(variant.slices) > 1)


def test_what_a_prior_sees_saves_bytes(faces: CodedFaces) -> None:
    fcn, tables = FeatureCodec(), load_tables(path_of("entropy"))
    size = {}
    for variant in (FULL, NEITHER):
        prior = priors.train(variant, fcn, [faces], 24)
        found, y_hat = priors.sizes(prior, fcn, faces, tables)
        size[variant] = found.mean().item()
        assert (y_hat - faces.y).abs().max() <= 0.5 + 1e-3  # the step of a symbol is 1
    assert size[FULL] < 0.99 * size[NEITHER]


def test_the_papers_way_to_code_semantics_meets_its_size() -> None:
    generator = torch.Generator().manual_seed(0)
    axes = torch.randn(4, 23 * 512, generator=generator)
    w_plus = (torch.randn(64, 4, generator=generator) @ axes).unflatten(1, (23, 512))
    tables = load_tables(path_of("entropy"))
    size = {}
    for target in (30, 200):
        codec = semantics.train(w_plus, target, 60)
        found, w_plus_hat = semantics.sizes(codec, w_plus[:8], tables)
        error = (w_plus_hat - w_plus[:8]).square().mean() / w_plus[:8].square().mean()
        size[target] = (sum(found) / 8, error.item())
    assert size[30][0] < size[200][0]
    assert size[200][1] < min(0.9, size[30][1])


@pytest.mark.parametrize("group", ["semantics", "losses"])
def test_a_group_is_measured_with_the_shipped_weights(group, codec, monkeypatch) -> None:
    # it draws a large picture for each style; the toy model, whose pictures are small, tries it
    monkeypatch.setattr(run, "style_importance", lambda *_: torch.ones(23))
    w_plus = torch.cat([styles(seed) for seed in range(4)])
    feature = codec.networks.synthesis.feature(w_plus)
    images = torch.cat([functional.interpolate(face(s), size=256, mode="area") for s in range(4)])
    train = EncodedFaces(images, w_plus, feature.half())
    test = EncodedFaces(images[:1], w_plus[:1], feature[:1].half())
    coded = {level: code(codec, test, level) for level in run.LEVELS}
    measure = {"semantics": run.semantic_rows, "losses": run.loss_rows}[group]
    rows = [{"group": group} | row for row in measure(codec, run.Faces(train, test, coded), 1)]
    titles = dict.fromkeys(row["title"] for row in rows)
    assert len(titles) == 2
    for title in titles:
        points = [(row["bytes"], row["lpips"]) for row in rows if row["title"] == title]
        assert len(points) >= 3 and all(size > 8 and 0 < lpips < 1 for size, lpips in points)
        assert points == sorted(points)  # more bytes for every next point
    assert list(titles)[1] in run.table({"rows": rows, "worth": run.worth(rows)})


def test_what_a_variant_is_worth() -> None:
    def rows(title: str, factor: float) -> list[dict]:
        points = ((500, 0.15), (1000, 0.12), (2000, 0.10))
        return [
            {"group": "priors", "title": title, "level": 1.0, "bytes": factor * b, "lpips": q}
            for b, q in points
        ]

    found = rows("as the codec has it", 1) + rows("without slices", 1.25)
    (cost,) = run.worth(found)
    assert (cost["title"], cost["percent"]) == ("without slices", pytest.approx(25))
    text = run.table({"rows": found, "worth": [cost]})
    assert "+25.0 %" in text and "625 / 1250 / 2500" in text
    # a variant whose best is worse than the codec's least: how many bytes it needs at the least
    far = [r | {"title": "far", "lpips": r["lpips"] + 0.1} for r in rows("", 2)]
    (cost,) = run.worth(found[:3] + far)
    assert cost["better_everywhere"] == "anchor" and cost["ratio"] == 4000 / 500
    assert "over +700 %" in run.table({"rows": found[:3] + far, "worth": [cost]})


def test_other_groups_are_kept_while_the_weights_are_the_same(tmp_path) -> None:
    rows = [{"group": g, "title": "a"} for g in run.GROUPS]
    budgets = {g: {"steps": 1} for g in run.GROUPS}
    known = {"kind": "ablation", "weights": {"fcn": "1"}, "rows": rows, "budgets": budgets}
    report.save(known, tmp_path)
    found, spent = run.other_groups(tmp_path, ["priors"], {"fcn": "1"})
    assert [row["group"] for row in found] == list(spent) == ["semantics", "losses"]
    assert run.other_groups(tmp_path, ["priors"], {"fcn": "2"}) == ([], {})
    assert run.other_groups(tmp_path / "none", [], {}) == ([], {})


def test_groups_that_are_measured_one_by_one_end_in_one_report(tmp_path) -> None:
    codec = SimpleNamespace(model_name="a model", device=torch.device("cpu"))
    row = {"title": "as the codec has it", "level": 1.0, "bytes": 500.0, "lpips": 0.1}
    for group, steps in (("losses", 5), ("priors", 7), ("losses", 9)):
        rows = [{"group": group} | row]
        result = run.merged_report(codec, tmp_path, group, rows, {"steps": steps})
        report.save(result, tmp_path)
    known = report.read("ablation", tmp_path)
    assert [r["group"] for r in known["rows"]] == ["priors", "losses"]
    assert {g: b["steps"] for g, b in known["budgets"].items()} == {"priors": 7, "losses": 9}


def test_an_unknown_group_is_refused(tmp_path, capfd) -> None:
    command = ["ablate", "--faces", str(tmp_path), "--groups", "nothing", "--device", "cpu"]
    assert main(command) == 2
    assert "expected groups among priors, semantics, losses" in capfd.readouterr().err
