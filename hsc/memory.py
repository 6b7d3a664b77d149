"""Keeping large blocks of memory between decodes, and giving them back in between, on Linux.

The C library gives every tensor above 32 MB back to the system when it is freed, and the next one
is zeroed page by page: half of the time of drawing a picture on a CPU. Programs call this once;
importing the library does not, since it concerns the whole process.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -2, -3, -8  # of mallopt(3)
_LARGEST = 2**30


def keep_large_blocks() -> bool:
    """Let freed blocks of up to 1 GB stay with the process.

    Returns:
        Whether the C library took the settings; other systems and older versions do not.
    """
    mallopt = _of_the_c_library("mallopt")
    if mallopt is None:
        return False
    settings = (
        (_MMAP_THRESHOLD, _LARGEST),
        (_TRIM_THRESHOLD, _LARGEST),
        (_TOP_PAD, 2**26),
        # a server's threads take turns: what one has freed is to serve the next one too
        (_ARENA_MAX, 1),
    )
    taken = [mallopt(option, value) == 1 for option, value in settings]
    return all(taken)


def give_back() -> bool:
    """Give the system every page of freed memory, also of that which lies between blocks in use.

    Whatever outlives a decode, a picture or a visitor's session, may come to lie in a space that
    the decode has left. Sooner or later the next one finds none that is long enough for its
    largest blocks, of 64 MB, and the process grows by one and a spare; so a server that keeps
    large blocks is to call this now and then. It costs a tenth of a second for a gigabyte, and
    the next decode gets its pages zeroed once more.

    Returns:
        Whether there was something to give back, and a C library that can.
    """
    trim = _of_the_c_library("malloc_trim")
    return trim is not None and trim(ctypes.c_size_t(0)) == 1


def _of_the_c_library(name: str) -> Callable[..., int] | None:
    """A function of glibc's own; None where the C library is another."""
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), name, None)
