"""Which thread the model computes in, and on how many cores.

PyTorch's threads belong to the thread that calls it. Called from wherever a visitor's request
happens to run, it would soon keep more of them than there are cores; then they sleep and are woken
for every layer, and a preview takes twice as long. So the model is called in one thread, on all
cores, and what computes beside it does so on one. Never on more or fewer at times: the last bit of
a picture depends on their number.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from typing import TypeVar

Value = TypeVar("Value")

# one in the process, whatever has how many models; not a daemon: PyTorch aborts the process when it
# is ended in the middle of its work
_model_thread = ThreadPoolExecutor(1, thread_name_prefix="model")


def in_turn(call: Callable[[], Value]) -> Value:
    """Make a call in the model's thread, after those that were asked for before, and wait for it.

    What it raises is raised here.
    """

    def alone() -> Value:
        _take()
        return call()

    return _model_thread.submit(alone).result()


@contextmanager
def beside() -> Iterator[None]:
    """While something else computes in this thread, on one core."""
    _take(1)
    try:
        yield
    finally:
        _take()


def _take(threads: int | None = None) -> None:
    """Let PyTorch compute on so many threads when this one calls it, or on all cores."""
    if cores := _cores():
        sys.modules["torch"].set_num_threads(threads or cores)


def _cores() -> int | None:
    """How many threads PyTorch takes by itself; None before it is there."""
    get = getattr(sys.modules.get("torch"), "get_num_threads", None)
    return _counted(get) if get else None


@lru_cache(maxsize=1)
def _counted(get: Callable[[], int]) -> int:
    return get()
