"""Where F is best taken: the transforms, the search for few bytes, and what its report says."""

from functools import partial
from pathlib import Path

import pytest
import torch
from fakes import save_dists
from generated import face, to_pil

from hsc.cli import main
from hsc.codec import Codec
from hsc.inversion.refine import Refiner
from hsc.metrics.evaluator import METRICS, Evaluator
from hsc.research.data.held_out import held_out_names
from hsc.research.evaluation import block_klt, rate_search, report, resolution
from hsc.research.evaluation.block_klt import GRID, BlockKlt, block_klts
from hsc.research.evaluation.rate_search import RateSearch, laplace_bits, laplace_scale

pytestmark = pytest.mark.usefixtures("quick_model_in_use")

COMPONENTS = 8


@pytest.fixture(scope="module")
def refiner(codec: Codec) -> Refiner:
    return codec.encoder.refiner


@pytest.fixture(scope="module")
def klts(codec: Codec, refiner: Refiner) -> dict[int, BlockKlt]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block_klt, "DRAWN", 2)
        patch.setattr(block_klt, "BATCH", 2)
        return block_klts(codec.networks.mapping, refiner.synthesis, (16, 32, 64), COMPONENTS)


@pytest.mark.parametrize("px", resolution.SIZES_PX)
def test_a_transform_is_orthonormal_and_starts_from_what_semantics_say(klts, px: int) -> None:
    klt = klts[px]
    side = px // GRID
    assert klt.basis.shape == (512 * side**2, COMPONENTS)
    assert torch.allclose(klt.basis.T @ klt.basis, torch.eye(COMPONENTS), atol=1e-4)
    assert (klt.spread.diff() <= 0).all() and 0 < klt.explained < 1
    feature_s = torch.randn(1, 512, px, px)
    y = torch.zeros(1, COMPONENTS, GRID, GRID)
    assert torch.equal(klt.restore(y, feature_s), feature_s)
    y[0, 3, 2, 5] = 1.0  # is a block of the picture, and of length 1 in each channel's std
    moved = (klt.restore(y, feature_s) - feature_s) / klt.std[:, None, None]
    assert moved.square().sum().item() == pytest.approx(1, abs=1e-3)
    moved[:, :, 2 * side : 3 * side, 5 * side : 6 * side] = 0
    assert moved.abs().max() < 1e-4


def test_a_scale_is_the_cheapest_and_lengths_are_those_of_a_distribution() -> None:
    torch.manual_seed(0)
    symbols = torch.distributions.Laplace(0.0, torch.tensor([0.3, 2.0])[:, None, None])
    symbols = symbols.sample((4,)).expand(4, 2, 16, 16).clone()
    symbols = (symbols + torch.distributions.Laplace(0.0, 1.0).sample(symbols.shape)).round()
    scale = laplace_scale(symbols)
    best = laplace_bits(symbols, scale).sum((0, 2, 3))
    for factor in (0.9, 1.1):
        assert (laplace_bits(symbols, factor * scale).sum((0, 2, 3)) > best).all()
    whole = torch.arange(-200.0, 201.0)[None, :, None, None].transpose(0, 1)
    likely = torch.exp2(-laplace_bits(whole, scale))
    assert torch.allclose(likely.sum(0), torch.ones(2, 1, 1), atol=1e-4)
    silent = torch.zeros(6, 1, 16, 16)
    assert laplace_bits(silent, laplace_scale(silent)).sum() < 2


def test_a_higher_price_buys_fewer_bits(codec, refiner, klts) -> None:
    image = to_pil(face(5))
    small = codec.encoder.small(image)
    w_plus = resolution.core(codec, image)
    search = RateSearch(klts[32], refiner, small, w_plus)
    free = search.free(4)
    low = search.priced(free, 1e-7, 2)
    high = search.priced(low, 3e-5, 2)
    assert torch.equal(free.y_hat, free.y) and not torch.equal(low.y_hat, low.y)
    sizes = [found.sizes().item() for found in (low, high)]
    assert 0 < sizes[1] < 0.7 * sizes[0] < 0.7 * 8 * COMPONENTS * GRID**2

    def loss(y: torch.Tensor) -> float:
        return refiner.loss(search._draw(y, 0), small)[0].item()

    with torch.no_grad():
        start, freely, cheaply = (loss(y) for y in (0 * free.y, free.y_hat, high.y_hat))
    # the price comes after more steps: a few are still worth more than it takes away
    assert freely < 0.95 * start and cheaply < 0.95 * start
    assert not any(p.requires_grad for p in refiner.synthesis.parameters())


def points(px: int, factor: float) -> list[dict]:
    """As if F at this resolution took so many times the bytes."""
    rows = [{"bytes": None, "lpips_256": 0.02}]
    rows += [{"bytes": factor * b, "lpips_256": q} for b, q in ((6000, 0.04), (400, 0.12))]
    return [
        {m.key: 10 - 40 * row["lpips_256"] for m in METRICS if m.key == "psnr_256"}
        | {m.key: row["lpips_256"] for m in METRICS if m.key != "psnr_256"}
        | {"what": f"{px} px, {index}", "px": float(px), "bytes": row["bytes"]}
        for index, row in enumerate(rows)
    ]  # fmt: skip


def test_resolutions_are_compared_in_as_many_bytes() -> None:
    result = {"steps": 7, "components": 128, "together": 2, "explained": {"16": 0.825, "32": 0.75}}
    result["summary"] = points(16, 1.5) + points(32, 1.0)
    equal = resolution.at_equal_bytes(result, "lpips_256")
    assert list(equal) == [1000, 2000, 4000]  # at 500 one has nothing
    assert all(there[32] < there[16] for there in equal.values())
    said = resolution.verdict(result)
    assert "32 px in LPIPS@256 at 1000, 2000 and 4000" in said and "32 px in PSNR@256" in said
    assert "F at 16 px +50% for equal LPIPS@256" in said
    assert "82% at 16 px, 75% at 32 px" in resolution.note(result)
    table = " ".join(resolution.figures_table(result).split())
    assert "| 16 px, 0 | - | 9.20 | 0.020 |" in table
    result["summary"] = points(16, 20.0) + points(32, 1.0)
    assert "no size that all of them reach" in resolution.verdict(result)
    result["summary"] = points(16, 0.5) + points(32, 1.0)
    assert "16 px in LPIPS@256 at" in resolution.verdict(result)


def test_from_the_command_line(tmp_path: Path, monkeypatch, capfd) -> None:
    path = tmp_path / "faces" / sorted(held_out_names())[0]
    path.parent.mkdir(parents=True)
    to_pil(face(1)).reduce(4).save(path)
    monkeypatch.setattr(resolution, "Evaluator", partial(Evaluator, dists=save_dists(tmp_path)))
    for module, settings in (
        (block_klt, {"DRAWN": 2, "BATCH": 2}),
        (rate_search, {"PROBES": 1}),
        (resolution, {"COMPONENTS": COMPONENTS, "SIZES_PX": (16, 32), "PRICES": (0.01,)}),
    ):
        for name, value in settings.items():
            monkeypatch.setattr(module, name, value)
    options = ["--faces", str(tmp_path / "faces"), "--out", str(tmp_path), "--device", "cpu"]
    assert main(["validate", "resolution", *options, "--steps", "1"]) == 0
    result = report.read("resolution", tmp_path)
    rows = {row["what"]: row for row in result["summary"]}
    assert list(rows) == [f"{px} px, {p}" for px in (16, 32) for p in ("no price", "0.01 a KB")]
    for px in (16, 32):
        sizes = [rows[f"{px} px, {p}"]["bytes"] for p in ("no price", "0.01 a KB")]
        assert sizes[0] is None and 0 < sizes[1] < 8 * COMPONENTS * GRID**2
    told = capfd.readouterr().out
    assert resolution.figures_table(result) in told and resolution.verdict(result) in told
    assert (tmp_path / "resolution.jpg").is_file()
