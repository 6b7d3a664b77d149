"""A size in bytes instead of a level: the level whose file is the largest that fits."""

from collections.abc import Callable

from hsc.bitstream.header import MAX_LEVEL_CODE, level_of
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
    if not max_bytes >= 1:
        raise HscError(f"expected a size of at least 1 byte, got {max_bytes}.")
    files: dict[int, bytes] = {}

    def file(code: int) -> bytes:
        if code not in files:
            files[code] = compress(level_of(code))
        return files[code]

    if len(file(0)) > max_bytes:
        raise HscError(
            f"the smallest file of this face, that of level 1, has {len(file(0)):,} bytes, which "
            f"is more than the {max_bytes:,} asked for: ask for at least {len(file(0)):,}."
        )
    low, high = 0, MAX_LEVEL_CODE + 1  # low fits; high does not, or is no level
    while high - low > 1:
        middle = (low + high) // 2
        if len(file(middle)) <= max_bytes:
            low = middle
        else:
            high = middle
    for code in range(low + 1, min(low + LOOK_AHEAD, MAX_LEVEL_CODE) + 1):
        file(code)
    return max((data for data in files.values() if len(data) <= max_bytes), key=len)
