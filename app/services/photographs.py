"""Whole photographs: every face coded, the rest as a small picture, all put back in place."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from PIL import Image, ImageDraw, ImageFont

from app.cache import Cache, SharedCache, fingerprint
from app.executor import Cancelled, one_core
from app.results import Edits, Prepared, facts_of
from app.services.batched_calls import random_face
from app.services.compression import Compression, Photo
from hsc import photograph
from hsc.config import FACE_1024
from hsc.domains import domain as domain_of
from hsc.domains import tried_turns
from hsc.domains.ffhq_face.align import Square, cut_square
from hsc.errors import BitstreamError, HscError, PhotoError
from hsc.images.photo import read_photo
from hsc.photograph import DecodedPhotograph, EncodedPhotograph, FoundFace, PhotographFile
from hsc.photograph.invented import group
from hsc.photograph.still import decode as decode_still

Value = TypeVar("Value")

DOMAIN = FACE_1024.domain
"""How faces are found."""
BACKGROUND_BYTES = photograph.BACKGROUND_BYTES
LARGEST_FILE = 8 << 20
"""Bytes of an uploaded ``.hscp`` file: a background of 60 KB and 64 faces take 0.5 MB."""
THUMBNAIL = 112
OTHERS = {"avif": "AVIF", "webp": "WebP", "jpeg": "JPEG"}
"""Codecs that a photograph is compared with in as many bytes, by name."""
INVENTED = (6, 3, 300)
"""Of an invented group: people, columns, and the side of a face's square in pixels."""


@dataclass(frozen=True)
class FoundPhotograph:
    """A photograph and its faces.

    Attributes:
        picture: upright sRGB, at most 4096 pixels a side.
        faces: the largest first.
        thumbnails: a small square of each.
        numbered: the picture with a frame and a number at every face.
        upload_bytes: size of the photograph's own file.
        shrunk_from: its width and height, where it has more than is kept.
    """

    key: str
    picture: Image.Image
    faces: tuple[FoundFace, ...]
    thumbnails: tuple[Image.Image, ...]
    numbered: Image.Image
    upload_bytes: int | None
    shrunk_from: tuple[int, int] | None = None


@dataclass(frozen=True)
class Step:
    """How far a long call is, in steps, and what comes next."""

    done: int
    total: int
    what: str


@dataclass(frozen=True)
class Part:
    """A part of a file for a table: its bytes, and what a face's own file says."""

    name: str
    kind: str
    bytes: int
    level: float | None = None
    side: float | None = None


@dataclass(frozen=True)
class OtherPhotograph:
    """A photograph by another codec in as many bytes."""

    label: str
    picture: Image.Image
    bytes: int
    coded_size: tuple[int, int]


class Photographs:
    """From photographs to ``.hscp`` files and back; faces go through the caches of single ones."""

    def __init__(self, compression: Compression, cache: SharedCache) -> None:
        self.compression = compression
        self._faces = _CachedFaces(compression)
        self._found: Cache[FoundPhotograph] = Cache(cache)
        self._coded: Cache[EncodedPhotograph] = Cache(cache)
        self._drawn: Cache[DecodedPhotograph] = Cache(cache)
        self._others: Cache[OtherPhotograph] = Cache(cache)

    def find(self, photo: Photo) -> FoundPhotograph:
        """Read a photograph and find its faces; one without any has none.

        Raises:
            PhotoError: the picture is unusable.
        """
        if isinstance(photo, (str, Path)):
            try:
                photo = Path(photo).read_bytes()
            except OSError as error:
                raise PhotoError("The picture could not be opened: upload it again.") from error
        key = fingerprint(photo)
        upload = None if isinstance(photo, Image.Image) else len(photo)

        def search() -> FoundPhotograph:
            with one_core():
                picture = read_photo(photo)
                faces = photograph.find(picture)
                squares = [face.square for face in faces]
                thumbnails = tuple(cut_square(picture, square, THUMBNAIL) for square in squares)
            marked = numbered(picture, squares)
            larger = photograph.larger_size(photo, picture)
            return FoundPhotograph(key, picture, faces, thumbnails, marked, upload, larger)

        return self._found.get_or_make(key, search)

    def encode_steps(
        self,
        found: FoundPhotograph,
        level: float = 3,
        background_bytes: int = BACKGROUND_BYTES,
        skip: Collection[int] = (),
    ) -> Iterator[Step | EncodedPhotograph]:
        """Code a photograph: yields what is being done, then the result.

        Raises:
            HscError: as ``hsc.photograph.encode``.
        """
        level, left = round(float(level), 2), tuple(sorted(set(skip)))
        key = found.key, level, int(background_bytes), left
        known = self._coded.get(key)
        if known is None:
            for step in _steps(
                lambda report: photograph.encode(
                    self._faces,
                    found.picture,
                    level,
                    background_bytes=int(background_bytes),
                    skip=left,
                    found=found.faces,
                    progress=report,
                )
            ):
                if isinstance(step, Step):
                    yield step
                else:
                    known = self._coded.put(key, step)
        if known is not None:
            yield known

    def decode_steps(
        self,
        data: bytes,
        skip: Collection[int] = (),
        edits: Mapping[int, Mapping[str, float]] | None = None,
    ) -> Iterator[Step | DecodedPhotograph]:
        """Draw a file: yields what is being done, then the result.

        Args:
            data: what ``read`` accepts.
            skip: numbers of faces in the file that stay undrawn.
            edits: amounts by name, by number in the file.
        """
        left = tuple(sorted(set(skip)))
        made = {number: Edits.of(amounts) for number, amounts in sorted((edits or {}).items())}
        key = fingerprint(data), left, tuple((n, e) for n, e in made.items() if e.named)
        known = self._drawn.get(key)
        if known is None:
            amounts = {number: each.amounts for number, each in made.items()}
            for step in _steps(
                lambda report: photograph.decode(
                    self._faces, self.read(data), skip=left, edits=amounts, progress=report
                )
            ):
                if isinstance(step, Step):
                    yield step
                else:
                    known = self._drawn.put(key, step)
        if known is not None:
            yield known

    def read(self, data: bytes) -> PhotographFile:
        """What of a ``.hscp`` file of unknown origin can be drawn.

        Raises:
            BitstreamError: nothing.
        """
        if len(data) > LARGEST_FILE:
            raise BitstreamError("This is not a .hscp file: it is far too large for one.")
        return photograph.unpack(data, allow_cut=True)

    def thumbnails(self, file: PhotographFile) -> list[tuple[int, Image.Image]]:
        """A small square of every face that is in a file, with its number."""
        size = THUMBNAIL, THUMBNAIL
        small = []
        for number, face in enumerate(file.faces):
            if face.data:
                data, layers, _ = self.compression.decoding.readable(face.data, "scn+fcn")
                picture = self.compression.decoding.preview(data, layers)
                small.append((number, picture.resize(size, Image.Resampling.LANCZOS)))
            else:
                small.append((number, Image.new("RGB", size, (128, 128, 128))))
        return small

    def background(self, file: PhotographFile) -> Image.Image:
        """What a file draws without its faces, at the photograph's size."""
        size = file.width, file.height
        return decode_still(file.background, size).resize(size, Image.Resampling.BICUBIC)

    def other(self, found: FoundPhotograph, name: str, budget: int) -> OtherPhotograph:
        """The whole photograph by another codec of ``OTHERS``, in as many bytes.

        Raises:
            HscError: there is no such codec here.
        """
        if name not in OTHERS:
            raise HscError(f"expected a codec out of {', '.join(OTHERS)}, got {name!r}.")

        def make() -> OtherPhotograph:
            (whole,) = photograph.compare(found.picture, budget, [name])
            return OtherPhotograph(OTHERS[name], whole.picture, len(whole.data), whole.coded_size)

        return self._others.get_or_make((found.key, name, budget), make)

    def invent(self, seed: int) -> Image.Image:
        """A group photograph of people who do not exist, the same for the same seed."""
        people, columns, side = INVENTED
        executor = self.compression.executor
        faces = [executor.run(random_face, seed * 100 + number) for number in range(people)]
        with one_core():
            picture, _ = group(faces, people, columns, side, seed)
        return picture


class _CachedFaces:
    """What `hsc.photograph` needs of a codec, through the caches of single faces."""

    def __init__(self, compression: Compression) -> None:
        self.compression = compression

    def encode(
        self, image: Image.Image, level: float = 3, *, align: bool = True, refine: int = 0
    ) -> bytes:
        """The ``.hsc`` file of an aligned face."""
        prepared = Prepared(image, fingerprint(image), (), None, 0.0)
        return self.compression.file(prepared, level)

    def decode(
        self,
        data: bytes,
        layers: str = "scn+fcn",
        edits: Mapping[str, float] | None = None,
        keep_details: float = 1.0,
    ) -> Image.Image:
        """Its picture."""
        return self.compression.decoding.decode(data, layers, edits, keep_details).picture


def no_face() -> str:
    """What to say of a photograph without faces: where they were looked for, and what follows."""
    return f"No face was found{tried_turns(domain_of(DOMAIN))}. So all of it is background."


def last(steps: Iterator[Step | Value]) -> Value:
    """The result of a call whose steps nobody looks at. Raises HscError where it has none."""
    result = None
    for step in steps:
        result = step
    if result is None or isinstance(result, Step):
        raise HscError("expected a result, and the call was ended before it")
    return result


def parts(file: PhotographFile, numbers: Collection[int] | None = None) -> list[Part]:
    """The parts of a file with their bytes, in its order.

    Args:
        numbers: of the faces, where they have others than the file's own.
    """
    rows = [
        Part("Header", "header", file.header_bytes),
        Part("Background", "background", len(file.background)),
    ]
    for number, face in zip(numbers or range(len(file.faces)), file.faces, strict=True):
        level = facts_of(face.data)["level"] if face.data else None
        side = face.placement.square.side
        rows.append(Part(f"Face {number}", "face", len(face.data), level, side))
    return rows


def numbered(picture: Image.Image, squares: Collection[Square]) -> Image.Image:
    """A picture with a frame and a number at every square."""
    marked = picture.copy()
    pen = ImageDraw.Draw(marked)
    line = max(2, round(max(picture.size) / 500))
    for number, square in enumerate(squares):
        corners = [(float(x), float(y)) for x, y in square.corners()]
        pen.line([*corners, corners[0], corners[1]], (20, 20, 20), line * 2, "curve")
        pen.line([*corners, corners[0], corners[1]], (255, 255, 255), line, "curve")
        size = max(14, round(square.side / 7))
        font = ImageFont.load_default(size)
        x, y = (max(0.0, min(place, most - size)) for place, most in zip(corners[0], picture.size))
        label = f" {number} "
        pen.rectangle(pen.textbbox((x, y), label, font), fill=(255, 255, 255))
        pen.text((x, y), label, (20, 20, 20), font)
    return marked


def _steps(call: Callable[[photograph.coding.Report], Any]) -> Iterator[Any]:
    """Run a call that reports its progress: yields the steps, then its value.

    It ends at its next report, without a value, when this iterator is closed.
    """
    news: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    closed = threading.Event()

    def report(done: int, total: int, what: str) -> None:
        if closed.is_set():
            raise Cancelled
        news.put(("step", Step(done, total, what)))

    def work() -> None:
        try:
            with one_core():
                news.put(("value", call(report)))
        except BaseException as error:
            news.put(("error", error))

    # in the visitor's context, by which ZeroGPU knows whose quota it is
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(work,), daemon=True)
    thread.start()
    try:
        while True:
            kind, item = news.get()
            if kind == "error":
                if isinstance(item, Cancelled):
                    return
                raise item
            yield item
            if kind == "value":
                return
    finally:
        closed.set()
