"""Refinement by itself: the search goes on after the first picture, while nobody waits.

The search is cut into steps of about a second. A step begins only when no visitor has waited for
the model for a while, so another visitor waits for one step at most. There is one search at a time
in the whole process: a new one ends the one before, which keeps what it has found. On ZeroGPU there
is none, because each call there takes of a visitor's quota.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from PIL import Image

from app.cache import Cache, SharedCache
from app.executor import QUIET, Cancelled
from app.protocols import FaceCodec
from app.results import Compressed, Progress
from app.services.batched_calls import Rendered, render_layers
from app.services.compression import RESULT_LAYERS, Compression
from app.services.measure import Measures

if TYPE_CHECKING:  # it brings PyTorch, for which the page does not wait
    from hsc.types import Inversion

STEPS = 20
SHOWN_EVERY = 5
"""Steps after which the picture is drawn and compared."""


@dataclass(frozen=True)
class Found:
    """What a search has found: the best file, its LPIPS values and the steps that were made."""

    data: bytes
    steps: int
    lpips: tuple[float, ...]
    seconds: float


class Refining:
    """Searches for better files of results in the background.

    Args:
        lpips: LPIPS at 256 px of an original and a picture; by which the best file is chosen.
        quiet: see `Executor.in_background`.
    """

    def __init__(
        self,
        compression: Compression,
        measures: Measures,
        cache: SharedCache,
        lpips: Callable[[Image.Image, Image.Image], float] | None = None,
        quiet: float = QUIET,
    ) -> None:
        self.compression = compression
        self.executor = compression.executor
        self.lpips = lpips or partial(_lpips, measures)
        self.quiet = quiet
        self._found: Cache[Found] = Cache(cache)
        self._numbers = itertools.count(1)
        self._newest = 0

    @property
    def possible(self) -> bool:
        """Whether a search may run by itself here."""
        return not self.executor.remote

    def steps(
        self, plain: Compressed, cancelled: Callable[[], bool] = lambda: False
    ) -> Iterator[Compressed]:
        """Search for a better picture in as many bytes; each result is whole and can be kept.

        Yields the best result so far, with the progress in `refining`, after every step; at last,
        without it. Ends early when `cancelled` says so, when another search begins, or when this
        iterator is closed: the last result that was yielded stays good.

        Args:
            plain: a result with its file and both pictures.

        Raises:
            HscError: the codec cannot refine here.
        """
        key = (plain.prepared.key, plain.level)
        known = self._found.get(key)
        if known is not None:
            yield from self._known(plain, known)
            return
        number = self._newest = next(self._numbers)
        searching = self._search(plain, lambda: cancelled() or number != self._newest)
        best, progress = plain, Progress(0, STEPS)
        for best, progress in searching:
            yield replace(best, refining=progress)
        if progress.done < STEPS:
            return
        found = Found(best.file(), best.refined, progress.lpips, best.seconds.get("refine", 0.0))
        self._found.put(key, found)
        yield replace(best, refining=None)

    def _known(self, plain: Compressed, known: Found) -> Iterator[Compressed]:
        if not known.steps:  # nothing better was found
            yield plain
            return
        result = replace(
            plain,
            data=known.data,
            refined=known.steps,
            seconds=dict(plain.seconds) | {"refine": known.seconds},
            picture_scn=None,
            picture_both=None,
        )
        *_, whole = self.compression.render_steps(result)
        yield whole

    def _search(
        self, plain: Compressed, given_up: Callable[[], bool]
    ) -> Iterator[tuple[Compressed, Progress]]:
        """The best result and the progress after every step."""
        assert plain.picture_both is not None, "a whole result has its pictures"
        inversion = self.compression.inversion(plain.prepared)
        search: Iterator[Inversion] | None = None
        best, seconds = plain, 0.0
        lpips: tuple[float, ...] = (self.lpips(plain.crop, plain.picture_both),)
        try:
            for done in range(1, STEPS + 1):
                started = time.monotonic()

                def step(codec: FaceCodec) -> Inversion:
                    nonlocal search, started
                    started = time.monotonic()  # what it waited for does not count
                    if search is None:
                        search = codec.refine_steps(plain.crop, inversion, plain.level, STEPS)
                    return next(search)

                latents = self.executor.in_background(step, given_up, self.quiet)
                if done % SHOWN_EVERY == 0:
                    data, rendered = self.executor.in_background(
                        partial(_file_and_pictures, latents=latents, level=plain.level),
                        given_up,
                        self.quiet,
                    )
                    picture = rendered[RESULT_LAYERS[-1]].picture.value
                    tried = self.lpips(plain.crop, picture)
                    seconds += time.monotonic() - started
                    if tried < min(lpips):
                        self.compression.decoding.put(data, rendered)
                        best = replace(
                            plain,
                            data=data,
                            refined=done,
                            seconds=dict(plain.seconds) | {"refine": seconds},
                            picture_scn=rendered[RESULT_LAYERS[0]].picture.value,
                            picture_both=picture,
                        )
                    lpips += (tried,)
                else:
                    seconds += time.monotonic() - started
                if given_up():
                    return
                yield best, Progress(done, STEPS, lpips)
        except Cancelled:
            return
        finally:
            del search  # with it go the optimiser's state and the gradients


def sharpening(progress: Progress) -> str:
    """How the picture sharpens, in words: 'step 20 of 40, LPIPS 0.081 → 0.074 at 256 px'."""
    words = f"step {progress.done} of {progress.total}"
    if not progress.lpips:
        return words
    first, best = progress.lpips[0], min(progress.lpips)
    if best == first:
        return f"{words}, LPIPS {first:.3f} at 256 px"
    return f"{words}, LPIPS {first:.3f} → {best:.3f} at 256 px"


def _file_and_pictures(
    codec: FaceCodec, latents: Inversion, level: float
) -> tuple[bytes, dict[str, Rendered]]:
    data = codec.compress(latents, level)
    return data, render_layers(codec, data, RESULT_LAYERS)


def _lpips(measures: Measures, original: Image.Image, picture: Image.Image) -> float:
    """The first figures that are measured have it."""
    distances = next(measures.steps(original, picture))
    assert distances.lpips is not None
    return distances.lpips
