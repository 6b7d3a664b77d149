"""The one model that all visitors share: loaded beside the page, and used one call at a time."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from hsc.errors import HscError

log = logging.getLogger(__name__)


class SharedModel:
    """A codec that is being loaded, and then used by one caller at a time.

    Args:
        load: makes the codec. It runs at once in a thread of its own, so that the page can be
            shown meanwhile; what needs the codec waits for it.
    """

    def __init__(self, load: Callable[[], Any]) -> None:
        self._turn = threading.Lock()
        self._loaded = threading.Event()
        self._codec: Any = None
        self._failure: Exception | None = None
        threading.Thread(target=self._load, args=(load,), daemon=True).start()

    def _load(self, load: Callable[[], Any]) -> None:
        try:
            self._codec = load()
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
    def codec(self) -> Any:
        """The codec; waits until it is loaded.

        Raises:
            HscError: it could not be loaded.
        """
        self._loaded.wait()
        if isinstance(self._failure, HscError):
            raise self._failure
        if self._failure is not None:
            raise HscError("The model could not be loaded: see the log.") from self._failure
        return self._codec

    def run(self, call: Callable[[Any], Any]) -> tuple[Any, float]:
        """The value of a call with the codec, one at a time, and the seconds that it took."""
        codec = self.codec
        with self._turn:
            started = time.perf_counter()
            value = call(codec)
            return value, time.perf_counter() - started
