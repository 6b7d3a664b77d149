"""``hsc train motion``: the table of usual differences."""

import numpy as np
import pytest

from hsc.errors import HscError
from hsc.research.options import TrainOptions
from hsc.research.stages import motion
from hsc.sequence.channels import USUAL


def test_every_clip_counts_alike() -> None:
    """A clip that moves ten times as much weighs no more; what was never seen may come."""
    quiet, lively = np.array([1.0, 3.0, 0.0]), np.array([30.0, 10.0, 0.0])
    table = motion.usual([[quiet], [lively], [np.zeros(3)]])
    assert table[0] == table[1] > table[2] >= 1
    assert np.mean(table) == pytest.approx(motion.MEAN, abs=1)


def test_the_module_that_is_written_holds_the_table() -> None:
    found: dict[str, object] = {}
    exec(motion.text(list(range(1, 129)), ["a", "b"]), found)
    assert found["USUAL"] == tuple(range(1, 129))
    assert "a; b" in str(found["__doc__"])


def test_the_committed_table_fits_the_format() -> None:
    assert len(USUAL) == 128 and all(isinstance(value, int) for value in USUAL)
    assert min(USUAL) >= 1 and abs(np.mean(USUAL) - motion.MEAN) < 2


def test_clips_are_needed(tmp_path) -> None:
    with pytest.raises(HscError, match="--data"):
        motion.run(TrainOptions(data=[tmp_path]))
