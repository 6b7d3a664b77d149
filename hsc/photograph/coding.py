"""A photograph to a ``.hscp`` file, and back."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image

from hsc.baselines.registry import CODECS, OtherCodec
from hsc.config import FACE_1024
from hsc.domains import domain as domain_of
from hsc.domains.ffhq_face.align import Square, cut_square
from hsc.errors import BitstreamError, HscError
from hsc.images import marks
from hsc.images.photo import MAX_SIDE, PhotoSource, read_photo
from hsc.photograph import mask as masks
from hsc.photograph.background import fit, fit_background, without_faces
from hsc.photograph.container import MAX_FACES, PhotographFile, PlacedFace, unpack
from hsc.photograph.mask import Mask
from hsc.photograph.paste import draw, matched
from hsc.photograph.placement import Placement, square_of
from hsc.photograph.still import decode as decode_still
from hsc.photograph.tone import Tone

BACKGROUND_BYTES = 4000
"""Budget of the background unless another is given."""
CROP_PX = 1024
COMPARED = {"avif": (0.6, 0.25, 0.1), "webp": (1.0, 0.5, 0.2), "jpeg": (2.0, 1.0, 0.5)}
"""Codecs that a photograph is compared with: bits per pixel at the sizes that are tried."""

Report = Callable[[int, int, str], None]
"""Called with the number of steps done, of all steps, and what comes next."""


class FaceCodec(Protocol):
    """What is needed of a codec; ``hsc.Codec`` has it."""

    def encode(
        self, image: Image.Image, level: float = 3, *, align: bool = True, refine: int = 0
    ) -> bytes: ...

    def decode(
        self,
        data: bytes,
        layers: str = "scn+fcn",
        edits: Mapping[str, float] | None = None,
        keep_details: float = 1.0,
    ) -> Image.Image: ...


@dataclass(frozen=True)
class FoundFace:
    """A face that was found in a photograph.

    Attributes:
        number: 0 is the largest.
        placement: its square, as a file would say it.
    """

    number: int
    placement: Placement

    @property
    def square(self) -> Square:
        """In pixels of the photograph."""
        return self.placement.square


@dataclass(frozen=True)
class EncodedPhotograph:
    """What became of a photograph.

    Attributes:
        data: the ``.hscp`` file.
        file: what it holds.
        photograph: as it was read: upright sRGB, at most 4096 pixels a side.
        found: every face that was found, the largest first.
        coded: the numbers of those in the file, in its order.
        shrunk_from: width and height of the picture that was given, where it was larger.
    """

    data: bytes
    file: PhotographFile
    photograph: Image.Image
    found: tuple[FoundFace, ...]
    coded: tuple[int, ...]
    shrunk_from: tuple[int, int] | None = None


@dataclass(frozen=True)
class DrawnFace:
    """A face as it was drawn back.

    Attributes:
        number: in the file.
        square: where, in pixels of the photograph.
        mask: (256, 256) over the square: its part of each pixel.
    """

    number: int
    square: Square
    mask: Mask


@dataclass(frozen=True)
class DecodedPhotograph:
    """A decoded photograph.

    Attributes:
        picture: RGB, of the photograph's own size; it carries a mark, see ``hsc.images.marks``.
        background: the same without faces, at the size at which it was coded.
        drawn: the faces in it.
        missing: numbers of faces whose bytes did not arrive, and which are not drawn.
        partial: numbers of faces that are drawn from SCN alone, because FCN did not arrive.
    """

    picture: Image.Image
    background: Image.Image
    drawn: tuple[DrawnFace, ...]
    missing: tuple[int, ...] = ()
    partial: tuple[int, ...] = ()


@dataclass(frozen=True)
class WholePhotograph:
    """A photograph by another codec in a number of bytes.

    Attributes:
        codec: which.
        data: its file.
        picture: decoded, and enlarged to the photograph's size.
        coded_size: width and height at which it was coded, the best of several.
        budget: bytes that were allowed; ``data`` is larger where the codec cannot go so low.
    """

    codec: OtherCodec
    data: bytes
    picture: Image.Image
    coded_size: tuple[int, int]
    budget: int


def find(image: Image.Image, domain: str = FACE_1024.domain) -> tuple[FoundFace, ...]:
    """The faces of an upright RGB picture, the largest first, 64 at most; none where it has none.

    Faces that are too small or too large for a file (a square of less than 16 pixels, or of more
    than 16383) do not count.
    """
    placements = []
    for region in domain_of(domain).find_every(image):
        try:
            placements.append(Placement.nearest(square_of(region)))
        except HscError:
            continue
    placements.sort(key=lambda placement: -placement.side)
    return tuple(FoundFace(*each) for each in enumerate(placements[:MAX_FACES]))


def encode(
    codec: FaceCodec,
    photo: PhotoSource,
    level: float = 3,
    *,
    background_bytes: int = BACKGROUND_BYTES,
    skip: Collection[int] = (),
    refine: int = 0,
    found: Sequence[FoundFace] | None = None,
    domain: str = FACE_1024.domain,
    progress: Report | None = None,
) -> EncodedPhotograph:
    """Code a photograph: every face by itself, the rest as one small picture.

    Args:
        codec: ``hsc.Codec``.
        photo: a PIL picture, an encoded picture's bytes, or a path. Of one with a longer side than
            4096 pixels the file keeps 4096.
        level: of every face, 1 to 6, as ``Codec.encode`` takes it.
        background_bytes: budget of the rest; its smallest form is taken where that is larger.
        skip: numbers of faces that stay part of the background.
        refine: gradient steps on each face.
        found: what ``find`` gave for the same picture, where it is known.
        domain: of the codec's generator, which says how faces are found.
        progress: called before each face and before the background.

    Raises:
        PhotoError: the picture cannot be read. HscError: an unknown number in ``skip``, or a
            negative budget. BitstreamError: the level is out of range.
    """
    if background_bytes < 0:
        raise HscError(f"expected a budget from 0 bytes, got {background_bytes}.")
    photograph = read_photo(photo)
    found = tuple(find(photograph, domain) if found is None else found)
    _check_numbers(skip, len(found))
    chosen = [face for face in found if face.number not in set(skip)]
    squares = [face.square for face in chosen]
    report = progress or (lambda done, total, what: None)
    total = len(chosen) + 1
    faces: list[PlacedFace] = []
    placed: list[tuple[Square, Mask]] = []
    for index, face in enumerate(chosen):
        report(index, total, f"face {face.number}")
        crop = cut_square(photograph, face.square, CROP_PX, sharp=True)
        data = codec.encode(crop, level, align=False, refine=refine)
        decoded = codec.decode(data)
        drawn = masks.head(masks.person(decoded))
        tone = Tone.between(decoded, crop, drawn)
        faces.append(PlacedFace(face.placement, tone, data, len(data)))
        placed.append((face.square, drawn * masks.shares(squares, index)))
    report(len(chosen), total, "background")
    background = fit_background(without_faces(photograph, placed), background_bytes)
    file = PhotographFile(photograph.width, photograph.height, background.data, tuple(faces))
    numbers = tuple(face.number for face in chosen)
    return EncodedPhotograph(
        file.pack(), file, photograph, found, numbers, larger_size(photo, photograph)
    )


def decode(
    codec: FaceCodec,
    data: bytes | PhotographFile,
    *,
    skip: Collection[int] = (),
    edits: Mapping[int, Mapping[str, float]] | None = None,
    keep_details: float = 1.0,
    allow_cut: bool = False,
    progress: Report | None = None,
) -> DecodedPhotograph:
    """Draw a photograph from the bytes alone.

    Args:
        codec: ``hsc.Codec``.
        data: the bytes of a ``.hscp`` file, or what ``unpack`` made of them.
        skip: numbers of faces, in the file, that are not drawn: the background is smooth there.
        edits: for each number, amounts by name as ``Codec.decode`` takes them.
        keep_details: as ``Codec.decode`` takes it.
        allow_cut: decode what is there of a cut or damaged file.
        progress: called before each face.

    Raises:
        BitstreamError: the bytes are not a readable file, or of another model.
        HscError: an unknown number, or an edit that ``Codec.decode`` refuses.
    """
    file = data if isinstance(data, PhotographFile) else unpack(data, allow_cut=allow_cut)
    edits = {number: dict(amounts) for number, amounts in (edits or {}).items()}
    _check_numbers([*skip, *edits], len(file.faces))
    size = file.width, file.height
    background = decode_still(file.background, size)
    canvas = background.resize(size, Image.Resampling.BICUBIC)
    squares = [face.placement.square for face in file.faces]
    missing = tuple(n for n, face in enumerate(file.faces) if not face.data)
    partial = tuple(n for n, face in enumerate(file.faces) if face.data and not face.whole)
    numbers = [n for n, face in enumerate(file.faces) if face.data and n not in set(skip)]
    drawn = []
    for done, number in enumerate(numbers):
        if progress:
            progress(done, len(numbers), f"face {number}")
        face = file.faces[number]
        try:
            picture, person, mask = _rendered(codec, face.data, edits.get(number), keep_details)
        except BitstreamError as error:
            raise BitstreamError(_about_face(number, error)) from error
        mask = mask * masks.shares(squares, number)
        square = squares[number]
        pixels = matched(picture, face.tone, mask, person, background, square, size)
        draw(canvas, pixels, mask, square)
        drawn.append(DrawnFace(number, square, mask))
    marks.put(canvas, _mark(file, edits, [face.number for face in drawn]))
    return DecodedPhotograph(canvas, background, tuple(drawn), missing, partial)


def larger_size(photo: PhotoSource, read: Image.Image) -> tuple[int, int] | None:
    """The size of a photograph that was shrunk when it was read; None where it was not."""
    if max(read.size) < MAX_SIDE:
        return None
    if isinstance(photo, Image.Image):
        size = photo.size
    else:
        try:
            source = Path(photo) if isinstance(photo, (str, Path)) else BytesIO(bytes(photo))
            with Image.open(source) as header:
                size = header.size
        except (OSError, ValueError, Image.DecompressionBombError):
            return None  # a format that only `read_photo` knows
    return size if max(size) > MAX_SIDE else None


def compare(
    photograph: Image.Image, budget: int, names: Sequence[str] = tuple(COMPARED)
) -> Iterator[WholePhotograph]:
    """A whole photograph by other codecs in as many bytes, each at the best of several sizes.

    Args:
        photograph: upright RGB.
        budget: bytes of the ``.hscp`` file.
        names: of ``COMPARED``.
    """
    for name in names:
        codec = CODECS[name]
        if codec.why_not:
            raise HscError(codec.why_not)
        plain = photograph.copy()
        plain.info = {}
        made = fit(plain, budget, codec.encode, codec.decode, codec.qualities, COMPARED[name])
        picture = made.picture.resize(photograph.size, Image.Resampling.BICUBIC)
        yield WholePhotograph(codec, made.data, picture, made.picture.size, budget)


def _mark(
    file: PhotographFile, edits: Mapping[int, Mapping[str, float]], drawn: Sequence[int]
) -> marks.Mark:
    """What the picture of a file says of itself."""
    recipe: dict[str, Any] = {
        "faces_drawn": list(drawn),
        "edits": {
            str(number): {name: float(x) for name, x in amounts.items() if x}
            for number, amounts in sorted(edits.items())
            if any(amounts.values())
        },
    }
    if file.whole:
        recipe["file_sha256"] = hashlib.sha256(file.pack()).hexdigest()
    return marks.Mark(marks.COMPOSITE, recipe)


def _rendered(
    codec: FaceCodec, data: bytes, edits: Mapping[str, float] | None, keep_details: float
) -> tuple[Image.Image, Mask, Mask]:
    """A face's picture, where its person is, and its mask.

    What the unedited face covers was smoothed in the background, so that an edited one covers it
    too.
    """
    plain = codec.decode(data)
    person = masks.person(plain)
    mask = masks.head(person)
    if not edits or not any(edits.values()):
        return plain, person, mask
    picture = codec.decode(data, "scn+fcn", edits, keep_details)
    edited = masks.person(picture)
    return picture, edited, np.maximum(mask, masks.head(edited))


def _check_numbers(numbers: Collection[Any], count: int) -> None:
    for number in numbers:
        if not 0 <= number < count:
            have = "no face" if not count else "face 0" if count == 1 else f"faces 0 to {count - 1}"
            raise HscError(f"There is no face {number}: the photograph has {have}.")


def _about_face(number: int, error: BitstreamError) -> str:
    words = str(error)
    return f"Face {number}: {words[:1].lower()}{words[1:]}"
