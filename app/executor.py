"""The one codec that all visitors share: loaded beside the page, and called one call at a time.

PyTorch keeps worker threads for every thread that calls it. Calls from each request's own thread
would soon make more workers than there are cores; these sleep and wake for every layer, and a
preview takes twice as long. So one thread calls the codec, on all cores, and other computations
take one core. These numbers never change, because the last bit of a picture depends on them.
"""

from __future__ import annotations

import contextvars
import logging
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import lru_cache
from typing import Concatenate, ParamSpec, TypeVar

from app import zerogpu
from app.counts import CallCounts
from app.protocols import FaceCodec, ProgressReport
from app.results import Progress
from hsc.errors import HscError

log = logging.getLogger(__name__)

Args = ParamSpec("Args")
Value = TypeVar("Value")

QUIET = 2.0
"""Seconds without a call that a visitor waits for, after which the background begins: whoever moves
a slider comes back sooner."""
POLL = 0.1  # seconds

# one in the process, however many codecs there are; not a daemon: PyTorch aborts the process when
# it is ended in the middle of its work
_model_thread = ThreadPoolExecutor(1, thread_name_prefix="model")


class Cancelled(Exception):
    """Nobody waits for the result of a call any more."""


class CancelToken:
    """Ends a visitor's long call when the visitor asks for something else. A call that still waits
    for its turn then is not known yet, and goes on."""

    def __init__(self) -> None:
        self.cancellations = 0

    def cancel(self) -> None:
        """End every search that has begun."""
        self.cancellations += 1

    def cancel_unless(self, enabled: bool) -> None:
        """End every search when its switch is turned off, but not when turning it on begins one."""
        if not enabled:
            self.cancel()

    def watch(self) -> Callable[[], bool]:
        """For a search that begins now: whether it has been cancelled since."""
        before = self.cancellations
        return lambda: self.cancellations != before


class Attention:
    """Whether a visitor waits for something, and since when nobody does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting, self._ended = 0, float("-inf")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Somebody waits until this ends."""
        with self._lock:
            self._waiting += 1
        try:
            yield
        finally:
            with self._lock:
                self._waiting -= 1
                self._ended = time.monotonic()

    def quiet_for(self) -> float:
        """Seconds since the last wait ended; less than any number while somebody waits."""
        with self._lock:
            return float("-inf") if self._waiting else time.monotonic() - self._ended


class Executor:
    """Runs functions whose first argument is the codec, one at a time, in order of arrival.

    On ZeroGPU each runs in a worker process with a GPU, so it must be a module's own function, and
    what belongs together should be one call; see `app.zerogpu`.

    Args:
        load: makes the codec. It runs at once in a thread of its own, so that the page can be
            shown meanwhile; what needs the codec waits for it. On ZeroGPU it runs here, because
            `spaces` keeps networks only for the thread that imported it.
    """

    def __init__(self, load: Callable[[], FaceCodec]) -> None:
        self._loaded: Future[FaceCodec] = Future()
        self.calls = CallCounts(Cancelled)
        self._wanted = Attention()
        if zerogpu.ENABLED:
            self._load(load)
        else:
            threading.Thread(target=self._load, args=(load,)).start()

    def _load(self, load: Callable[[], FaceCodec]) -> None:
        try:
            codec = load()
            zerogpu.register(codec)
        except Exception as error:  # raised in whoever needs the codec
            log.exception("the codec could not be loaded")
            self._loaded.set_exception(error)
        else:
            self._loaded.set_result(codec)

    @property
    def ready(self) -> bool:
        """Whether the codec is loaded (or has failed to load)."""
        return self._loaded.done()

    @property
    def error(self) -> str | None:
        """Why the codec cannot be used, "" where it can; None while it is loaded."""
        if not self._loaded.done():
            return None
        error = self._loaded.exception()
        return str(error) or type(error).__name__ if error else ""

    @property
    def remote(self) -> bool:
        """Whether every call waits for a device: what belongs together should be one call."""
        return zerogpu.ENABLED

    @property
    def codec(self) -> FaceCodec:
        """The codec; waits until it is loaded.

        Raises:
            HscError: it could not be loaded.
        """
        try:
            return self._loaded.result()
        except HscError:
            raise
        except Exception as error:
            raise HscError("The model could not be loaded: see the log.") from error

    def run(
        self,
        call: Callable[Concatenate[FaceCodec, Args], Value],
        /,
        *args: Args.args,
        **options: Args.kwargs,
    ) -> Value:
        """The value of a function of the codec. What the function raises is raised here."""
        codec = self.codec
        with self.waited_for():
            if zerogpu.ENABLED:
                future = self._submit(call, zerogpu.run, call, codec, *args, **options)
            else:
                future = self._submit(call, call, codec, *args, **options)
            return future.result()

    def waited_for(self) -> AbstractContextManager[None]:
        """Around work that a visitor waits for: meanwhile nothing begins in the background."""
        return self._wanted.held()

    def in_background(
        self,
        call: Callable[[FaceCodec], Value],
        given_up: Callable[[], bool],
        quiet: float = QUIET,
    ) -> Value:
        """As `run`, for a short part of what no visitor waits for. It begins once nothing has been
        waited for during ``quiet`` seconds. Not on ZeroGPU, whose calls take a visitor's quota.

        Raises:
            Cancelled: ``given_up`` said so before it began.
        """
        codec = self.codec
        assert not zerogpu.ENABLED, "nothing runs in the background on ZeroGPU"
        while self._wanted.quiet_for() < quiet:
            if given_up():
                raise Cancelled
            time.sleep(POLL)
        if given_up():
            raise Cancelled
        return self._submit(call, call, codec).result()

    def steps(
        self,
        call: Callable[Concatenate[FaceCodec, ProgressReport, Args], Value],
        cancelled: Callable[[], bool],
        /,
        *args: Args.args,
        **options: Args.kwargs,
    ) -> Iterator[Progress | Value]:
        """As `run`, for a long call that reports its progress: yields the progress, then the value.

        The call ends at its next report, and there is no value, when this iterator is closed or
        when `cancelled` says so.
        """
        news: queue.SimpleQueue[Progress | Future[Value]] = queue.SimpleQueue()
        closed = threading.Event()

        def report(done: int, total: int) -> None:
            if closed.is_set() or cancelled():
                raise Cancelled
            news.put(Progress(done, total))

        codec = self.codec
        with self.waited_for():
            if zerogpu.ENABLED:
                future = self._submit(call, zerogpu.steps, call, codec, report, *args, **options)
            else:
                future = self._submit(call, call, codec, report, *args, **options)
            future.add_done_callback(news.put)
            try:
                while isinstance(item := news.get(), Progress):
                    yield item
                with suppress(Cancelled):
                    yield item.result()
            finally:
                closed.set()

    def _submit(
        self,
        named: object,
        call: Callable[Args, Value],
        *args: Args.args,
        **options: Args.kwargs,
    ) -> Future[Value]:
        """Queue a function for the model's thread; it is counted by the name of another."""
        name = getattr(named, "__name__", "call")

        def in_model_thread() -> Value:
            with self.calls.running(name):
                _use_cores()
                return call(*args, **options)

        self.calls.queued()
        # in the visitor's context, by which ZeroGPU knows whose quota it is
        return _model_thread.submit(contextvars.copy_context().run, in_model_thread)


@contextmanager
def one_core() -> Iterator[None]:
    """For computations in this thread beside the codec: they take one core."""
    _use_cores(1)
    try:
        yield
    finally:
        _use_cores()


def _use_cores(count: int | None = None) -> None:
    """Let PyTorch compute on ``count`` cores when this thread calls it; None: on all."""
    if cores := _cores():
        sys.modules["torch"].set_num_threads(count or cores)


def _cores() -> int | None:
    """How many cores PyTorch takes by itself; None before it is imported."""
    get = getattr(sys.modules.get("torch"), "get_num_threads", None)
    return _counted(get) if get else None


@lru_cache(maxsize=1)
def _counted(get: Callable[[], int]) -> int:
    return get()
