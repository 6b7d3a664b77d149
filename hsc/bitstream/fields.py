"""The fields of a ``.hsc`` file: bytes, value and meaning of each."""

from __future__ import annotations

from dataclasses import dataclass

from hsc.bitstream.container import unpack
from hsc.bitstream.header import CRC_BYTES, level_of, read_header


@dataclass(frozen=True)
class Field:
    """A run of bytes of a file.

    Attributes:
        key: short and unique, for programs.
        part: ``header``, ``scn`` or ``fcn``.
        start, stop: offsets in the file.
        data: the bytes.
        name: what they are called.
        value: what they say, in words.
        meaning: what that is for, one sentence.
    """

    key: str
    part: str
    start: int
    stop: int
    data: bytes
    name: str
    value: str
    meaning: str


def fields(data: bytes) -> tuple[Field, ...]:
    """Every byte of a file, in order and without gaps.

    Raises:
        BitstreamError: the bytes are no readable file.
    """
    data = bytes(data)
    container = unpack(data)
    header = read_header(data)
    promised = header.fcn_bytes
    lengths_end = header.size - CRC_BYTES * (2 if promised else 1)
    fcn_length_start = lengths_end - _varint_bytes(promised)
    rows = [
        ("magic", 3, "Magic", '"HSC"', "Tells a .hsc file from any other."),
        ("version", 1, "Version", str(data[3]), "Which layout the bytes after it follow."),
        (
            "model", 2, "Model", f"{header.model_id:04x}",
            "The decoder's weights: with any others, these bits would draw somebody else.",
        ),
        (
            "level", 1, "Level", f"{level_of(header.level_code):g}",
            "How finely both layers were rounded: 1 plus the byte over 50.",
        ),
        (
            "scn_length", fcn_length_start - 7, "Length of SCN", _bytes(header.scn_bytes),
            "Seven bits a byte; the eighth says that another follows.",
        ),
        (
            "fcn_length", lengths_end - fcn_length_start, "Length of FCN", _bytes(promised),
            "The same; 0 in a file that ends after SCN.",
        ),
        (
            "crc_scn", CRC_BYTES, "Checksum of SCN", f"{header.crc_scn:04x}, matches",
            "CRC-16 of everything before it and of SCN.",
        ),
    ]  # fmt: skip
    if header.crc_fcn is not None:
        rows.append((
            "crc_fcn", CRC_BYTES, "Checksum of FCN",
            f"{header.crc_fcn:04x}, " + ("matches" if container.fcn else "FCN was cut off"),
            "CRC-16 of FCN, begun with the one before: FCN fits this SCN and no other.",
        ))  # fmt: skip
    rows.append((
        "scn", header.scn_bytes, "SCN layer", _bytes(header.scn_bytes),
        "Core semantics: the generator's 23 style vectors, entropy coded.",
    ))  # fmt: skip
    if container.fcn:
        rows.append((
            "fcn", len(container.fcn), "FCN layer", _bytes(len(container.fcn)),
            "Features: what SCN does not explain of a 32 x 32 map of the face, entropy coded.",
        ))  # fmt: skip
    found, start = [], 0
    for key, size, name, value, meaning in rows:
        part = key if key in ("scn", "fcn") else "header"
        stop = start + size
        found.append(Field(key, part, start, stop, data[start:stop], name, value, meaning))
        start = stop
    return tuple(found)


def _varint_bytes(value: int) -> int:
    return max(1, -(-value.bit_length() // 7))


def _bytes(count: int) -> str:
    return f"{count:,} byte" + ("" if count == 1 else "s")
