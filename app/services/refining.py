"""Refined files: time spent on one face for a better picture in as many bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from PIL import Image

from app.recent import Memory, Recent
from app.results import Compressed
from app.services.compressing import Compressing
from hsc.levels import REFINE_STEPS


class Refining:
    """Better files for results that are there already; the last ones are remembered."""

    def __init__(self, compressing: Compressing, memory: Memory) -> None:
        self.compressing = compressing
        self._files: Recent[tuple[bytes, float]] = Recent(memory)

    def steps(
        self, plain: Compressed, given_up: Callable[[], bool] = lambda: False
    ) -> Iterator[Compressed]:
        """Refine a result and hand it over as it grows: the old one with the steps that are done,
        then the new file, then what it draws. Nothing follows when the search is given up.

        Raises:
            HscError: the codec cannot refine here.
        """
        key, model = (plain.prepared.key, plain.level), self.compressing.model
        if key not in self._files:
            told = None
            for told in model.telling(_refined, *self._start(plain), given_up=given_up):
                if not told.finished:
                    yield replace(plain, refining=(told.done, told.of))
            if told is None or not told.finished:
                return
            self._files.get(key, lambda: (told.value, told.seconds))
        data, seconds = self._files.get(key, lambda: model.run(_refined, *self._start(plain)))
        times = dict(plain.seconds) | {"refine": seconds}
        result = replace(
            plain, data=data, seconds=times, refined=REFINE_STEPS,
            picture_scn=None, picture_both=None,
        )  # fmt: skip
        yield from self.compressing.drawn(result)

    def _start(self, plain: Compressed) -> tuple[Image.Image, Any, float]:
        """What the search starts from."""
        return plain.crop, self.compressing.latents(plain.prepared)[0], plain.level


def _refined(
    codec: Any,
    crop: Image.Image,
    found: Any,
    level: float,
    progress: Callable[[int, int], None] | None = None,
) -> bytes:
    """The better file; ``progress`` is told how far the search is."""
    return codec.compress(codec.refine(crop, found, level, REFINE_STEPS, progress), level)
