"""Keeping large blocks of memory between decodes, and giving them back in between, on Linux.

The C library gives every tensor above 32 MB back to the system when it is freed, and the next one
is zeroed page by page: half of the time of rendering a picture on a CPU. Programs call this once;
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
        # one arena for all threads of a server, so that each reuses what another has freed
        (_ARENA_MAX, 1),
    )
    taken = [mallopt(option, value) == 1 for option, value in settings]
    return all(taken)


def give_back() -> bool:
    """Give the system every page of freed memory, also of that which lies between blocks in use.

    Objects that outlive a decode (a picture, a visitor's session) may be allocated in the space
    that it has freed. After a while no free space is large enough for the largest blocks, 64 MB,
    and the process grows. So a server that keeps large blocks should call this regularly. It costs
    a tenth of a second for a gigabyte, and the next decode has to zero its pages again.

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
