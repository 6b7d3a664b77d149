"""The one model that all visitors share: loaded beside the page, and used one call at a time."""

from __future__ import annotations

import contextvars
import logging
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from app.services import cores, lending
from app.services.lending import Call, Outcome
from hsc.errors import HscError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Told:
    """How far a long call is, or what came of it."""

    done: int = 0
    of: int = 0
    value: Any = None
    seconds: float = 0.0
    finished: bool = False


class SharedModel:
    """A codec that is being loaded, and then used by one caller at a time.

    Args:
        load: makes the codec. It runs at once in a thread of its own, so that the page can be
            shown meanwhile; what needs the codec waits for it. On ZeroGPU it is done here, because
            `spaces` keeps networks only for the thread that imported it.
    """

    def __init__(self, load: Callable[[], Any]) -> None:
        self._turn = threading.Lock()
        self._loaded = threading.Event()
        self._codec: Any = None
        self._number = -1  # of the codec, where it was lent
        self._failure: Exception | None = None
        if lending.ZERO_GPU:
            self._load(load)
        else:
            # not a daemon: PyTorch aborts the process when it is ended in the middle of its work
            threading.Thread(target=self._load, args=(load,)).start()

    def _load(self, load: Callable[[], Any]) -> None:
        try:
            self._codec = load()
            self._number = lending.lend(self._codec)
        except Exception as error:  # kept, and raised in whoever needs the codec
            log.exception("the codec could not be loaded")
            self._failure = error
        finally:
            self._loaded.set()

    @property
    def ready(self) -> bool:
        """Whether the codec is loaded (or has failed to load)."""
        return self._loaded.is_set()

    @property
    def borrows(self) -> bool:
        """Whether every call waits for a device that is lent: what belongs together is one call."""
        return lending.ZERO_GPU

    @property
    def codec(self) -> Any:
        """The codec; waits until it is loaded.

        Raises:
            HscError: it could not be loaded.
        """
        self._wait()
        return self._codec

    def run(self, call: Call, *args: Any) -> tuple[Any, float]:
        """The value of a call with the codec, one at a time, and the seconds that it took.

        Args:
            call: a method of the codec by its name, or a module's own function, to which the codec
                is given first.
            args: the rest; plain values, pictures, and what earlier calls gave.
        """
        return self._in_turn(lambda: lending.called(self._number, call, *args))

    def telling(
        self, call: Call, *args: Any, given_up: Callable[[], bool] = lambda: False
    ) -> Iterator[Told]:
        """As `run`, of a long call whose last argument is told how far it is: `progress(done, of)`.

        The last of what is handed over has the value and the seconds. The call ends at its next
        word, without a value, when nobody listens any more or `given_up` says so.
        """
        told: queue.SimpleQueue[Told | Exception] = queue.SimpleQueue()
        deserted = threading.Event()

        def progress(done: int, of: int) -> None:
            if deserted.is_set() or given_up():
                raise Cancelled
            told.put(Told(done, of))

        def work() -> None:
            try:
                value, seconds = self._in_turn(
                    lambda: lending.told(self._number, call, *args, progress=progress)
                )
                told.put(Told(value=value, seconds=seconds, finished=True))
            except Cancelled:
                told.put(Told())
            except Exception as error:  # raised again where somebody listens
                told.put(error)

        # in the visitor's context, by which ZeroGPU knows whose quota it is
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(work,)).start()
        try:
            while True:
                item = told.get()
                if isinstance(item, Exception):
                    raise item
                if not item.of and not item.finished:
                    return
                yield item
                if item.finished:
                    return
        finally:
            deserted.set()

    def _in_turn(self, call: Callable[[], Outcome]) -> tuple[Any, float]:
        self._wait()
        if lending.ZERO_GPU:  # which knows a visitor by the thread
            with self._turn:
                outcome = call()
        else:
            outcome = cores.in_turn(call)
        if outcome.refusal is not None:
            raise outcome.refusal
        return outcome.value, outcome.seconds

    def _wait(self) -> None:
        self._loaded.wait()
        if isinstance(self._failure, HscError):
            raise self._failure
        if self._failure is not None:
            raise HscError("The model could not be loaded: see the log.") from self._failure


class Cancelled(Exception):
    """Nobody waits for the result of a call any more."""
