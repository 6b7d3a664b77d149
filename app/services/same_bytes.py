"""The same face in the same number of bytes by other codecs: the fair fight, and the unfair one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image

from app.recent import Memory, Recent, fingerprint
from app.services.cores import beside
from app.services.measure import Measured, Measures
from hsc.baselines import CODECS, Encodings, Fit
from hsc.errors import HscError

NAMES = ("jpeg", "webp", "avif", "heic", "jxl")  # a page can wait for these
ENCODINGS = 16 << 20  # bytes of one picture's files by one codec, and of the picture at their sizes


@dataclass(frozen=True)
class BaselineResult:
    """What another codec makes of a face within a budget; what is None is not there yet.

    Attributes:
        name, label: of the codec, as hsc.baselines has them.
        full: coded at 1024 x 1024.
        best: shrunk first, coded, and enlarged again, at the size with the least LPIPS.
        missing: why it cannot be had here; then there is nothing else.
    """

    name: str
    label: str
    full: Fit | None = None
    best: Fit | None = None
    full_measured: Measured | None = None
    best_measured: Measured | None = None
    missing: str | None = None


class SameBytes:
    """Fits other codecs to a budget, beside the model and not in its turn."""

    def __init__(self, measures: Measures, memory: Memory) -> None:
        self.measures = measures
        self._encodings: Recent[Encodings] = Recent(memory, ENCODINGS)
        self._rivals: Recent[BaselineResult] = Recent(memory)

    def rivals(self, names: Sequence[str] = NAMES) -> list[BaselineResult]:
        """Those of these names, before anything was coded."""
        codecs = [CODECS[name] for name in names]
        return [BaselineResult(codec.name, codec.label, missing=codec.why_not) for codec in codecs]

    def steps(
        self, crop: Image.Image, budget: int, names: Sequence[str] = NAMES
    ) -> Iterator[BaselineResult]:
        """Fit one codec after the other, each as soon as its pictures are there and again when
        they are measured.

        Args:
            crop: the original, square.
            budget: bytes that no file may exceed.
            names: of codecs.
        """
        for rival in self.rivals(names):
            if rival.missing:
                yield rival
                continue
            key = fingerprint(crop), rival.name, budget
            if key not in self._rivals:
                try:
                    rival = self._fitted(crop, rival, budget)
                except HscError as error:  # the others go on
                    yield replace(rival, missing=str(error))
                    continue
                yield rival
            yield self._rivals.get(key, lambda rival=rival: self._measured(crop, rival))

    def _fitted(self, crop: Image.Image, rival: BaselineResult, budget: int) -> BaselineResult:
        codec = CODECS[rival.name]
        with beside():
            made = self._encodings.get(
                (fingerprint(crop), rival.name), lambda: Encodings(crop, codec)
            )
            return replace(rival, full=made.fit(budget), best=made.best_downscaled(budget))

    def _measured(self, crop: Image.Image, rival: BaselineResult) -> BaselineResult:
        return replace(
            rival,
            full_measured=self._figures(crop, rival.full),
            best_measured=self._figures(crop, rival.best),
        )

    def _figures(self, crop: Image.Image, fit: Fit) -> Measured | None:
        """Only files within the budget are held against ours."""
        return self.measures.measure(crop, fit.picture) if fit.fits else None


def described(rival: BaselineResult) -> dict[str, Any]:
    """A rival as JSON."""
    if rival.missing:
        return {"codec": rival.name, "missing": rival.missing}
    return {
        "codec": rival.name,
        "full_size": _one(rival.full, rival.full_measured),
        "best_size": _one(rival.best, rival.best_measured),
    }


def _one(fit: Fit, measured: Measured | None) -> dict[str, Any]:
    figures = measured or Measured()
    return {
        "bytes": len(fit.data),
        "fits": fit.fits,
        "px": fit.px,
        "quality": fit.quality,
        "lpips": figures.lpips,
        "psnr": figures.psnr,
        "identity": figures.identity,
    }
