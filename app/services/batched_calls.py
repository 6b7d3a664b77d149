"""Functions that run where the codec is, each with all the work of one request.

On ZeroGPU every call waits for a GPU of its own, so opening and rendering a file, or coding a crop
and rendering the file, is one call. The seconds are those of the codec's own work.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Concatenate, Generic, ParamSpec, TypeVar

from PIL import Image

from app.protocols import FaceCodec, ProgressReport
from hsc.bitstream import with_layers

if TYPE_CHECKING:  # it brings PyTorch, for which the page does not wait
    from hsc.types import DecodedLatents, Inversion

Args = ParamSpec("Args")
Value = TypeVar("Value")


@dataclass(frozen=True)
class Timed(Generic[Value]):
    """A value, and the seconds that it took."""

    value: Value
    seconds: float


class Stopwatch:
    """Seconds since it was made, or since the last lap."""

    def __init__(self) -> None:
        self._started = time.perf_counter()

    def lap(self) -> float:
        before, self._started = self._started, time.perf_counter()
        return self._started - before


@dataclass(frozen=True)
class Rendered:
    """An opened file and its picture."""

    opened: Timed[DecodedLatents]
    picture: Timed[Image.Image]


@dataclass(frozen=True)
class Encoded:
    """The file of a crop.

    Attributes:
        inversion: what the encoder found in the crop.
        data: the file.
        seconds: by stage.
        rendered: by layers; what was rendered of the file in the same call.
    """

    inversion: Timed[Inversion]
    data: bytes
    seconds: dict[str, float]
    rendered: dict[str, Rendered] = field(default_factory=dict)


def analyse(
    codec: FaceCodec, crop: Image.Image, report: ProgressReport | None = None
) -> Timed[Inversion]:
    """As the codec's `analyse`."""
    watch = Stopwatch()
    return Timed(codec.analyse(crop, progress=report), watch.lap())


def encode(
    codec: FaceCodec,
    crop: Image.Image,
    inversion: Timed[Inversion] | None,
    level: float,
    render: Sequence[str] = (),
) -> Encoded:
    """Code a crop.

    Args:
        inversion: of the crop, where it is known already.
        render: choices of layers to render the file from.
    """
    inversion = inversion or analyse(codec, crop)
    watch = Stopwatch()
    data = codec.compress(inversion.value, level)
    seconds = {"analyse": inversion.seconds, "compress": watch.lap()}
    return Encoded(inversion, data, seconds, render_layers(codec, data, render))


def analyse_in_steps(
    codec: FaceCodec, report: ProgressReport, crop: Image.Image
) -> Timed[Inversion]:
    """As `analyse`, with a report after each gradient step."""
    return analyse(codec, crop, report)


def encode_in_steps(
    codec: FaceCodec, report: ProgressReport, inversion: Timed[Inversion], level: float
) -> Encoded:
    """As `encode`, with a report after each gradient step."""
    watch = Stopwatch()
    data = codec.compress(inversion.value, level, progress=report)
    return Encoded(inversion, data, {"analyse": inversion.seconds, "compress": watch.lap()})


def draft(
    codec: FaceCodec, crop: Image.Image, inversion: Timed[Inversion] | None, level: float
) -> bytes:
    """The file of a crop without the gradient steps for this level, and without those for the crop
    where it is not analysed yet: a second's work, for a visitor to see meanwhile."""
    found = inversion.value if inversion else codec.analyse(crop, correct=False)
    return _uncorrected(codec, found, level)


def about_bytes(codec: FaceCodec, inversion: Inversion, level: float, layers: str) -> int:
    """About the bytes of these layers of a level's file, without making it: that takes longer."""
    if layers == "scn":
        return len(with_layers(_uncorrected(codec, inversion, level), layers))
    return codec.about_bytes(inversion, level)


def _uncorrected(codec: FaceCodec, found: Inversion, level: float) -> bytes:
    """The file of a level without the gradient steps for it."""
    return codec.compress(replace(found, crop=None), level)


def encode_within(
    codec: FaceCodec, crop: Image.Image, inversion: Timed[Inversion] | None, max_bytes: int
) -> Encoded:
    """Code a crop at the level whose file is the largest of at most ``max_bytes``.

    Raises:
        HscError: not even the file of level 1 fits.
    """
    inversion = inversion or analyse(codec, crop)
    watch = Stopwatch()
    data = codec.compress(inversion.value, max_bytes=max_bytes)
    return Encoded(inversion, data, {"analyse": inversion.seconds, "compress": watch.lap()})


def refine(
    codec: FaceCodec,
    report: ProgressReport,
    crop: Image.Image,
    inversion: Inversion,
    level: float,
    steps: int,
    max_bytes: int | None = None,
) -> Timed[bytes]:
    """A refined file of a crop, at the level it was refined for or, with ``max_bytes``, near it."""
    watch = Stopwatch()
    refined = codec.refine(crop, inversion, level, steps, report)
    if max_bytes is None:
        data = codec.compress(refined, level)
    else:
        data = codec.compress(refined, max_bytes=max_bytes)
    return Timed(data, watch.lap())


def open_file(codec: FaceCodec, data: bytes, layers: str) -> Timed[DecodedLatents]:
    """As the codec's `open`."""
    watch = Stopwatch()
    return Timed(codec.open(data, layers), watch.lap())


def render_layers(codec: FaceCodec, data: bytes, choices: Sequence[str]) -> dict[str, Rendered]:
    """A file rendered from several choices of its layers."""
    rendered = {}
    for layers in choices:
        opened = open_file(codec, data, layers)
        watch = Stopwatch()
        rendered[layers] = Rendered(opened, Timed(codec.draw(opened.value), watch.lap()))
    return rendered


def with_opened(
    codec: FaceCodec,
    files: Sequence[tuple[bytes, str] | DecodedLatents],
    call: Callable[Concatenate[FaceCodec, Sequence[DecodedLatents], Args], Value],
    /,
    *args: Args.args,
    **options: Args.kwargs,
) -> tuple[dict[int, Timed[DecodedLatents]], Timed[Value]]:
    """Open files, and make a call that takes all of them.

    Args:
        files: each with its layers, to be opened, or open already.

    Returns:
        The files that were opened here, by their number, and the value of the call.
    """
    fresh: dict[int, Timed[DecodedLatents]] = {}
    opened: list[DecodedLatents] = []
    for number, file in enumerate(files):
        if isinstance(file, tuple):
            fresh[number] = open_file(codec, *file)
            opened.append(fresh[number].value)
        else:
            opened.append(file)
    watch = Stopwatch()
    return fresh, Timed(call(codec, opened, *args, **options), watch.lap())


def draw(
    codec: FaceCodec, files: Sequence[DecodedLatents], edits: Mapping[str, float], keep: float
) -> Image.Image:
    """The picture of one file, at full size."""
    return codec.draw(files[0], edits, keep)


def preview(
    codec: FaceCodec, files: Sequence[DecodedLatents], edits: Mapping[str, float], keep: float
) -> Image.Image:
    """A small picture of one file."""
    return codec.preview(files[0], edits, keep)


def previews(
    codec: FaceCodec,
    files: Sequence[DecodedLatents],
    edits: Sequence[Mapping[str, float]],
    keep: float,
) -> list[Image.Image]:
    """Small pictures of one file under several edits."""
    return codec.draw_many(files[0], edits, keep, preview=True)


def held_share(
    codec: FaceCodec, files: Sequence[DecodedLatents], edits: Mapping[str, float], keep: float
) -> float:
    """The share of an edit of one file that is carried out."""
    return codec.held_back(files[0], edits, keep).share


def edited_file(
    codec: FaceCodec,
    files: Sequence[DecodedLatents],
    edits: Mapping[str, float],
    keep: float,
    level: float,
) -> bytes:
    """A file of an edited face."""
    return codec.compress_edited(files[0], edits, level, keep)


def random_face(codec: FaceCodec, seed: int) -> Image.Image:
    """As the codec's `random_face`."""
    return codec.random_face(seed)
