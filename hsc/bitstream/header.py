"""Reading and writing the header of a ``.hsc`` file; its layout is in ``container``."""

from __future__ import annotations

from dataclasses import dataclass

from hsc.errors import BitstreamError
from hsc.levels import MAX_LEVEL, MIN_LEVEL

MAGIC = b"HSC"
VERSION = 1
STEPS_PER_LEVEL = 50
MAX_LEVEL_CODE = (MAX_LEVEL - MIN_LEVEL) * STEPS_PER_LEVEL
# A two-byte and a three-byte varint: the header then never exceeds 16 bytes.
MAX_SCN_BYTES = 2**14 - 1
MAX_FCN_BYTES = 2**16 - 1

CRC_BYTES = 2
CRC_SEED = 0xFFFF  # not 0, for which a run of zero bytes has the checksum 0
_FOREIGN = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"RIFF", "a WebP picture"),
)


@dataclass(frozen=True)
class Header:
    """The fields of a file's header, unchecked."""

    model_id: int
    level_code: int
    scn_bytes: int
    fcn_bytes: int  # as promised; 0 = none
    fields: int  # bytes that the first checksum covers
    crc_scn: int
    crc_fcn: int | None
    size: int  # bytes of the whole header


def snap_level(level: float) -> float:
    """The level that a file can say: ``level`` rounded to 1/50.

    Raises:
        BitstreamError: ``level`` is not a number from 1 to 6.
    """
    return level_of(level_code(level))


def level_code(level: float) -> int:
    """The number that says a level. Raises BitstreamError as ``snap_level``."""
    if not MIN_LEVEL <= level <= MAX_LEVEL:  # false for NaN too
        raise BitstreamError(
            f"A level must be a number from {MIN_LEVEL} to {MAX_LEVEL}, not {level}."
        )
    return round((level - MIN_LEVEL) * STEPS_PER_LEVEL)


def level_of(code: int) -> float:
    """The level that a level code says."""
    # Two decimals hold 1/50 exactly as written; the plain sum prints 1.1400000000000001.
    return round(MIN_LEVEL + code / STEPS_PER_LEVEL, 2)


def check_kind(data: bytes) -> None:
    """Raise BitstreamError where bytes do not begin as a file of this version does."""
    if not data:
        raise BitstreamError("The file is empty; expected a .hsc file.")
    if not data.startswith(MAGIC) and not MAGIC.startswith(data):
        for magic, kind in _FOREIGN:
            if data.startswith(magic) and (magic != b"RIFF" or data[8:12] == b"WEBP"):
                raise BitstreamError(f"This is {kind}, not a .hsc file; encode it first.")
        raise BitstreamError("This is not a .hsc file: it does not begin with the letters HSC.")
    if data[3:4] == b"P":
        raise BitstreamError(
            "This is a .hscp file of a whole photograph, not a .hsc file: open it with `hsc photo`."
        )
    if data[3:4] == b"V":
        raise BitstreamError(
            "This is a .hsv sequence, not a .hsc file: give `hsc decode` a name that ends in .hsv."
        )
    if len(data) > len(MAGIC) and data[3] != VERSION:
        raise BitstreamError(
            f"This is a .hsc file of version {data[3]}, and only version {VERSION} can be read; "
            "use the program that wrote it."
        )


def check_format(data: bytes, magic: bytes, version: int, suffix: str, wrong: str) -> None:
    """As :func:`check_kind`, for a format that holds several faces.

    Args:
        magic: the four bytes that its files begin with, followed by the version.
        suffix: of its files, with the dot.
        wrong: what is said of a file of the other formats.
    """
    if not data:
        raise BitstreamError(f"The file is empty; expected a {suffix} file.")
    if not data.startswith(magic) and not magic.startswith(data):
        if data.startswith(MAGIC):
            raise BitstreamError(wrong)
        raise BitstreamError(
            f"This is not a {suffix} file: it does not begin with the letters {magic.decode()}."
        )
    at = len(magic)
    if len(data) > at and data[at] != version:
        raise BitstreamError(
            f"This is a {suffix} file of version {data[at]}, and only version {version} can be "
            "read; use the program that wrote it."
        )


def check_model(written: int, loaded: int) -> None:
    """Raise BitstreamError where a file was made with another model than the one that is loaded."""
    if written != loaded:
        raise BitstreamError(
            f"this file was made with model {written:04x}, but model {loaded:04x} is loaded: "
            "decode it with the version that wrote it."
        )


def read_header(data: bytes) -> Header:
    """Read a header without looking at the layers; ``unpack`` checks both.

    Raises:
        BitstreamError: it is cut, or gives impossible lengths.
    """
    at = 7
    if len(data) < at:
        raise ends_inside_header(data)
    scn_bytes, at = _read_varint(data, at, MAX_SCN_BYTES, "SCN")
    fcn_bytes, at = _read_varint(data, at, MAX_FCN_BYTES, "FCN")
    size = at + CRC_BYTES * (2 if fcn_bytes else 1)
    if len(data) < size:
        raise ends_inside_header(data)
    crcs = [
        int.from_bytes(data[start : start + CRC_BYTES], "little")
        for start in range(at, size, CRC_BYTES)
    ]
    return Header(
        model_id=int.from_bytes(data[4:6], "little"),
        level_code=data[6],
        scn_bytes=scn_bytes,
        fcn_bytes=fcn_bytes,
        fields=at,
        crc_scn=crcs[0],
        crc_fcn=crcs[1] if fcn_bytes else None,
        size=size,
    )


def varint(value: int) -> bytes:
    """LEB128: seven bits a byte, the lowest first; all but the last have their high bit set."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_varint(data: bytes, at: int, most: int, layer: str) -> tuple[int, int]:
    """The value at ``at`` and the offset after it; only its shortest form is accepted."""
    value = 0
    for shift in (0, 7, 14):
        if at == len(data):
            raise ends_inside_header(data)
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            shortest = byte > 0 or shift == 0
            if value > most or not shortest:
                break
            return value, at
    raise BitstreamError(
        f"The file is damaged: its header gives no possible {layer} length (0 to {most} bytes); "
        "get the file again."
    )


def ends_inside_header(data: bytes) -> BitstreamError:
    """What is said of bytes that are fewer than their header."""
    return BitstreamError(
        f"The file ends inside its header, after {len(data)} bytes; get the whole file again."
    )
