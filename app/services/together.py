"""What belongs together as one call of the model: each would wait for a device where one is lent.

These functions run where the model is, with the codec as their first argument, and tell the seconds
of their parts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from PIL import Image

from app.services.lending import Call

LAYERS = ("scn", "scn+fcn")
"""What is drawn of every file that is made."""

Timed = tuple[Any, float]
"""A value, and the seconds that it took."""
File = tuple[bytes, str]
"""A file, and which of its layers to open."""
Coded = tuple[bytes, dict[str, float]]
"""A file, and the seconds that its stages took."""
Drawn = dict[str, tuple[Timed, Timed]]
"""By layers: the opened file, and its picture."""


def timed(call: Callable[..., Any], *args: Any) -> Timed:
    """The value of a call, and the seconds that it took."""
    started = time.perf_counter()
    return call(*args), time.perf_counter() - started


def opened_for(
    codec: Any, files: Sequence[File | Any], call: Call, *args: Any
) -> tuple[dict[int, Timed], Timed]:
    """Open files, and make a call that takes them first.

    Args:
        files: each to be opened, or open already.

    Returns:
        The files that were opened here, by their number, and what the call gave.
    """
    fresh = {
        number: timed(codec.open, *file)
        for number, file in enumerate(files)
        if isinstance(file, tuple)
    }
    opened = [fresh[number][0] if number in fresh else file for number, file in enumerate(files)]
    if isinstance(call, str):
        return fresh, timed(getattr(codec, call), *opened, *args)
    return fresh, timed(call, codec, *opened, *args)


def drawn_each(codec: Any, data: bytes, choices: Sequence[str] = LAYERS) -> Drawn:
    """A file drawn from several choices of its layers."""
    drawn = {}
    for layers in choices:
        opened = timed(codec.open, data, layers)
        drawn[layers] = opened, timed(codec.draw, opened[0])
    return drawn


def coded(
    codec: Any, crop: Image.Image, found: Timed | None, level: float
) -> tuple[Timed, Coded]:
    """What the encoder finds in a crop, unless it is known, and the file of it."""
    found = found or timed(codec.analyse, crop)
    data, seconds = timed(codec.compress, found[0], level)
    return found, (data, {"analyse": found[1], "compress": seconds})


def coded_and_drawn(
    codec: Any, crop: Image.Image, found: Timed | None, level: float
) -> tuple[Timed, Coded, Drawn]:
    """As `coded`, and what the file draws."""
    found, file = coded(codec, crop, found, level)
    return found, file, drawn_each(codec, file[0])
