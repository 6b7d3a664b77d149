"""A small memory of the last results, so that moving a control repeats only what it changes."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from PIL import Image

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """The last `keep` values by key, in memory only; the one longest unused is dropped first."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of `key`, made now if it is not remembered. What `make` raises passes through.

        `make` runs outside the lock: two callers may make the same value, and the later one stays.
        """
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while len(self._values) > self._keep:
                self._values.popitem(last=False)
        return value

    def __contains__(self, key: Hashable) -> bool:
        with self._lock:
            return key in self._values


def fingerprint(content: bytes | Image.Image) -> str:
    """A key for bytes or for a picture's mode, size and pixels.

    A picture remembers its own, for results are shown many times and never drawn into.
    """
    if isinstance(content, Image.Image):
        known = getattr(content, "_fingerprint", None)
        if known is None:
            head = f"{content.mode}{content.size}".encode()
            known = hashlib.blake2b(head + content.tobytes(), digest_size=16).hexdigest()
            content._fingerprint = known
        return known
    return hashlib.blake2b(content, digest_size=16).hexdigest()
