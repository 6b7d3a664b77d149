"""A still picture as AV1, without the boxes that make an AVIF file of it.

The boxes take 275 bytes, more than a tenth of a small background, and say nothing that the stream
does not say itself. They also could promise one size while the stream has another. So a
photograph's file holds the stream alone: the boxes are removed after coding and written again
before decoding, and the size is read from the one place that the AV1 decoder reads it from.

Sources: AV1 Bitstream & Decoding Process Specification, 5.3 to 5.5; AV1 Image File Format.
"""

from __future__ import annotations

import io

from PIL import Image

from hsc.errors import BitstreamError, HscError, PhotoError

SPEED = 6
SEQUENCE_HEADER, TEMPORAL_DELIMITER, FRAME = 1, 2, 6
"""Types of open bitstream units, the parts of a stream."""
COLOUR = bytes([0, 1, 0, 13, 0, 6, 0x80])
"""Primaries of BT.709, transfer of sRGB, matrix of BT.601, full range."""


def encode(picture: Image.Image, quality: int) -> bytes:
    """An RGB picture as an AV1 stream, 4:2:0; quality from 0 to 100."""
    plain = picture.copy()
    plain.info = {}  # a colour profile or EXIF would be written too
    file = io.BytesIO()
    plain.save(file, "AVIF", quality=quality, speed=SPEED, subsampling="4:2:0", codec="aom")
    return stream_of(file.getvalue())


def decode(stream: bytes, limit: tuple[int, int]) -> Image.Image:
    """The RGB picture of a stream.

    Args:
        limit: the largest width and height; checked before any pixel is decoded.

    Raises:
        BitstreamError: it is no still picture of that kind, is larger, or is damaged.
    """
    size = size_of(stream)
    if size[0] > limit[0] or size[1] > limit[1]:
        raise BitstreamError(
            f"The background has {size[0]} x {size[1]} pixels, more than the photograph's "
            f"{limit[0]} x {limit[1]}; get the file again."
        )
    try:
        with Image.open(io.BytesIO(boxed(stream)), formats=["AVIF"]) as opened:
            return opened.convert("RGB")
    except Exception as error:  # damaged streams make the decoder raise a dozen kinds
        raise BitstreamError(
            "The background is damaged: its picture cannot be decoded; get the file again."
        ) from error


def stream_of(avif: bytes) -> bytes:
    """The AV1 stream in an AVIF file that ``encode`` made. Raises HscError for another kind."""
    at = 0
    while at + 8 <= len(avif):
        length, kind = int.from_bytes(avif[at : at + 4], "big"), avif[at + 4 : at + 8]
        if kind == b"mdat":
            stream = avif[at + 8 : at + length]
            size_of(stream)
            return stream
        at += max(length, 8)
    raise HscError("Expected an AVIF file with one still picture from this build of Pillow.")


def size_of(stream: bytes) -> tuple[int, int]:
    """Width and height of a stream: one reduced still picture of one frame, nothing else.

    Such a stream has one sequence header, and its frame cannot be larger than that says.

    Raises:
        BitstreamError: the stream is of another kind.
    """
    at, size = 0, None
    frames = 0
    while at < len(stream):
        head = stream[at]
        kind = head >> 3 & 15
        length, at = _leb128(stream, at + 1)
        if head & 0x87 != 2 or at + length > len(stream) or (size and kind != FRAME):
            raise _foreign()
        if kind == SEQUENCE_HEADER:
            size = _sequence_size(stream[at : at + length])
        elif kind == FRAME and size:
            frames += 1
        elif kind != TEMPORAL_DELIMITER:
            raise _foreign()
        at += length
    if size is None or frames != 1:
        raise _foreign()
    return size


def boxed(stream: bytes) -> bytes:
    """An AVIF file around a stream, which any program for pictures opens."""
    width, height = size_of(stream)
    ispe = _box(b"ispe", bytes(4) + width.to_bytes(4, "big") + height.to_bytes(4, "big"))
    pixi = _box(b"pixi", bytes(4) + bytes([3, 8, 8, 8]))
    # 4:2:0 with 8 bits; level 31 limits nothing, and decoders read the stream's own
    av1c = _box(b"av1C", bytes([0x81, 31, 0x0C, 0]))
    colr = _box(b"colr", b"nclx" + COLOUR)
    ipma = _box(b"ipma", bytes(4) + (1).to_bytes(4, "big") + bytes([0, 1, 4, 1, 2, 0x83, 4]))
    infe = _box(b"infe", bytes([2, 0, 0, 0, 0, 1, 0, 0]) + b"av01Color\0")
    before = _box(b"hdlr", bytes(8) + b"pict" + bytes(13)) + _box(b"pitm", bytes(4) + bytes([0, 1]))
    after = _box(b"iinf", bytes(4) + bytes([0, 1]) + infe) + _box(
        b"iprp", _box(b"ipco", ispe + pixi + av1c + colr) + ipma
    )
    ftyp = _box(b"ftyp", b"avif" + bytes(4) + b"avifmif1miafMA1B")
    iloc_bytes = 30
    start = len(ftyp) + 12 + len(before) + iloc_bytes + len(after) + 8
    iloc = _box(
        b"iloc",
        bytes(4) + bytes([0x44, 0, 0, 1, 0, 1, 0, 0, 0, 1])
        + start.to_bytes(4, "big") + len(stream).to_bytes(4, "big"),
    )  # fmt: skip
    meta = _box(b"meta", bytes(4) + before + iloc + after)
    return ftyp + meta + _box(b"mdat", stream)


def check_available() -> None:
    """Raise PhotoError where Pillow has no AVIF."""
    from PIL import features

    if not features.check("avif"):
        raise PhotoError(
            "Photographs need AVIF, which this build of Pillow does not have: use another build."
        )


def _box(kind: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + kind + content


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in (0, 7, 14, 21):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise _foreign()


def _sequence_size(header: bytes) -> tuple[int, int]:
    """Width and height of a sequence header of profile 0 (4:2:0, 8 or 10 bits)."""
    bits = int.from_bytes(header[:8].ljust(8, b"\0"), "big")

    def field(start: int, count: int) -> int:
        return bits >> (64 - start - count) & ((1 << count) - 1)

    profile, still, reduced = field(0, 3), field(3, 1), field(4, 1)
    if profile or not still or not reduced:
        raise _foreign()
    width_bits, height_bits = field(10, 4) + 1, field(14, 4) + 1
    width = field(18, width_bits) + 1
    return width, field(18 + width_bits, height_bits) + 1


def _foreign() -> BitstreamError:
    return BitstreamError(
        "The background is not one still picture as AV1 of 4:2:0; get the file again."
    )
