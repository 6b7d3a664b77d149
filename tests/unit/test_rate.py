"""A size in bytes: the largest file that fits is found without trying every level."""

import pytest

from hsc.bitstream.header import MAX_LEVEL_CODE, level_of
from hsc.errors import HscError
from hsc.rate import largest_file

LEVELS = [level_of(code) for code in range(MAX_LEVEL_CODE + 1)]


class Coder:
    """Files of as many bytes as ``size`` says, and how many were made."""

    def __init__(self, size) -> None:
        self.size, self.calls = size, 0

    def __call__(self, level: float) -> bytes:
        self.calls += 1
        return bytes(round(self.size(level)))


@pytest.mark.parametrize("max_bytes", [400, 401, 777, 1000, 2399, 2400, 100_000])
def test_the_largest_file_that_fits(max_bytes):
    coder = Coder(lambda level: 400 * level)
    found = len(largest_file(coder, max_bytes))
    sizes = [round(400 * level) for level in LEVELS]
    assert found == max(size for size in sizes if size <= max_bytes)
    assert coder.calls <= 13


def test_neighbouring_sizes_that_are_out_of_order():
    """Levels 3 and 3.02 have 1,024 and 1,014 bytes in a real file."""
    codes = {level: code for code, level in enumerate(LEVELS)}
    coder = Coder(lambda level: 400 + 10 * codes[level] + 25 * (codes[level] % 2))
    for max_bytes in range(500, 700, 7):
        assert max_bytes - 20 < len(largest_file(coder, max_bytes)) <= max_bytes


def test_what_does_not_fit_is_said_with_the_size_that_would():
    with pytest.raises(HscError, match="level 1, has 400 bytes, .* at least 400"):
        largest_file(Coder(lambda level: 400 * level), 399)
    with pytest.raises(HscError, match="at least 1 byte, got 0"):
        largest_file(Coder(lambda level: 400 * level), 0)
