"""A size in bytes instead of a level: the level whose file is the largest that fits."""

from collections.abc import Callable

from hsc.bitstream.header import MAX_LEVEL_CODE, level_code, level_of
from hsc.errors import HscError

LOOK_AHEAD = 3
"""Levels above the found one that are tried too: neighbouring sizes are not quite in order."""


def largest_file(compress: Callable[[float], bytes], max_bytes: int) -> bytes:
    """The largest file of at most ``max_bytes``, found by bisection over the levels.

    Only the coder runs, eight to twelve times; nothing is decoded or rendered.

    Args:
        compress: the file of a level, as ``Codec.compress`` with latents.
        max_bytes: of the whole file, header included.

    Raises:
        HscError: the file of level 1 is larger, or ``max_bytes`` is no size.
    """
    files: dict[float, bytes] = {}

    def file(level: float) -> bytes:
        if level not in files:
            files[level] = compress(level)
        return files[level]

    code = level_code(level_within(lambda level: len(file(level)), max_bytes))
    for ahead in range(code + 1, min(code + LOOK_AHEAD, MAX_LEVEL_CODE) + 1):
        file(level_of(ahead))
    return max((data for data in files.values() if len(data) <= max_bytes), key=len)


def level_within(size_of: Callable[[float], int], max_bytes: int) -> float:
    """The highest level whose size is at most ``max_bytes``, by bisection.

    Raises:
        HscError: as :func:`largest_file`.
    """
    if not max_bytes >= 1:
        raise HscError(f"expected a size of at least 1 byte, got {max_bytes}.")
    if (least := size_of(level_of(0))) > max_bytes:
        raise HscError(
            f"the smallest file of this face, that of level 1, has {least:,} bytes, which "
            f"is more than the {max_bytes:,} asked for: ask for at least {least:,}."
        )
    low, high = 0, MAX_LEVEL_CODE + 1  # low fits; high does not, or is no level
    while high - low > 1:
        middle = (low + high) // 2
        if size_of(level_of(middle)) <= max_bytes:
            low = middle
        else:
            high = middle
    return level_of(low)
