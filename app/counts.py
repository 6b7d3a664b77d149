"""Counts of calls and of waits, which `app.monitoring` tells; they know nothing of visitors."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from hsc.errors import HscError

WAIT_BUCKETS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0)
"""Upper ends of the histogram of waits, in seconds."""


class CallCounts:
    """How often each function of the model was called, how it ended and how long it took.

    A call that raises HscError was refused, with a sentence for the visitor; any other exception is
    a fault of the studio.

    Args:
        given_up: what a call raises when nobody waits for it any more.
    """

    def __init__(self, given_up: type[Exception]) -> None:
        self.given_up, self.waiting = given_up, 0
        self._lock = threading.Lock()
        self._ended: Counter[tuple[str, str]] = Counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def queued(self) -> None:
        """A call waits for the model."""
        with self._lock:
            self.waiting += 1

    @contextmanager
    def running(self, name: str) -> Iterator[None]:
        """Around a call that waited."""
        with self._lock:
            self.waiting -= 1
        started, outcome = time.monotonic(), "failed"
        try:
            yield
            outcome = "done"
        except self.given_up:
            outcome = "cancelled"
            raise
        except HscError:
            outcome = "refused"
            raise
        finally:
            with self._lock:
                self._ended[name, outcome] += 1
                self._seconds[name] += time.monotonic() - started

    def ended(self) -> dict[tuple[str, str], int]:
        """Calls by name and outcome: ``done``, ``refused``, ``cancelled`` or ``failed``."""
        with self._lock:
            return dict(self._ended)

    def seconds(self) -> dict[str, float]:
        """Seconds in the model by name."""
        with self._lock:
            return dict(self._seconds)


class Waits:
    """A histogram of seconds, as Prometheus has it: each bucket counts what the ones below do."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets = [0] * len(WAIT_BUCKETS)
        self._count, self._sum = 0, 0.0

    def add(self, seconds: float) -> None:
        with self._lock:
            self._count += 1
            self._sum += seconds
            for index, end in enumerate(WAIT_BUCKETS):
                self._buckets[index] += seconds <= end

    def lines(self, name: str) -> list[str]:
        """Its samples."""
        with self._lock:
            ends = [f"{end:g}" for end in WAIT_BUCKETS] + ["+Inf"]
            counts = [*self._buckets, self._count]
            buckets = [f'{name}_bucket{{le="{e}"}} {c}' for e, c in zip(ends, counts)]
            return [*buckets, f"{name}_sum {self._sum:.6g}", f"{name}_count {self._count}"]
