"""The rate-distortion curve of one photo, measured level by level from real files."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PIL import Image

from app.cache import Cache, SharedCache
from app.executor import one_core
from app.results import Prepared
from app.services.compression import Compression
from app.services.measure import RECOGNISED, Measures
from hsc.baselines import CODECS, Encodings
from hsc.baselines.published import PAPER_POINTS as PAPER_POINTS  # for the page
from hsc.baselines.registry import OtherCodec
from hsc.bitstream import with_layers
from hsc.levels import LEVELS

if TYPE_CHECKING:  # it brings PyTorch, for which the page does not wait
    from hsc.metrics.evaluator import Scored

ORIGINAL_BYTES = 48 << 20
"""Bytes of an original and of what is computed from it once, mostly LPIPS features at 1024 px."""
OTHERS = ("avif", "webp", "jpeg")
BUDGETS = (800, 1500, 3000, 6000)
"""Bytes at which other codecs are tried."""


@dataclass(frozen=True)
class CurveMetric:
    """A metric of curves: its key, its label, whether less is better, and its digits."""

    key: str
    label: str
    less: bool
    digits: int


METRICS = (
    CurveMetric("lpips_256", "LPIPS at 256 px, as on the first screen (less is nearer)", True, 3),
    CurveMetric("lpips_1024", "LPIPS at 1024 px, as the paper has it (less is nearer)", True, 3),
    CurveMetric("identity_l2", "Distance by dlib (one person: under 0.33)", True, 2),
    CurveMetric("identity_faceres", "Distance by FaceRes (one person: under 0.53)", True, 2),
    CurveMetric("psnr_256", "PSNR at 256 px in dB (more is nearer)", False, 1),
)


@dataclass(frozen=True)
class CurvePoint:
    """One file, and how near its picture is.

    Attributes:
        series: "HSC", "SCN alone" or the name of another codec.
        name: its label.
        data: the file.
        codec: the other codec's name; "" for ours.
        figures: by key of METRICS; identity is missing where the original shows no face.
    """

    series: str
    name: str
    data: bytes
    codec: str
    figures: dict[str, float]

    @property
    def bytes(self) -> int:
        return len(self.data)


@dataclass(frozen=True)
class Curve:
    """The points measured so far.

    Attributes:
        doing: the next point, in words; "" when it is complete.
        done, total: points measured, and points there will be.
    """

    points: tuple[CurvePoint, ...] = ()
    doing: str = ""
    done: int = 0
    total: int = 0


class RdCurves:
    """Curves of photos; recent points are cached, those of unfinished curves too."""

    def __init__(self, compression: Compression, measures: Measures, cache: SharedCache) -> None:
        self.compression = compression
        self.measures = measures
        px = compression.model.config.generator.image_px
        self.metrics = tuple(
            each
            for each in METRICS
            if (measures.of_faces or each.key not in RECOGNISED)
            and (each.key != "lpips_1024" or px >= 1024)
        )
        """Those that the model's pictures can be measured by."""
        self._points: Cache[CurvePoint | None] = Cache(cache)
        self._originals: Cache[Scored] = Cache(cache, ORIGINAL_BYTES)

    def steps(self, prepared: Prepared, others: bool = True) -> Iterator[Curve]:
        """Measure a photo, one file after the other.

        Args:
            others: with other codecs, each at the size with the least LPIPS.
        """
        jobs = list(self._jobs(prepared, others))
        points: list[CurvePoint] = []
        for number, (words, key, make) in enumerate(jobs):
            if key not in self._points:
                yield Curve(tuple(points), words, number, len(jobs))
            point = self._points.get_or_make(key, make)
            if point is not None:
                points.append(point)
        yield Curve(tuple(points), "", len(jobs), len(jobs))

    def picture(self, point: CurvePoint) -> Image.Image:
        """The picture of a point's file, at full size."""
        if point.codec:
            picture = CODECS[point.codec].decode(point.data)
            px = self.compression.model.config.generator.image_px
            return picture.resize((px, px), Image.Resampling.LANCZOS)
        layers = "scn" if point.series == "SCN alone" else "scn+fcn"
        return self.compression.decoding.render(point.data, layers).value

    def _jobs(
        self, prepared: Prepared, others: bool
    ) -> Iterator[tuple[str, Hashable, Callable[[], CurvePoint | None]]]:
        for level in LEVELS:
            for layers in ("scn", "scn+fcn") if level.number == 1 else ("scn+fcn",):
                yield (
                    f"Level {level.number}, {level.name}"
                    + (", SCN alone" if layers == "scn" else ""),
                    (prepared.key, level.number, layers),
                    partial(self._own, prepared, level.number, layers),
                )
        if not others:
            return
        for name in OTHERS:
            codec = CODECS[name]
            if codec.why_not:
                continue
            made: list[Encodings] = []  # by the first job that needs it
            for budget in BUDGETS:
                yield (
                    f"{codec.label} in {budget:,} bytes",
                    (prepared.key, name, budget),
                    partial(self._other, prepared, codec, budget, made),
                )

    def _own(self, prepared: Prepared, level: int, layers: str) -> CurvePoint:
        data = with_layers(self.compression.file(prepared, level), layers)
        picture = self.compression.decoding.render(data, layers).value
        series = "SCN alone" if layers == "scn" else "HSC"
        name = f"level {level}" + (", SCN alone" if layers == "scn" else "")
        return CurvePoint(series, name, data, "", self._measured(prepared, picture))

    def _other(
        self, prepared: Prepared, codec: OtherCodec, budget: int, made: list[Encodings]
    ) -> CurvePoint | None:
        with one_core():
            if not made:
                made.append(Encodings(prepared.crop, codec, prepared.crop.width))
            fit = made[0].best_downscaled(budget)
        if not fit.fits:
            return None
        name = f"{codec.label} at {fit.px} px"
        figures = self._measured(prepared, fit.picture)
        return CurvePoint(codec.label, name, fit.data, codec.name, figures)

    def _measured(self, prepared: Prepared, picture: Image.Image) -> dict[str, float]:
        with one_core():
            evaluator = self.measures.evaluator
            original = self._originals.get_or_make(
                prepared.key, lambda: evaluator.original(prepared.crop)
            )
            figures = [metric.key for metric in self.metrics]
            found = evaluator.compare(original, picture, figures)
        return {key: value for key, value in found.items() if not math.isnan(value)}
