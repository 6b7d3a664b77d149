"""Where the model is called: in this process, or on ZeroGPU in a worker that is lent a GPU.

On ZeroGPU this process never has a device. `spaces` keeps the networks for it while they are loaded
and forks a worker for a call, to which the call and its arguments go as bytes. So what is called is
a method by its name or a module's own function, and tensors travel as arrays and stay on the CPU
here. Everywhere else a call is just made, and nothing is copied.

Every call waits for a GPU of its own, so what belongs together is made one: `app.services.together`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import numpy as np

from hsc.errors import HscError

ZERO_GPU = os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")
if ZERO_GPU:
    import spaces  # before anything else looks for a device

CALL, SEARCH = 15, 60  # seconds that a GPU is asked for; a visitor's quota must have as many left

Call = str | Callable[..., Any]
"""A codec's method by its name, or a module's function that takes the codec first."""
Progress = Callable[[int, int], None]
Function = TypeVar("Function", bound=Callable)

_codecs: WeakValueDictionary[int, Any] = WeakValueDictionary()
_numbers = itertools.count()


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of a call: a value, or what the library refused it with.

    Attributes:
        seconds: that the call took where it was made.
    """

    value: Any
    seconds: float
    refusal: HscError | None = None


def lend(codec: Any) -> int:
    """Make a codec known to workers that are forked from now on; the number it has there."""
    number = next(_numbers)
    _codecs[number] = codec
    return number


def called(number: int, call: Call, *args: Any) -> Outcome:
    """Call with a codec that was lent."""
    return unpacked(_called(number, call, packed(args)))


def told(number: int, call: Call, *args: Any, progress: Progress) -> Outcome:
    """As `called`, of a call whose last argument is told how far it is. What `progress` raises ends
    the call."""
    if not ZERO_GPU:
        return called(number, call, *args, progress)
    with contextlib.closing(_told(number, call, packed(args))) as steps:
        for news in steps:
            if isinstance(news, Outcome):
                return unpacked(news)
            progress(*news)
    raise HscError("The GPU was taken back before the end: try again.")


def _lent(seconds: int) -> Callable[[Function], Function]:
    return spaces.GPU(duration=seconds) if ZERO_GPU else lambda function: function


@_lent(CALL)
def _called(number: int, call: Call, args: tuple) -> Outcome:
    return _outcome(number, call, args)


@_lent(SEARCH)
def _told(number: int, call: Call, args: tuple) -> Iterator[tuple[int, int] | Outcome]:
    """What a long call says as it goes, and its outcome."""
    news: queue.SimpleQueue[tuple[int, int] | Outcome | Exception] = queue.SimpleQueue()
    deserted = threading.Event()

    def progress(done: int, of: int) -> None:
        if deserted.is_set():
            raise _Deserted
        news.put((done, of))

    def work() -> None:
        try:
            news.put(_outcome(number, call, args, progress))
        except Exception as error:  # raised again where it is waited for
            news.put(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        while True:
            item = news.get()
            if isinstance(item, Exception):
                raise item
            yield item
            if isinstance(item, Outcome):
                return
    finally:
        deserted.set()
        thread.join()  # the worker is not free for another call before


class _Deserted(Exception):
    """Nobody waits for the outcome any more."""


def _outcome(number: int, call: Call, args: tuple, *more: Any) -> Outcome:
    codec = _codecs[number]
    args = unpacked(args, codec)
    started = time.perf_counter()
    try:
        value = getattr(codec, call)(*args, *more) if isinstance(call, str) else call(
            codec, *args, *more
        )
    except HscError as error:
        # a value, because a worker's exceptions do not come back as they are
        return Outcome(None, time.perf_counter() - started, error)
    return Outcome(packed(value), time.perf_counter() - started)


@dataclasses.dataclass(frozen=True)
class _Array:
    """A tensor on its way."""

    values: np.ndarray


def packed(value: Any) -> Any:
    """The same value with arrays for its tensors, which are where the other process has none."""
    if not ZERO_GPU:
        return value
    from torch import Tensor

    return _mapped(value, Tensor, lambda tensor: _Array(tensor.detach().cpu().numpy()), {})


def unpacked(value: Any, codec: Any = None) -> Any:
    """The same value with tensors again, on the device of the codec; without one on the CPU."""
    if not ZERO_GPU:
        return value
    import torch

    device = codec.device if codec is not None else "cpu"
    return _mapped(value, _Array, lambda array: torch.from_numpy(array.values).to(device), {})


def _mapped(value: Any, kind: type, change: Callable[[Any], Any], known: dict[int, Any]) -> Any:
    """Change what is of a kind, in dataclasses and collections; one thing stays one thing."""

    def again(part: Any) -> Any:
        return _mapped(part, kind, change, known)

    if isinstance(value, kind):
        if id(value) not in known:
            known[id(value)] = change(value)
        return known[id(value)]
    if isinstance(value, Mapping):
        return {key: again(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(again, value))
    if dataclasses.is_dataclass(value) and not isinstance(value, (type, _Array)):
        parts = {each.name: again(getattr(value, each.name)) for each in dataclasses.fields(value)}
        return dataclasses.replace(value, **parts)
    return value
