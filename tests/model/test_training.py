"""Training's plumbing: the loop, checkpoints, what may be seen, and every stage for two steps.

Nothing is learnt here. The stages run on a copy of the weights and a handful of generated faces.
"""

import json
import math
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from generated import face, mapping, styles, synthesis, to_pil
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

import hsc.weights.model_id
from hsc.config import SHIPPED
from hsc.errors import HscError
from hsc.generators.mobilestylegan.window import MARGIN
from hsc.generators.pretrained import load_finetuned, load_generator
from hsc.images.bandwidth import band_limited
from hsc.images.tensors import to_unit
from hsc.latent_codecs.feature_slices.model import FeatureCodec, Semantics
from hsc.latent_codecs.gaussian import load_tables
from hsc.latent_codecs.styles_klt import SemanticCodec
from hsc.levels import LEVELS
from hsc.metrics.picture import lattice_of
from hsc.numerics import precision
from hsc.research import stages
from hsc.research.data.augment import degrade, grey_some, jitter
from hsc.research.data.faces import NativeFaces, RealFaces, SyntheticPairs, list_faces
from hsc.research.data.held_out import held_out_names, is_held_out
from hsc.research.options import TrainOptions
from hsc.research.stages.latent_codecs import start_feature_codec
from hsc.research.training import correction, enhancement, fine_styles, mixed, pairs
from hsc.research.training.config import build, shipped, values_of
from hsc.research.training.correction import START_PRICES, of_part
from hsc.research.training.decoder import DecoderConfig
from hsc.research.training.feature import CodedLatents
from hsc.research.training.fine_styles import STEP_COSTS
from hsc.research.training.klt import start_from_klt
from hsc.research.training.latents import CachedLatents
from hsc.research.training.log import CsvLog, read_log
from hsc.research.training.loop import Budget, Checkpoint, train
from hsc.research.training.rate import RatePrice
from hsc.research.training.semantic import TARGET_BYTES, fit
from hsc.research.training.setting import export, fast_synthesis, is_current
from hsc.research.training.texture import first_style
from hsc.research.training.window_loss import place_window
from hsc.weights.loading import file_hash, load_into, renamed
from hsc.weights.model_id import path_of

REAL_ASSETS = hsc.weights.model_id.ASSETS
STRANGER = "london/006_03.jpg"
SMALL = {
    "shard": 2, "synthetic": 1, "pictures": 2, "least_px": 256, "pool_least": 1, "klt_pictures": 80,
}  # fmt: skip
"""Hyperparameters for a handful of small faces, of those stages that have them."""


class Line(nn.Module):
    """y = a x, to be fitted to y = 2 x."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.zeros(1))

    def loss(self, step: int, spent: float) -> tuple[Tensor, dict[str, float]]:
        x = torch.linspace(-1, 1, 9)
        value = (self.a * x - 2 * x).square().mean()
        return value, {"a": self.a.item()}


def fit_line(line: Line, checkpoint: Checkpoint, steps: int) -> None:
    groups = [{"params": list(line.parameters()), "lr": 0.1}]
    log = CsvLog(checkpoint.folder / "log.csv")
    train(checkpoint, groups, line.loss, Budget(steps, 5), log, batch=3, log_every=10)


def test_the_loop_learns_counts_and_logs(tmp_path) -> None:
    line = Line()
    before = line.loss(0, 0)[0].item()
    checkpoint = Checkpoint(tmp_path, line)
    fit_line(line, checkpoint, 60)
    assert line.loss(0, 0)[0].item() < 0.1 * before
    assert 0 < checkpoint.ema["a"].item() < 2.2
    assert (checkpoint.counters["steps"], checkpoint.counters["images"]) == (60, 180)
    header, *log = (tmp_path / "log.csv").read_text().splitlines()
    assert header.startswith("step,spent,loss") and len(log) == 6 and log[-1].startswith("60,")
    assert "loss" in read_log(tmp_path / "log.csv")[-1]


def test_a_checkpoint_resumes_where_it_stopped(tmp_path) -> None:
    first = Line()
    assert not Checkpoint(tmp_path, first).resume()
    fit_line(first, Checkpoint(tmp_path, first), 20)
    second = Line()
    checkpoint = Checkpoint(tmp_path, second)
    assert checkpoint.resume()
    assert torch.equal(second.a, first.a)
    assert torch.equal(checkpoint.ema["a"], load_file(tmp_path / "ema.safetensors")["a"])
    minutes = checkpoint.counters["minutes"]
    fit_line(second, checkpoint, 5)
    counters = json.loads((tmp_path / "state.json").read_text())
    assert (counters["steps"], counters["images"]) == (25, 75)
    assert counters["minutes"] > minutes > 0
    assert not list(tmp_path.glob("*.new"))


def test_a_resumed_run_keeps_its_average(tmp_path) -> None:
    begun = Checkpoint(tmp_path, Line())
    for _ in range(200):
        begun.count(1)
    begun.save()
    line = Line()
    resumed = Checkpoint(tmp_path, line)
    assert resumed.resume()
    line.a.data.fill_(1.0)
    resumed.count(1)
    assert 0 < resumed.ema["a"].item() < 0.05


def test_a_loss_that_explodes_stops_training(tmp_path) -> None:
    line = Line()
    line.a.data.fill_(math.nan)
    with pytest.raises(RuntimeError, match="lower the rate"):
        fit_line(line, Checkpoint(tmp_path, line), 3)
    assert not (tmp_path / "weights.safetensors").exists()


@pytest.mark.parametrize("level", [1, 2.5, 6])
def test_the_price_of_bytes_follows_their_number(level) -> None:
    price = RatePrice()
    start = price(level)
    price.adjust(level, 2 * price.target_bytes(level))
    dearer = price(level)
    price.adjust(level, 0.25 * price.target_bytes(level))
    assert start < dearer and price(level) < dearer
    same = price(level)
    price.adjust(level, price.target_bytes(level))
    assert price(level) == pytest.approx(same)
    # one level's price leaves the far ones alone
    other = RatePrice()
    far = 6 if level < 4 else 1
    other.adjust(level, 1e9)
    assert other(far) == RatePrice()(far)


def test_sizes_aimed_at_are_the_named_levels() -> None:
    price = RatePrice()
    aims = [price.target_bytes(level.number) for level in LEVELS]
    assert aims == pytest.approx([level.target_bytes for level in LEVELS])
    assert aims[1] < price.target_bytes(2.5) < aims[2]


@pytest.mark.parametrize("change", [jitter, degrade, grey_some])
def test_augmented_pictures_stay_pictures(change) -> None:
    torch.manual_seed(0)
    images = face(1)[:, :, ::8, ::8].expand(12, -1, -1, -1)
    changed = change(images, probability=1.0) if change is degrade else change(images)
    assert changed.shape == images.shape and changed.isfinite().all()
    assert changed.min() >= -1.001 and changed.max() <= 1.001
    assert change is grey_some or not torch.equal(changed, images)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three generated faces; one bears the name of a stranger."""
    folder = tmp_path_factory.mktemp("faces")
    for seed, name in enumerate(("ffhq/00001.png", "ffhq/00002.jpg", STRANGER), start=1):
        (folder / name).parent.mkdir(exist_ok=True)
        to_pil(face(seed)).reduce(4).save(folder / name)
    return folder


def test_strangers_are_never_trained_on(faces) -> None:
    assert STRANGER in held_out_names()
    assert {path.name for path in list_faces([faces])} == {"00001.png", "00002.jpg"}
    assert list_faces([faces / "london"]) == []
    with pytest.raises(FileNotFoundError):
        RealFaces([faces / "london"])
    real = RealFaces([faces])
    assert real.images.shape == (2, 3, 256, 256)
    assert real.sample(5).shape == (5, 3, 256, 256)


def test_semantics_are_fitted_to_the_sizes_aimed_at() -> None:
    seeded = torch.Generator().manual_seed(0)
    w_plus = pairs.sample_styles(mapping(), 320, seeded)
    codec = SemanticCodec()
    fit(codec, w_plus, torch.ones(320), synthesis(), torch.ones(w_plus.shape[1]))
    errors = []
    with torch.no_grad():
        for level, target in zip(LEVELS, TARGET_BYTES):
            w_plus_hat, cost = codec(w_plus, level.number)
            assert cost.mean().item() / 8 == pytest.approx(target, rel=0.1)
            errors.append((w_plus_hat - w_plus).square().mean().item())
    assert errors == sorted(errors, reverse=True) and errors[-1] < 0.6 * errors[0]
    codec.update(load_tables(path_of("entropy")))
    decoded = codec.decompress(codec.compress(w_plus[:1], 6), 6)
    with torch.no_grad():
        assert (decoded - codec(w_plus[:1], 6)[0]).abs().max() < 2e-3


class Workshop:
    """Stages over a few faces, on a copy of the weights."""

    def __init__(self, root: Path, faces: Path) -> None:
        self.work, self.assets, self.faces = root / "runs", root / "weights", faces

    def run(
        self, stage: str, *, steps: int, batch: int = 0, resume: bool = True, **changes: float
    ) -> None:
        known = shipped(stage)
        changes = {k: v for k, v in (SMALL | changes).items() if k in known}
        stages.run(
            stage,
            TrainOptions(
                work=self.work, data=[self.faces], device="cpu", steps=steps, minutes=5.0,
                batch=batch, resume=resume, changes={k: str(v) for k, v in changes.items()},
            ),
        )  # fmt: skip

    def counters(self, name: str) -> dict[str, float]:
        return json.loads((self.work / name / "state.json").read_text())

    def encoder(self) -> dict[str, Tensor]:
        """Where the encoder's training stands: its checkpoint, or what ships."""
        live = self.work / "inversion" / "weights.safetensors"
        return load_file(live) if live.exists() else self.shipped("inversion")

    def shipped(self, name: str) -> dict[str, Tensor]:
        return renamed(load_file(self.assets / f"{name}.safetensors"))


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory, faces: Path) -> Iterator[Workshop]:
    root = tmp_path_factory.mktemp("workshop")
    workshop = Workshop(root, faces)
    real = hsc.weights.model_id.ASSETS
    stamps = {path: path.stat().st_mtime_ns for path in real.iterdir()}
    shutil.copytree(real, workshop.assets)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hsc.weights.model_id, "ASSETS", workshop.assets)
        workshop.run("pairs", steps=1)
        yield workshop
    assert {path: path.stat().st_mtime_ns for path in real.iterdir()} == stamps


def test_stage_pairs_adds_shards(workshop) -> None:
    folder = workshop.work / "pairs"
    first = (folder / "000.safetensors").read_bytes()
    drawn = SyntheticPairs(folder)
    assert drawn.images.shape == (2, 3, 256, 256) and drawn.w_plus.shape == (2, 23, 512)
    assert drawn.images.float().std() > 20
    workshop.run("pairs", steps=1, shard=1)
    assert (folder / "000.safetensors").read_bytes() == first
    assert len(SyntheticPairs(folder)) == 3


@pytest.mark.parametrize(("stage", "channels"), [("preview", 256), ("exit128", 512)])
def test_stages_of_the_exits(workshop, stage, channels) -> None:
    workshop.run(stage, steps=2, batch=2, resume=False)
    workshop.run(stage, steps=2, batch=2)
    assert workshop.counters(stage)["steps"] == 4
    weight = workshop.shipped(stage)["linear.weight"]
    assert weight.dtype == torch.float16 and weight.shape == (12, channels, 1, 1)


def test_endless_pairs_are_what_the_generator_draws() -> None:
    device = torch.device("cpu")
    drawn = pairs.RenderedPairs(load_generator(device), device)
    sample = drawn.sample(2, device)
    assert sample.images.dtype == torch.uint8 and sample.images.shape == (2, 3, 256, 256)
    with torch.no_grad():
        again = synthesis()(sample.w_plus[:1]).clamp(-1, 1)
    small = torch.nn.functional.interpolate(again, size=256, mode="area")
    assert (to_unit(sample.images[:1]) - small).abs().mean() < 0.02
    assert not torch.equal(sample.w_plus, drawn.sample(2, device).w_plus)


def test_stage_inversion(workshop) -> None:
    before = workshop.shipped("inversion")
    workshop.run("inversion", steps=3, batch=4)
    counters = workshop.counters("inversion")
    assert (counters["steps"], counters["images"]) == (3, 12)
    live = load_file(workshop.work / "inversion" / "weights.safetensors")
    assert all(value.isfinite().all() for value in live.values())
    name = "feature_head.out.weight"
    assert not torch.equal(live[name].half(), before[name])
    after = workshop.shipped("inversion")
    assert after.keys() == before.keys()
    assert torch.equal(after["backbone.stem.weight"], before["backbone.stem.weight"])  # frozen
    log = read_log(workshop.work / "inversion" / "log.csv")
    assert {"held_out_s_lpips", "held_out_sf_id"} <= set(log[-1])
    with Image.open(workshop.work / "inversion" / "strip.jpg") as strip:
        assert strip.size == (256, 3 * 256)  # one stranger: original, S, S + F


def test_stage_fine_moves_only_fine_styles(workshop) -> None:
    before = workshop.encoder()
    workshop.run("texture", steps=2, batch=1)
    after = workshop.encoder()
    changed = {n for n in before if not torch.equal(before[n].float(), after[n].float())}
    rows = {"offset": 1, "basis": 1, "coefficients.bias": 64, "coefficients.weight": 64}
    assert changed <= {f"semantic_head.{name}" for name in rows}
    assert "semantic_head.offset" in changed
    for name in changed:
        held = first_style(SHIPPED) * rows[name.removeprefix("semantic_head.")]
        assert torch.equal(before[name][:held].float(), after[name][:held].float()), name
    assert workshop.shipped("inversion").keys() == after.keys()
    assert "held_out_lpips" in read_log(workshop.work / "inversion" / "texture.csv")[-1]


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_batch_may_be_of_one_kind(share: float) -> None:
    """A batch of one always is."""
    drawn, photo = torch.zeros(1, 3, 256, 256, dtype=torch.uint8), torch.full((1, 3, 256, 256), 255)
    pairs_only = SimpleNamespace(sample=lambda n, _: SimpleNamespace(images=drawn[:n]))
    real_only = SimpleNamespace(sample=lambda n: photo.byte()[:n])
    faces = mixed.MixedFaces(pairs_only, real_only, torch.device("cpu"), share)
    batch = faces.sample(1)
    assert batch.shape == (1, 3, 256, 256)
    assert (batch.mean() > 0.9) == (share == 1.0)


def test_stage_likeness_moves_only_the_look_at_s(workshop) -> None:
    before = workshop.encoder()
    workshop.run("identity", steps=2, batch=2)
    after = workshop.encoder()
    changed = {n for n in before if not torch.equal(before[n].float(), after[n].float())}
    assert {f"style_feedback.{n}" for n in ("base.weight", "coefficients.bias", "basis")} <= changed
    assert all(name.startswith("style_feedback.") for name in changed)
    assert not any("pooled" in name for name in changed)  # statistics are of the first run
    assert workshop.shipped("inversion").keys() == after.keys()
    assert "held_out_s_id" in read_log(workshop.work / "inversion" / "identity.csv")[-1]


def test_small_photographs_do_not_teach_texture(faces) -> None:
    with pytest.raises(FileNotFoundError, match="512"):
        NativeFaces(list_faces([faces]), 512)


def test_stages_latents_feature_and_joint(workshop) -> None:
    workshop.run("latents", steps=1)
    cached = CachedLatents(workshop.work / "latents")
    assert (cached.real, len(cached)) == (2, 3)
    workshop.run("feature", steps=2, batch=2, resume=False)
    assert workshop.counters("fcn")["steps"] == 2
    price = json.loads((workshop.work / "fcn" / "price.json").read_text())
    assert price != pytest.approx([math.exp(p) for p in RatePrice().log_price])
    before = {name: workshop.shipped(name) for name in ("fcn", "inversion", "decoder")}
    workshop.run("joint", steps=3, batch=2)
    assert workshop.counters("joint")["steps"] == 3
    after = {name: workshop.shipped(name) for name in before}
    for name, head, frozen in (
        ("fcn", "g_a.out.weight", "feature_std"),
        ("inversion", "feature_head.out.weight", "semantic_head.base.weight"),
        ("inversion", "feature_feedback.out.weight", "semantic_head.offset"),
        ("inversion", "detail_stem.conv1.weight", "style_feedback.base.weight"),
        ("decoder", "blocks.512.conv2.conv.weight", "blocks.128.conv2.conv.weight"),
        ("decoder", "blocks.256.conv1.conv.weight", "preview.out.weight"),
    ):
        assert after[name].keys() == before[name].keys()
        assert all(value.isfinite().all() for value in after[name].values())
        assert not torch.equal(after[name][head], before[name][head])
        assert torch.equal(after[name][frozen], before[name][frozen])


def test_fcn_starts_from_the_klt(workshop) -> None:
    """Before any step, unrounded, the transforms give most of F back."""
    workshop.run("latents", steps=1)
    cached = CachedLatents(workshop.work / "latents")
    device = torch.device("cpu")
    generator = load_generator(device)
    scn = load_into(SemanticCodec(), path_of("scn"))
    codec = FeatureCodec()
    start_feature_codec(codec, generator)
    fast = fast_synthesis(device)
    start_from_klt(codec, CodedLatents(scn, fast, cached, device), pictures=80)
    batch = cached.sample(2, device)
    with torch.no_grad():
        feature_s = generator.synthesis.feature(scn(batch.w_plus, 3.0)[0])
        for feature, semantic in zip(batch.feature.split(1), feature_s.split(1)):
            y = codec.base_latent(feature, semantic, 3.0)
            error = codec.normalised(codec.base_restore(y, semantic, 3.0) - feature)
            assert (
                error.square().mean() < 0.05 * codec.normalised(feature - semantic).square().mean()
            )
            assert 0.1 < y.std() < 10
    gains = codec.log2_gain.mean(1)
    assert (gains.diff() > 0).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_losses_render_in_the_type_that_the_processor_is_faster_in(dtype, monkeypatch) -> None:
    monkeypatch.setattr(precision, "computes_bfloat16", lambda _: dtype == torch.bfloat16)
    device = torch.device("cpu")
    fast = fast_synthesis(device)
    with torch.no_grad(), precision.gradient_autocast(device):
        assert fast.dtype == fast.feature(styles(0).to(dtype)).dtype == dtype


def test_stage_decoder_moves_only_the_blocks_above_f(workshop) -> None:
    generator = workshop.shipped("generator")
    workshop.run("decoder", steps=2, batch=2)
    assert workshop.counters("decoder")["steps"] == 2
    after = workshop.shipped("decoder")
    before = {n.removeprefix("synthesis."): v for n, v in generator.items()}
    assert {n.split(".")[0] for n in after} == {"blocks", "to_img"}
    assert {n.split(".")[1] for n in after if n.startswith("blocks.")} == {
        "64",
        "128",
        "256",
        "512",
    }
    assert all(v.dtype == torch.float16 and v.shape == before[n].shape for n, v in after.items())
    path = workshop.assets / "decoder.safetensors"
    above = load_finetuned(synthesis(), path).synthesis  # as the codec does
    assert torch.equal(above.to_img.conv.weight.half(), after["to_img.conv.weight"])
    assert not torch.equal(
        after["blocks.512.conv2.conv.weight"], before["blocks.512.conv2.conv.weight"]
    )
    assert workshop.shipped("generator").keys() == generator.keys()
    log = read_log(workshop.work / "decoder" / "log.csv")
    assert {"held_out_lpips_own", "held_out_lpips_eyes", "held_out_lpips_mouth"} <= set(log[-1])
    # goes on from the written file where there is no checkpoint
    shutil.rmtree(workshop.work / "decoder")
    workshop.run("decoder", steps=1, batch=1, edited_file=1)
    again = workshop.shipped("decoder")
    worst = max((again[n].float() - v.float()).abs().max().item() for n, v in after.items())
    assert worst < 0.05
    # an exit of its own goes into the same file, and the blocks stay as they are
    workshop.run("preview-decoder", steps=1, batch=1, pictures=2)
    whole = workshop.shipped("decoder")
    assert all(torch.equal(whole[name], tensor) for name, tensor in again.items())
    assert {n.split(".")[0] for n in whole} == {"blocks", "to_img", "preview"}
    assert load_finetuned(synthesis(), path).preview is not None


def test_stage_correction_trains_the_correction_alone(workshop, monkeypatch) -> None:
    monkeypatch.setattr(correction, "WATCHED_LEVELS", (3.0,))
    names = [path.stem for path in workshop.assets.glob("*.safetensors")]
    hashes = {name: file_hash(path_of(name, workshop.assets)) for name in names}
    workshop.run("correction", steps=2, batch=2, resume=False, scale_batches=1)
    assert workshop.counters("correction")["steps"] == 2
    changed = {n for n in names if file_hash(path_of(n, workshop.assets)) != hashes[n]}
    assert changed == {"correction"}
    after = workshop.shipped("correction")
    assert after["scale"].dtype == after["price"].dtype == torch.float32
    assert after["out.weight"].dtype == torch.float16 and after["out.weight"].abs().max() > 0
    assert (after["price"] != torch.tensor(START_PRICES)).any()  # it follows the sizes
    assert (after["scale"] > 0).all() and (after["scale"] != 1).all()
    # coarser rounding passes on larger gradients
    assert after["scale"][0].mean() > after["scale"][5].mean()
    log = read_log(workshop.work / "correction" / "log.csv")
    for kind in ("before", "held_out"):
        assert {f"{kind}_lpips_own_level3", f"{kind}_bytes_level3"} <= set(log[-1])


def test_stage_enhancement_leaves_the_base_slices_as_they_are(workshop, monkeypatch) -> None:
    monkeypatch.setattr(enhancement, "DESCENT_STEPS", 1)
    shutil.copy(REAL_ASSETS / "fcn.safetensors", workshop.assets)  # not what other stages left
    before = workshop.shipped("fcn")
    settings = {"basis_pictures": 1, "files": 1, "rate": 0.01}
    workshop.run("enhancement", steps=2, batch=2, resume=False, **settings)
    assert workshop.counters("enhancement")["steps"] == 2
    after = workshop.shipped("fcn")
    assert all(value.isfinite().all() for value in after.values())
    for name, value in after.items():
        if not name.startswith("enhancement."):
            assert torch.equal(value, before[name]), name
    for name in ("basis", "scales.conv3.weight"):
        assert not torch.equal(after[f"enhancement.{name}"], before[f"enhancement.{name}"]), name
    rows = after["enhancement.basis"].flatten(1).float()
    assert (rows @ rows.T - torch.eye(len(rows))).abs().max() < 0.01  # orthonormal
    base = functional.normalize(after["g_a.linear.weight"].flatten(1).float())
    assert (base @ rows.T).abs().max() < 0.01  # and orthogonal to what base slices analyse
    assert len(list((workshop.work / "enhancement" / "files").iterdir())) == 1
    assert "held_out_kilobytes" in read_log(workshop.work / "enhancement" / "log.csv")[-1]


def test_stage_styles_leaves_the_rest_of_both_layers_as_it_is(workshop, monkeypatch) -> None:
    names = ("scn", "fcn")
    for name in names:  # not what other stages left
        shutil.copy(REAL_ASSETS / f"{name}.safetensors", workshop.assets)
    before = {name: workshop.shipped(name) for name in names}
    monkeypatch.setattr(fine_styles, "DESCENT_STEPS", 2)
    for name, sizes in fine_styles.FREE_SIZES.items():
        monkeypatch.setitem(fine_styles.FREE_SIZES, name, sizes[-2:])
    workshop.run("styles", steps=1, basis_pictures=1, searched=1)
    for name in names:
        after = workshop.shipped(name)
        assert after.keys() == before[name].keys()
        for key, value in after.items():
            assert value.isfinite().all(), key
            assert torch.equal(value, before[name][key]) != key.startswith("fine."), key
        costs = after["fine.curvature"].float() / torch.exp2(2 * after["fine.log2_gain"].float())
        wanted = torch.tensor(STEP_COSTS[name])[:, None].expand_as(costs)
        used = after["fine.basis"].flatten(1).any(1)  # one gradient gives one direction
        assert (after["fine.log2_gain"][:, ~used] == -4).all()  # the others take no bits
        assert used.sum() == 1
        torch.testing.assert_close(costs[:, used], wanted[:, used], rtol=0.05, atol=0)


def test_descents_are_sums_of_their_components() -> None:
    torch.manual_seed(0)
    where, affine = torch.randn(2, 3, 8), [torch.randn(16, 8) for _ in range(3)]
    changes = torch.einsum("nk,ksd->nsd", torch.randn(300, 2), where)
    faces = torch.randn(300, 3, 8)
    found = fine_styles.components_of_descents(changes, faces, affine, 4).flatten(1)
    y = torch.linalg.lstsq(found[:2].T, changes.flatten(1).T).solution
    torch.testing.assert_close(found[:2].T @ y, changes.flatten(1).T, rtol=0, atol=1e-3)
    torch.testing.assert_close(y @ y.T / 300, torch.eye(2), rtol=0, atol=1e-3)
    assert found[2:].abs().max() < 1e-3  # two are enough
    # a style that no channel follows may change as it will
    unseen = changes + torch.tensor([0, 0, 1.0])[:, None] * torch.randn(300, 3, 8)
    affine[2] = torch.zeros(16, 8)
    changes[:, 2] = 0
    one, other = (
        fine_styles.components_of_descents(each, faces, affine, 2)[:, :2].abs()
        for each in (changes, unseen)
    )
    torch.testing.assert_close(one, other, rtol=0, atol=1e-3)


def test_files_for_the_enhancement_slice_have_it() -> None:
    drawn = [enhancement.random_upper_level() for _ in range(200)]
    assert all(5 < level <= 6 and round(level, 2) == level for level in drawn)
    assert drawn.count(6.0) > 60


def test_parts_of_f_are_coded_as_the_whole_is() -> None:
    """All but what lies beyond the edge of a part."""
    torch.manual_seed(0)
    whole = FeatureCodec().eval()
    for module in whole.modules():  # some of its layers start at zero
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, std=0.02)
    part = of_part(whole)
    feature, known = torch.randn(1, 512, 32, 32), torch.randn(1, 512, 32, 32)
    context = torch.randn(1, 512, 16, 16)
    inner = slice(8, 24)
    with torch.no_grad():
        all_of_it, _ = whole(feature, 6, Semantics(known, context))
        some, bits_of_all = part(
            feature[..., inner, inner],
            6,
            Semantics(known[..., inner, inner], context[..., 4:12, 4:12]),
        )
        inside = torch.zeros(8, 8)
        inside[2:6, 2:6] = 1
        _, bits = part(
            feature[..., inner, inner],
            6,
            Semantics(known[..., inner, inner], context[..., 4:12, 4:12]),
            rated=inside,
        )
        assert 0 < bits.item() < 0.4 * bits_of_all.item()
    difference = (some - all_of_it[..., inner, inner]).abs()
    assert difference[..., 7:9, 7:9].mean() < 0.2 * (all_of_it - known).abs().mean()


def test_all_shares_its_minutes_among_the_stages(workshop, monkeypatch, capfd) -> None:
    minutes: dict[str, float] = {}

    def stage(name: str):
        def run(setting) -> None:
            minutes[name] = setting.minutes
            if name == "preview":
                assert setting.values["batch"] == 3

        return run

    monkeypatch.setattr(stages, "STAGES", {name: stage(name) for name in stages.STAGES})
    options = TrainOptions(work=workshop.work, data=[workshop.faces], minutes=10.0, device="cpu")
    stages.run("all", replace(options, changes={"preview.batch": "3", "joint.share": "0"}))
    shares = {n: shipped(n)["share"] for n in stages.RECIPE if n != "joint" and shipped(n)["share"]}
    assert list(minutes) == list(shares)

    assert minutes["pairs"] == pytest.approx(10 * shares["pairs"] / sum(shares.values()), rel=0.01)
    assert minutes["gains"] == pytest.approx(10.0, rel=0.01)
    with pytest.raises(HscError, match=r"STAGE\.KEY"):
        stages.run("all", replace(options, changes={"batch": "3"}))


def test_all_stops_when_the_time_is_over(workshop, monkeypatch, capfd) -> None:
    begun: list[str] = []
    monkeypatch.setattr(
        stages,
        "STAGES",
        {n: lambda setting, n=n: (begun.append(n), time.sleep(0.1)) for n in stages.STAGES},
    )
    stages.run("all", TrainOptions(work=workshop.work, minutes=0.001, device="cpu"))
    assert begun == ["pairs"] and "over before decoder" in capfd.readouterr().out


def test_hyperparameters_come_from_files_and_single_changes(tmp_path) -> None:
    values = values_of("decoder", None, {"rate": "1e-5", "batch": "2"})
    config = build(DecoderConfig, values)
    assert (config.rate, config.batch) == (1e-5, 2) and config.pool == shipped("decoder")["pool"]
    own = tmp_path / "own.yaml"
    own.write_text("rate: 3.0e-3\n")
    assert build(DecoderConfig, values_of("decoder", own, {})).rate == 0.003
    assert shipped("decoder")["rate"] == 2e-4
    with pytest.raises(HscError, match="no speed"):
        values_of("decoder", None, {"speed": "1"})
    with pytest.raises(HscError, match="expected rate"):
        build(DecoderConfig, values_of("decoder", None, {"rate": "fast"}))
    for stage in stages.STAGES:
        assert shipped(stage)["share"] >= 0


def test_a_checkpoint_is_left_where_another_stage_wrote_its_weights(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(hsc.weights.model_id, "ASSETS", tmp_path)
    folder = tmp_path / "runs"
    folder.mkdir()
    assert is_current(folder, "fcn")
    export({"a": torch.zeros(2)}, "fcn", folder)
    assert is_current(folder, "fcn")
    export({"a": torch.ones(2)}, "fcn")
    assert not is_current(folder, "fcn")


def test_a_log_gets_a_column_when_a_figure_first_comes(tmp_path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("step=20,loss=0.5\n")  # as older versions wrote
    log = CsvLog(path)
    log.write({"step": 40, "loss": 0.25})
    log.write({"step": 40, "held_out": 1.5})
    CsvLog(path).write({"step": 60, "loss": 0.125})
    assert path.read_text().splitlines() == [
        "step,loss,held_out", "20,0.5,", "40,0.25,", "40,,1.5", "60,0.125,"
    ]  # fmt: skip
    assert read_log(path)[2] == {"step": "40", "held_out": "1.5"}


def test_people_in_larger_pictures_are_the_same_people(tmp_path) -> None:
    name = next(n for n in sorted(held_out_names()) if n.startswith("ffhq/"))
    assert is_held_out(tmp_path / name) and is_held_out(tmp_path / name.replace("ffhq", "ffhq1024"))
    assert not is_held_out(tmp_path / "ffhq1024" / "00001.jpg")
    assert sum(n.startswith(("congress/", "studio/")) for n in held_out_names()) == 16


def test_a_window_is_compared_at_the_size_of_the_photograph() -> None:
    noise = torch.randn(1, 3, 256, 256, generator=torch.Generator().manual_seed(0))
    assert torch.equal(band_limited(noise, 950), noise)
    kept = [band_limited(noise, px).square().mean() / noise.square().mean() for px in (256, 700)]
    assert kept[0] < 0.2 and kept[0] < kept[1] < 0.8
    for _ in range(50):
        window = place_window()
        assert all(MARGIN <= v <= 32 - MARGIN - window.cells for v in (window.top, window.left))


def test_figures_that_some_steps_tell_are_means_over_those(tmp_path) -> None:
    line = Line()

    def loss(step: int, spent: float) -> tuple[Tensor, dict[str, float]]:
        value, _ = line.loss(step, spent)
        return value, {"odd": 4.0} if step % 2 else {}

    groups = [{"params": list(line.parameters()), "lr": 0.1}]
    log = CsvLog(tmp_path / "log.csv")
    train(Checkpoint(tmp_path, line), groups, loss, Budget(4, 5), log, batch=1, log_every=4)
    assert read_log(tmp_path / "log.csv")[-1]["odd"] == "4"


def test_a_lattice_has_a_price_and_colour_has_none() -> None:
    flat = torch.full((2, 3, 64, 64), 0.2)
    assert lattice_of(flat).item() == pytest.approx(0.0, abs=1e-12)
    columns = 0.1 * torch.cos(torch.arange(64) * torch.pi / 2)  # period 4
    assert lattice_of(flat + columns).item() == pytest.approx(0.005, rel=1e-3)
    noise = 0.1 * torch.randn(2, 3, 256, 256, generator=torch.Generator().manual_seed(0))
    assert lattice_of(noise).item() < 1e-4
