"""Two processes with batches of n learn what one with batches of 2 n does, from the same data."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from paths import ROOT
from safetensors.torch import load_file
from torch import Tensor
from training_processes import TINY

from hsc.latent_codecs.feature_slices.model import FeatureCodec
from hsc.research import distributed
from hsc.research.training.log import read_log

SCRIPT = ROOT / "tests" / "support" / "training_processes.py"
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def run(processes: int, folder: Path, batch: int) -> str:
    command = [*(TORCHRUN if processes == 2 else []), SCRIPT, folder, batch]
    done = subprocess.run(
        [sys.executable, *map(str, command)], cwd=ROOT, capture_output=True, text=True, timeout=300,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def weights(folder: Path, name: str = "weights") -> dict[str, Tensor]:
    return load_file(folder / f"{name}.safetensors")


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one")
    run(1, folder, 4)
    return folder


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory, one: Path) -> tuple[Path, str]:
    """The folder of two processes, and what they said. They also resume the checkpoint of one."""
    folder = tmp_path_factory.mktemp("two")
    shutil.copytree(one / "begun", folder / "of_one")
    return folder, run(2, folder, 2)


@pytest.mark.parametrize("name", ["resumed", "of_one"])
def test_two_processes_learn_what_one_does(one, two, name) -> None:
    """Sums of float32 in another order, made larger by AdamW's division: 1e-5 of weights near 1."""
    for kind in ("weights", "ema"):
        a, b = weights(one / "resumed", kind), weights(two[0] / name, kind)
        assert a.keys() == b.keys()
        assert max((a[n] - b[n]).abs().max().item() for n in a) < 1e-5
    # what only the first process had is in all: its buffer, and so its checkpoint
    assert weights(two[0] / name)["scale"].item() == 1.0


@pytest.mark.parametrize("name", ["resumed", "of_one"])
def test_the_first_process_keeps_the_log_and_the_counts(one, two, name) -> None:
    folder, said = two[0] / name, two[1]
    logs = [read_log(place / "log.csv") for place in (one / "resumed", folder)]
    assert [row["step"] for row in logs[1]] == ["2", "4", "6", "6", "8", "10", "12", "12"]
    for a, b in zip(*logs, strict=True):
        assert a.keys() == b.keys()
        for figure in a.keys() - {"spent"}:
            assert float(b[figure]) == pytest.approx(float(a[figure]), rel=1e-3)
    assert logs[1][-1]["held_out"] == "0"
    assert said.count("step=8 ") == 2  # both folders, once each
    assert (folder / "state.json").read_text().startswith('{"steps": 12, "images": 48, ')
    assert sorted(p.name for p in folder.iterdir()) == [
        "ema.safetensors", "log.csv", "state.json", "weights.safetensors"
    ]  # fmt: skip


def test_a_stage_of_the_codec_learns_the_same(one, two) -> None:
    """FCN computes in bfloat16, and AdamW's first steps are the sign of the gradient: so what
    weights moved is compared as a whole, and a twentieth of it may differ."""
    a, b = (weights(place / "feature") for place in (one, two[0]))
    torch.manual_seed(2)
    before = FeatureCodec(TINY).state_dict()
    moved = sum((a[n] - before[n]).square().sum().item() for n in a) ** 0.5
    apart = sum((a[n] - b[n]).square().sum().item() for n in a) ** 0.5
    assert moved > 0.1 and apart < 0.05 * moved
    logs = [read_log(place / "feature" / "log.csv") for place in (one, two[0])]
    for a, b in zip(*logs, strict=True):
        for figure in a.keys() - {"spent"}:
            assert float(b[figure]) == pytest.approx(float(a[figure]), rel=0.02)
    prices = [(two[0] / "feature" / f"price{rank}").read_text() for rank in (0, 1)]
    assert prices[0] == prices[1]


def test_shares_of_the_pictures(monkeypatch) -> None:
    monkeypatch.setattr(distributed, "world", lambda: 3)
    shares = []
    for rank in range(3):
        monkeypatch.setattr(distributed, "rank", lambda rank=rank: rank)
        shares += [*distributed.own([*range(8)]), *range(8)[distributed.own_rows(8)]]
        assert list(distributed.own([1, 2])) == [1, 2]
        assert [1, 2][distributed.own_rows(2)] == [1, 2]
    assert sorted(shares) == sorted([*range(8)] * 2)
    assert [distributed.share_of(n) for n in (1, 3, 7)] == [1, 1, 3]


def test_one_process_is_alone() -> None:
    with distributed.processes("cpu"):
        assert (distributed.world(), distributed.rank()) == (1, 0)
        assert distributed.of_first("a") == "a" and distributed.mean(2.0) == 2.0
        assert distributed.own([3]) == [3] and distributed.averaged(torch.nn.ReLU(), min) is min
    assert distributed.device_of("cpu") == torch.device("cpu")
