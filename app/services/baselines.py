"""The same face in as many bytes by other codecs, each at its best size and at full size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image

from app.cache import Cache, SharedCache, fingerprint
from app.executor import one_core
from app.services.measure import Distances, Measures
from hsc.baselines import CODECS, Encodings, Fit
from hsc.errors import HscError

NAMES = ("jpeg", "webp", "avif", "heic", "jxl")  # a page can wait for these
ENCODINGS = 16 << 20  # bytes of one picture's files by one codec, and of the picture at their sizes


@dataclass(frozen=True)
class BaselineResult:
    """A face by another codec within a budget of bytes; None: not there yet.

    Attributes:
        name, label: of the codec, as hsc.baselines has them.
        full: coded at 1024 x 1024.
        best: shrunk first, coded, and enlarged again, at the size with the least LPIPS.
        missing: why the codec is not available here; then nothing else is set.
    """

    name: str
    label: str
    full: Fit | None = None
    best: Fit | None = None
    full_measured: Distances | None = None
    best_measured: Distances | None = None
    missing: str | None = None


class Baselines:
    """Fits other codecs to a budget, outside the model's thread."""

    def __init__(self, measures: Measures, cache: SharedCache) -> None:
        self.measures = measures
        self._encodings: Cache[Encodings] = Cache(cache, ENCODINGS)
        self._results: Cache[BaselineResult] = Cache(cache)

    def empty(self, names: Sequence[str] = NAMES) -> list[BaselineResult]:
        """The results of these codecs before anything is coded."""
        codecs = [CODECS[name] for name in names]
        return [BaselineResult(codec.name, codec.label, missing=codec.why_not) for codec in codecs]

    def steps(
        self, crop: Image.Image, budget: int, names: Sequence[str] = NAMES
    ) -> Iterator[BaselineResult]:
        """Fit one codec after the other. A result comes twice: with its pictures, then with their
        figures.

        Args:
            crop: the original, square.
            budget: bytes that no file may exceed.
            names: of codecs.
        """
        for empty in self.empty(names):
            if empty.missing:
                yield empty
                continue
            key = fingerprint(crop), empty.name, budget
            result = self._results.get(key)
            if result is None:
                try:
                    fitted = self._fitted(crop, empty, budget)
                except HscError as error:  # the others go on
                    yield replace(empty, missing=str(error))
                    continue
                yield fitted
                result = self._results.put(key, self._measured(crop, fitted))
            yield result

    def _fitted(self, crop: Image.Image, result: BaselineResult, budget: int) -> BaselineResult:
        codec = CODECS[result.name]
        with one_core():
            made = self._encodings.get_or_make(
                (fingerprint(crop), result.name), lambda: Encodings(crop, codec, crop.width)
            )
            return replace(result, full=made.fit(budget), best=made.best_downscaled(budget))

    def _measured(self, crop: Image.Image, result: BaselineResult) -> BaselineResult:
        return replace(
            result,
            full_measured=self._figures(crop, result.full),
            best_measured=self._figures(crop, result.best),
        )

    def _figures(self, crop: Image.Image, fit: Fit | None) -> Distances | None:
        """Only files within the budget are compared with ours."""
        return self.measures.measure(crop, fit.picture) if fit and fit.fits else None


def as_json(result: BaselineResult) -> dict[str, Any]:
    """A result as JSON."""
    if result.full is None or result.best is None:
        return {"codec": result.name, "missing": result.missing}
    return {
        "codec": result.name,
        "full_size": _one(result.full, result.full_measured),
        "best_size": _one(result.best, result.best_measured),
    }


def _one(fit: Fit, measured: Distances | None) -> dict[str, Any]:
    figures = measured or Distances()
    return {
        "bytes": len(fit.data),
        "fits": fit.fits,
        "px": fit.px,
        "quality": fit.quality,
        "lpips": figures.lpips,
        "psnr": figures.psnr,
        "identity": figures.identity,
        "faceres": figures.faceres,
    }
