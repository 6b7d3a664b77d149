"""The log of a training in two processes beside that of one process with twice the batch.

    python bench/processes.py [--steps 12]

Both train a small FCN from the same start on the same random features, as
``tests/model/test_distributed.py`` does; ``torchrun`` starts the two, which talk over gloo. Prints
both logs as one table, and how far the weights are apart.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from safetensors.torch import load_file

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from hsc.research.training.log import read_log  # noqa: E402

SCRIPT = ROOT / "tests" / "support" / "training_processes.py"
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
BATCH = 4
LEFT_OUT = ("step", "spent")


def train(processes: int, folder: Path, steps: int) -> None:
    """Write logs and weights into a folder."""
    command = [*(TORCHRUN if processes == 2 else []), SCRIPT, folder, BATCH // processes, steps]
    subprocess.run(
        [sys.executable, *map(str, command)], cwd=ROOT, check=True, capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def table(one: list[dict[str, str]], two: list[dict[str, str]]) -> str:
    """Both logs, a step a row: one process, two processes."""
    names = [name for name in one[0] if name not in LEFT_OUT]
    head = " | ".join(f"{name}, {n}" for name in names for n in ("one", "two"))
    lines = [f"| step | {head} |", "|---" * (1 + 2 * len(names)) + "|"]
    for a, b in zip(one, two, strict=True):
        cells = " | ".join(f"{log[name]}" for name in names for log in (a, b))
        lines.append(f"| {a['step']} | {cells} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=12)
    steps = parser.parse_args().steps
    with tempfile.TemporaryDirectory() as name:
        folders = {n: Path(name) / str(n) for n in (1, 2)}
        for n, folder in folders.items():
            folder.mkdir()
            train(n, folder, steps)
        logs = [read_log(folder / "feature" / "log.csv") for folder in folders.values()]
        print(table(*logs), end="\n\n")
        for part, network in (("resumed", "a network in float32"), ("feature", "FCN in bfloat16")):
            a, b = (load_file(f / part / "weights.safetensors") for f in folders.values())
            apart = max((a[key].float() - b[key].float()).abs().max().item() for key in a)
            print(f"{network}: weights are at most {apart:.1e} apart")


if __name__ == "__main__":
    main()
