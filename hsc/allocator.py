"""Keeping large blocks of memory between decodes, on Linux.

The C library gives every tensor above 32 MB back to the system when it is freed, and the next one
is zeroed page by page: half of the time of drawing a picture on a CPU. Programs call this once;
importing the library does not, since it concerns the whole process.
"""

import ctypes
import sys

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -2, -3, -8  # of mallopt(3)
_LARGEST = 2**30


def keep_large_blocks() -> bool:
    """Let freed blocks of up to 1 GB stay with the process.

    Returns:
        Whether the C library took the settings; other systems and older versions do not.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    settings = (
        (_MMAP_THRESHOLD, _LARGEST),
        (_TRIM_THRESHOLD, _LARGEST),
        (_TOP_PAD, 2**26),
        # a server's threads take turns: what one has freed is to serve the next one too
        (_ARENA_MAX, 1),
    )
    return all([mallopt(option, value) == 1 for option, value in settings])
