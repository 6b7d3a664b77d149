"""On ZeroGPU the codec is called in a worker process that gets a GPU for one call.

This process never has a device. `spaces` keeps the networks for it while they are loaded and forks
a worker for a call, to which the function and its arguments go as bytes. So the function is a
module's own, and tensors travel as arrays and stay on the CPU here.

Every call waits for a GPU of its own, so what belongs together is made one:
`app.services.batched_calls`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import queue
import threading
from collections.abc import Callable, Generator, Mapping
from typing import Any, Concatenate, ParamSpec, TypeVar
from weakref import WeakValueDictionary

import numpy as np

from app.protocols import FaceCodec, ProgressReport
from hsc.errors import HscError

ENABLED = os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")
if ENABLED:
    import spaces  # before anything else looks for a device

CALL, SEARCH = 15, 60  # seconds that a GPU is asked for; a visitor's quota must have as many left

Args = ParamSpec("Args")
Value = TypeVar("Value")
Function = TypeVar("Function", bound=Callable[..., Any])

_codecs: WeakValueDictionary[int, FaceCodec] = WeakValueDictionary()
"""By id: a forked worker finds the same codec under it."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The result of a call: a packed value, or the library's error."""

    value: Any = None
    refusal: HscError | None = None

    def unpacked(self) -> Any:
        """The value. Raises the refusal."""
        if self.refusal is not None:
            raise self.refusal
        return unpack(self.value, "cpu")


def register(codec: FaceCodec) -> None:
    """Make a codec known to workers that are forked from now on."""
    _codecs[id(codec)] = codec


def run(
    call: Callable[Concatenate[FaceCodec, Args], Value],
    codec: FaceCodec,
    /,
    *args: Args.args,
    **options: Args.kwargs,
) -> Value:
    """Call a function in a worker with a registered codec."""
    value: Value = _run(id(codec), call, pack(args), pack(options)).unpacked()
    return value


def steps(
    call: Callable[Concatenate[FaceCodec, ProgressReport, Args], Value],
    codec: FaceCodec,
    report: ProgressReport,
    /,
    *args: Args.args,
    **options: Args.kwargs,
) -> Value:
    """As `run`, of a function that reports its progress. What `report` raises ends the call."""
    with contextlib.closing(_steps(id(codec), call, pack(args), pack(options))) as worker:
        for news in worker:
            if isinstance(news, Outcome):
                value: Value = news.unpacked()
                return value
            report(*news)
    raise HscError("The GPU was taken back before the end: try again.")


def _with_gpu(seconds: int) -> Callable[[Function], Function]:
    return spaces.GPU(duration=seconds) if ENABLED else lambda function: function


@_with_gpu(CALL)
def _run(codec: int, call: Callable[..., Any], args: Any, options: Any) -> Outcome:
    return _outcome(codec, call, (), args, options)


@_with_gpu(SEARCH)
def _steps(
    codec: int, call: Callable[..., Any], args: Any, options: Any
) -> Generator[tuple[int, int] | Outcome, None, None]:
    """The progress of a long call, and its outcome."""
    news: queue.SimpleQueue[tuple[int, int] | Outcome | Exception] = queue.SimpleQueue()
    closed = threading.Event()

    def report(done: int, total: int) -> None:
        if closed.is_set():
            raise _Closed
        news.put((done, total))

    def work() -> None:
        try:
            news.put(_outcome(codec, call, (report,), args, options))
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
        closed.set()
        thread.join()  # the worker is not free for another call before


class _Closed(Exception):
    """Nobody waits for the outcome any more."""


def _outcome(
    number: int,
    call: Callable[..., Any],
    first: tuple[ProgressReport, ...],
    args: Any,
    options: Any,
) -> Outcome:
    codec = _codecs[number]
    args, options = unpack(args, codec.device), unpack(options, codec.device)
    try:
        return Outcome(pack(call(codec, *first, *args, **options)))
    except HscError as error:
        # a value, because a worker's exceptions do not come back as they are
        return Outcome(refusal=error)


@dataclasses.dataclass(frozen=True)
class _Array:
    """A tensor's values, for the other process."""

    values: np.ndarray[Any, Any]


def pack(value: Any) -> Any:
    """The same value with NumPy arrays for its tensors, which need no device."""
    from torch import Tensor

    return _mapped(value, Tensor, lambda tensor: _Array(tensor.detach().cpu().numpy()), {})


def unpack(value: Any, device: Any) -> Any:
    """The same value with tensors again."""
    import torch

    return _mapped(value, _Array, lambda array: torch.from_numpy(array.values).to(device), {})


def _mapped(value: Any, kind: type, change: Callable[[Any], Any], known: dict[int, Any]) -> Any:
    """Apply ``change`` to values of a kind in dataclasses and collections, once to a shared one."""

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
