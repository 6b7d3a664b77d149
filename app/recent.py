"""A small memory of the last results, so that moving a control repeats only what it changes."""

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
"""Bytes: about a hundred pictures with what was found in them."""
SMALL = 256
"""Bytes that anything is taken to need."""


class Memory:
    """What is remembered, of everything together, in memory only.

    Values are dropped when all of them hold more than ``limit`` bytes, first the one that was
    longest unused, whichever `Recent` it belongs to; the newest stays however large it is.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit, self.held = limit, 0
        self._values: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: Hashable) -> tuple[Any] | None:
        """The value of a key, used now, in a tuple; None where there is none."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key][:1]

    def keep(self, key: Hashable, value: Any, size: int) -> None:
        """Remember a value that holds ``size`` bytes."""
        with self._lock:
            _, before = self._values.pop(key, (None, 0))
            self._values[key] = value, size
            self.held += size - before
            while self.held > self.limit and len(self._values) > 1:
                _, (_, gone) = self._values.popitem(last=False)
                self.held -= gone

    def __contains__(self, key: Hashable) -> bool:
        with self._lock:
            return key in self._values


class Recent(Generic[Value]):
    """Values of one kind by key, within a memory.

    Args:
        least: bytes that every value is taken to hold, where more is hidden in it than `size_of`
            can see.
    """

    def __init__(self, memory: Memory, least: int = SMALL) -> None:
        self._memory, self._least = memory, least

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of `key`, made now if it is not remembered. What `make` raises passes through.

        `make` runs outside any lock: two callers may make the same value, and the later one stays.
        """
        found = self._memory.find((self, key))
        if found is not None:
            return found[0]
        return self.keep(key, make())

    def known(self, key: Hashable) -> Value | None:
        """The value of `key`, None where there is none."""
        found = self._memory.find((self, key))
        return found and found[0]

    def keep(self, key: Hashable, value: Value) -> Value:
        """Remember a value that was made on the way to another, and return it."""
        self._memory.keep((self, key), value, max(size_of(value), self._least))
        return value

    def __contains__(self, key: Hashable) -> bool:
        return (self, key) in self._memory


def size_of(value: Any) -> int:
    """Bytes that a value holds, about: of pictures, arrays and tensors, bytes, and what is made of
    them. A thing that several values share counts for each."""
    if isinstance(value, Image.Image):
        return SMALL + value.width * value.height * len(value.getbands())
    if isinstance(value, (bytes, bytearray, str)):
        return SMALL + len(value)
    if isinstance(getattr(value, "nbytes", None), int):  # of NumPy and of PyTorch
        return SMALL + value.nbytes
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
