"""The ``.hscp`` file: a header, the background, then the faces by size, each a ``.hsc`` file.

    offset  bytes  field
    0       4      magic b"HSCP"
    4       1      version, 1
    5       2      width of the photograph, 16..4096
    7       2      height
    9       1      number of faces, 0..64
    10      17 n   of each face: placement (8), tone (6), length of its .hsc file (3)
    .       3      length of the background
    .       2      CRC-16 of all the bytes above
    .       2      CRC-16 of the background, seeded with the one above
    .       .      background: one still picture as AV1
    .       .      the faces' .hsc files, the largest face first

Integers are little-endian. The whole header comes first, so a file that was cut says what it lacks:
after the background it shows the photograph without faces, inside a face its semantics, once those
have arrived. Each ``.hsc`` file has checksums of its own.
"""

from __future__ import annotations

from binascii import crc_hqx
from dataclasses import dataclass
from typing import Any

from hsc.bitstream import container as face_file
from hsc.bitstream.header import (
    CRC_BYTES,
    CRC_SEED,
    MAX_FCN_BYTES,
    MAX_SCN_BYTES,
    check_format,
    ends_inside_header,
)
from hsc.errors import BitstreamError
from hsc.images.photo import MAX_SIDE, MIN_SIDE
from hsc.photograph import placement, tone
from hsc.photograph.placement import Placement
from hsc.photograph.tone import Tone

MAGIC = b"HSCP"
VERSION = 1
WRONG_FORMAT = "This is a .hsc file of one face, not a photograph: decode it with `hsc decode`."
MAX_FACES = 64
MAX_FACE_BYTES = 16 + MAX_SCN_BYTES + MAX_FCN_BYTES
MAX_BACKGROUND_BYTES = 2**24 - 1
MAX_COVER = 16
"""Times that the faces' squares may cover the photograph: drawing it stays a bounded task."""
_LENGTH = 3
_FACE = placement.BYTES + tone.BYTES + _LENGTH
_FIXED = 10


@dataclass(frozen=True)
class PlacedFace:
    """A face of a photograph.

    Attributes:
        placement: where it is.
        tone: its colours.
        data: its ``.hsc`` file: as much of it as arrived and can be decoded, which may be the SCN
            layer alone; empty where nothing did.
        promised: bytes that the header says.
    """

    placement: Placement
    tone: Tone
    data: bytes
    promised: int

    @property
    def whole(self) -> bool:
        """Whether all of its bytes are there."""
        return len(self.data) == self.promised


@dataclass(frozen=True)
class PhotographFile:
    """What one ``.hscp`` file holds.

    Attributes:
        width, height: of the photograph in pixels.
        background: AV1 stream of ``hsc.photograph.still``.
        faces: the largest first.

    Raises:
        BitstreamError: a field does not fit the file.
    """

    width: int
    height: int
    background: bytes
    faces: tuple[PlacedFace, ...] = ()

    def __post_init__(self) -> None:
        _check_size(self.width, self.height)
        if len(self.faces) > MAX_FACES:
            raise BitstreamError(
                f"A photograph holds at most {MAX_FACES} faces, not {len(self.faces)}."
            )
        area = self.width * self.height
        cover = sum(min(face.placement.square.side**2, area) for face in self.faces)
        if cover > MAX_COVER * area:
            raise BitstreamError(
                f"The squares of the faces cover the photograph {cover / area:.0f} times, more "
                f"than {MAX_COVER}; get the file again."
            )
        if len(self.background) > MAX_BACKGROUND_BYTES:
            raise BitstreamError(
                f"A background holds at most {MAX_BACKGROUND_BYTES} bytes, "
                f"not {len(self.background)}."
            )

    @property
    def header_bytes(self) -> int:
        """Bytes that are neither background nor ``.hsc`` files."""
        return _FIXED + _FACE * len(self.faces) + _LENGTH + 2 * CRC_BYTES

    @property
    def whole(self) -> bool:
        """Whether every face has all of its bytes."""
        return all(face.whole for face in self.faces)

    def pack(self) -> bytes:
        """The bytes of the file. Raises ValueError for a file of which a part is missing."""
        if not self.whole:
            raise ValueError("expected a photograph whose faces are all there")
        header = (
            MAGIC
            + bytes([VERSION])
            + self.width.to_bytes(2, "little")
            + self.height.to_bytes(2, "little")
            + bytes([len(self.faces)])
        )
        for face in self.faces:
            header += face.placement.pack() + face.tone.pack()
            header += len(face.data).to_bytes(_LENGTH, "little")
        header += len(self.background).to_bytes(_LENGTH, "little")
        crc = crc_hqx(header, CRC_SEED)
        header += crc.to_bytes(CRC_BYTES, "little")
        header += crc_hqx(self.background, crc).to_bytes(CRC_BYTES, "little")
        return header + self.background + b"".join(face.data for face in self.faces)


def is_photograph(data: bytes) -> bool:
    """Whether bytes begin as a ``.hscp`` file does."""
    return data[: len(MAGIC)] == MAGIC


def unpack(data: bytes, *, allow_cut: bool = False) -> PhotographFile:
    """Read a ``.hscp`` file.

    A file that ends exactly after the background, after a face or after a face's SCN layer is
    valid; the faces that it lacks have no data.

    Args:
        data: the whole file.
        allow_cut: also accept a file that ends inside of a face, and damaged faces: their SCN
            layer is taken where that is whole, else nothing.

    Raises:
        BitstreamError: the bytes are no readable ``.hscp`` file.
    """
    data = bytes(data)
    check_format(data, MAGIC, VERSION, ".hscp", WRONG_FORMAT)
    if len(data) < _FIXED:
        raise ends_inside_header(data)
    width, height = (int.from_bytes(data[at : at + 2], "little") for at in (5, 7))
    count = data[9]
    fields = _FIXED + _FACE * count + _LENGTH
    if len(data) < fields + 2 * CRC_BYTES:
        raise ends_inside_header(data)
    crc = int.from_bytes(data[fields : fields + CRC_BYTES], "little")
    if crc_hqx(data[:fields], CRC_SEED) != crc:
        raise BitstreamError(
            "The file is damaged: the checksum of its header does not match; get the file again."
        )
    _check_size(width, height)
    if count > MAX_FACES:
        raise BitstreamError(f"A photograph holds at most {MAX_FACES} faces, not {count}.")

    start = fields + 2 * CRC_BYTES
    length = int.from_bytes(data[fields - _LENGTH : fields], "little")
    background = data[start : start + length]
    if len(background) < length:
        raise BitstreamError(
            f"The file ends inside its background, after {len(background)} of {length} bytes; "
            "get the whole file again."
        )
    promised = int.from_bytes(data[start - CRC_BYTES : start], "little")
    if crc_hqx(background, crc) != promised:
        raise BitstreamError(
            "The file is damaged: the checksum of its background does not match; "
            "get the file again."
        )
    at = start + length
    faces = []
    for number in range(count):
        head = data[_FIXED + _FACE * number :][:_FACE]
        size = int.from_bytes(head[-_LENGTH:], "little")
        if not 0 < size <= MAX_FACE_BYTES:
            raise BitstreamError(
                f"The file is damaged: face {number} cannot have {size} bytes; get the file again."
            )
        arrived = _read_face(number, data[at : at + size], size, allow_cut)
        faces.append(
            PlacedFace(Placement.unpack(head), Tone.unpack(head[placement.BYTES :]), arrived, size)
        )
        at += size
    if len(data) > at:
        raise BitstreamError(
            f"The file goes on for {len(data) - at} bytes after its last face; get the file again."
        )
    return PhotographFile(width, height, background, tuple(faces))


def describe(data: bytes) -> dict[str, Any]:
    """The header fields and the sizes of the parts of a ``.hscp`` file, ready for JSON.

    Returns:
        ``version, width, height, bytes {header, background, faces, total}`` and ``faces``, each
        ``{x, y, side, degrees, level, scn, fcn, bytes}``; a face that did not arrive has no level.

    Raises:
        BitstreamError: as ``unpack``.
    """
    photograph = unpack(data)
    faces = []
    for face in photograph.faces:
        square = face.placement.square
        row: dict[str, Any] = {
            "x": square.x,
            "y": square.y,
            "side": square.side,
            "degrees": round(square.angle * 180 / 3.141592653589793, 1),
            "bytes": len(face.data),
        }
        if face.data:
            parts = face_file.unpack(face.data)
            row |= {"level": parts.level, "scn": len(parts.scn), "fcn": len(parts.fcn or b"")}
        faces.append(row)
    of_faces = sum(len(face.data) for face in photograph.faces)
    return {
        "version": VERSION,
        "width": photograph.width,
        "height": photograph.height,
        "bytes": {
            "header": photograph.header_bytes,
            "background": len(photograph.background),
            "faces": of_faces,
            "total": len(data),
        },
        "faces": faces,
    }


def _read_face(number: int, arrived: bytes, promised: int, allow_cut: bool) -> bytes:
    """What of a face's file can be decoded; empty for nothing."""
    if not arrived:
        return b""
    try:
        face_file.unpack(arrived)
        return arrived
    except BitstreamError as error:
        if not allow_cut:
            # one sentence, that of the .hsc file about its own kind of damage
            if len(arrived) < promised:
                said = f"only {len(arrived)} of its {promised} bytes arrived"
            else:
                said = "its .hsc file is damaged"
            raise BitstreamError(
                f"Face {number} cannot be read: {said}; get the file again, or decode what is "
                "there (allow_cut=True, or --allow-cut)."
            ) from error
    try:
        return face_file.with_layers(arrived, "scn")
    except BitstreamError:
        return b""


def _check_size(width: int, height: int) -> None:
    if not (MIN_SIDE <= width <= MAX_SIDE and MIN_SIDE <= height <= MAX_SIDE):
        raise BitstreamError(
            f"A photograph must have sides from {MIN_SIDE} to {MAX_SIDE} pixels, "
            f"not {width} x {height}."
        )
