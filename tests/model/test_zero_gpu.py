"""On ZeroGPU calls run in forked workers; elsewhere nothing of it is there."""

import os
import subprocess
import sys

import pytest
from paths import ROOT

from app import zerogpu

SUPPORT = ROOT / "tests" / "support"


@pytest.mark.usefixtures("quick_model_in_use")
def test_everything_works_through_forked_workers() -> None:
    environment = os.environ | {
        "SPACES_ZERO_GPU": "true",
        "PYTHONPATH": str(SUPPORT / "zero_gpu"),
        "OMP_NUM_THREADS": "1",  # GNU's OpenMP does not survive a fork
    }
    done = subprocess.run(
        [sys.executable, SUPPORT / "zero_gpu" / "visit.py"],
        env=environment, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("as the codec itself")


def test_elsewhere_nothing_is_copied_or_decorated(studio) -> None:
    assert not zerogpu.ENABLED and "spaces" not in vars(zerogpu)
    value = {"kept": [object()]}
    assert studio.executor.run(_given, value) is value
    assert zerogpu._run.__name__ == "_run" and not hasattr(zerogpu._run, "__wrapped__")


def _given(codec: object, value: object) -> object:
    return value
