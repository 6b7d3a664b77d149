"""A stand-in for the package `spaces` on ZeroGPU: decorated functions run in a forked process.

What goes in and what comes out is pickled, an exception does not come back as itself, and a
generator that is closed stops in the worker: as the package does it, without asking for a GPU.
"""

from __future__ import annotations

import functools
import inspect
import multiprocessing
from collections.abc import Callable, Iterator
from multiprocessing.reduction import ForkingPickler
from typing import Any

inside = False
"""Whether this is a worker."""
asked: list[int] = []
"""Seconds that GPUs were asked for."""
_context = multiprocessing.get_context("fork")


def GPU(function: Callable | None = None, *, duration: int) -> Callable:
    """As `spaces.GPU`."""
    if function is None:
        return functools.partial(GPU, duration=duration)
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def lent(*args: Any) -> Iterator[Any]:
            yield from _worker(function, args, duration)

    else:

        @functools.wraps(function)
        def lent(*args: Any) -> Any:
            return next(_worker(function, args, duration))

    return lent


def _worker(function: Callable, args: tuple, duration: int) -> Iterator[Any]:
    asked.append(duration)
    ForkingPickler.dumps(function.__name__)
    sent = bytes(ForkingPickler.dumps(args))
    results, stop = _context.SimpleQueue(), _context.Event()
    process = _context.Process(target=_work, args=(function, sent, results, stop), daemon=True)
    process.start()
    try:
        while True:
            kind, value = results.get()
            if kind == "error":
                raise RuntimeError(f"worker error: {value}")
            if kind == "end":
                return
            yield value
    finally:
        stop.set()
        process.join(60)
        assert not process.is_alive(), "the worker went on after it was told to stop"


def _work(function: Callable, sent: bytes, results: Any, stop: Any) -> None:
    global inside
    inside = True
    try:
        value = function(*ForkingPickler.loads(sent))
        if not inspect.isgenerator(value):
            results.put(("value", value))
        else:
            for each in value:
                if stop.is_set():
                    value.close()
                    break
                results.put(("value", each))
    except Exception as error:  # only its class comes back
        results.put(("error", type(error).__name__))
    else:
        results.put(("end", None))
