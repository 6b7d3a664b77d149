"""A small cache of the last results, so that moving a control repeats only what it changes."""

from __future__ import annotations

import dataclasses
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Generic, TypeVar

from PIL import Image

Value = TypeVar("Value")

LIMIT = 384 << 20
"""Bytes: about a hundred pictures with their results."""
SMALL = 256
"""The least number of bytes that a value counts for."""


class SharedCache:
    """The values of all caches together, in memory only.

    When all values together hold more than ``limit`` bytes, the least recently used ones are
    dropped, whichever `Cache` they belong to. The newest stays, however large it is.

    Attributes:
        size: bytes of all values now.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit, self.size = limit, 0
        self._values: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> tuple[Any, int] | None:
        """A value with its bytes, marked as used now; None where there is none."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key]

    def put(self, key: Hashable, value: Any, size: int) -> None:
        """Store a value of ``size`` bytes."""
        with self._lock:
            _, before = self._values.pop(key, (None, 0))
            self._values[key] = value, size
            self.size += size - before
            while self.size > self.limit and len(self._values) > 1:
                _, (_, dropped) = self._values.popitem(last=False)
                self.size -= dropped

    def __contains__(self, key: Hashable) -> bool:
        with self._lock:
            return key in self._values


class Cache(Generic[Value]):
    """Values of one kind by key.

    Args:
        least: the least number of bytes that a value counts for, where values hold more than
            `size_of` finds.
    """

    def __init__(self, shared: SharedCache, least: int = SMALL) -> None:
        self._shared, self._least = shared, least

    def get(self, key: Hashable) -> Value | None:
        """The value of `key`, None where there is none."""
        found = self._shared.get((self, key))
        return found and found[0]

    def get_or_make(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of `key`, made now if it is not there. What `make` raises passes through.

        `make` runs outside any lock: two callers may make the same value, and the later one stays.
        """
        found = self._shared.get((self, key))
        return self.put(key, make()) if found is None else found[0]

    def put(self, key: Hashable, value: Value) -> Value:
        """Store a value, and return it."""
        self._shared.put((self, key), value, max(size_of(value), self._least))
        return value

    def __contains__(self, key: Hashable) -> bool:
        return (self, key) in self._shared


def size_of(value: Any) -> int:
    """Roughly the bytes of a value: of pictures, arrays, tensors, bytes and collections of them.

    What several values share counts for each of them.
    """
    if isinstance(value, Image.Image):
        return SMALL + value.width * value.height * len(value.getbands())
    if isinstance(value, (bytes, bytearray, str)):
        return SMALL + len(value)
    if isinstance(getattr(value, "nbytes", None), int):  # of NumPy and of PyTorch
        return SMALL + int(value.nbytes)
    if isinstance(value, Mapping):
        return SMALL + sum(map(size_of, value.values()))
    if isinstance(value, (list, tuple)):
        return SMALL + sum(map(size_of, value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return SMALL + sum(size_of(getattr(value, field.name)) for field in fields)
    return SMALL


def fingerprint(content: bytes | Image.Image) -> str:
    """A key for bytes or for a picture's mode, size and pixels.

    A picture stores its own, because results are shown many times and never changed.
    """
    if isinstance(content, Image.Image):
        attributes = vars(content)
        if "_fingerprint" not in attributes:
            head = f"{content.mode}{content.size}".encode()
            attributes["_fingerprint"] = fingerprint(head + content.tobytes())
        return str(attributes["_fingerprint"])
    return hashlib.blake2b(content, digest_size=16).hexdigest()
