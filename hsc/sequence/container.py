"""The ``.hsv`` file: a header, then one record a frame, each with a checksum of its own.

    offset  bytes  field
    0       4      magic b"HSCV"
    4       1      version, 3
    5       2      model id, as in a .hsc file
    7       1      level code c: level = 1 + c / 50, c = 0..250
    8       2      coded frames a second, in hundredths, 10..6000
    10      1      shown frames a coded one, 1..30
    11      2      width of the clip that the face was cut from, 16..4096
    13      2      height
    15      2      number of coded frames, 1..65535
    17      2      CRC-16 of all the bytes above
    19      .      records

    record of a key frame, and of sound:
    0       1      kind: 0xF0 key frame, 0xF2 sound
    1       2      number of the frame, from 0; 0 for sound
    3       1-3    length of the payload, LEB128 varint
    .       2      CRC-16 of the record's bytes above and of the payload, seeded with the header's
    .       .      payload: of a frame its place, 8 bytes as in a .hscp file, then the length of the
                   SCN layer, LEB128 varint, the SCN layer, and the FCN layer to the end

    record of a predicted frame:
    0       1      bits of each change of its place, 0..18
    1       1-3    length of the payload, LEB128 varint
    .       2      CRC-16 as above, seeded with the header's and then of the frame's number, two
                   bytes: which frame it is only its place in the file says
    .       .      payload: the changes of x, y, side and angle, zigzag (0, -1, 1, -2 as 0, 1, 2,
                   3), each in as many bits, the first one lowest; then the layer of changes of S
                   and F

Integers are little-endian. A reader that meets a damaged record looks for the next key frame whose
checksum matches; what lies between is lost, and nothing else.
"""

from __future__ import annotations

from binascii import crc_hqx
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hsc.bitstream.header import (
    CRC_BYTES,
    CRC_SEED,
    MAX_FCN_BYTES,
    MAX_SCN_BYTES,
    check_format,
    ends_inside_header,
    level_code,
    level_of,
    snap_level,
    varint,
)
from hsc.errors import BitstreamError
from hsc.images.photo import MAX_SIDE, MIN_SIDE
from hsc.photograph import placement
from hsc.photograph.placement import TURN, Placement

MAGIC = b"HSCV"
VERSION = 3
WRONG_FORMAT = "This is a file of one picture, not a .hsv sequence: open it with `hsc info`."
KEY, SOUND = 0xF0, 0xF2
MAX_BITS = 18
"""Of a change of a place."""
MAX_FRAMES = 2**16 - 1
MIN_RATE, MAX_RATE = 0.1, 60.0
MAX_SHOWN = 30
MAX_PAYLOAD = 2**21 - 1
RATE_STEPS = 100
"""Parts of a frame a second in which the rate of coded frames is counted."""
HEADER_BYTES = 19
_SCANNED = 64
"""Times its own length that a damaged file is summed while the next key frame is looked for."""


@dataclass(frozen=True)
class Header:
    """What is the same for all frames of a sequence.

    Attributes:
        model_id: of the weights, 0 to 65535.
        level: 1 to 6 in steps of 1/50.
        coded_fps: coded frames a second, in steps of 1/100.
        shown: frames that are shown for each coded one.
        width, height: of the clip in pixels.
        frames: how many are coded.

    Raises:
        BitstreamError: a field does not fit the file.
    """

    model_id: int
    level: float
    coded_fps: float
    shown: int
    width: int
    height: int
    frames: int

    def __post_init__(self) -> None:
        _check("model id", self.model_id, 0, 0xFFFF)
        object.__setattr__(self, "level", snap_level(self.level))
        _check("number of coded frames a second", self.coded_fps, MIN_RATE, MAX_RATE)
        rate = round(self.coded_fps * RATE_STEPS) / RATE_STEPS
        object.__setattr__(self, "coded_fps", rate)
        _check("number of shown frames a coded one", self.shown, 1, MAX_SHOWN)
        _check("width of a clip", self.width, MIN_SIDE, MAX_SIDE)
        _check("height of a clip", self.height, MIN_SIDE, MAX_SIDE)
        _check("number of frames", self.frames, 1, MAX_FRAMES)

    @property
    def shown_fps(self) -> float:
        """Frames a second that are shown."""
        return self.coded_fps * self.shown

    @property
    def seconds(self) -> float:
        """How long the sequence is."""
        return self.frames / self.coded_fps

    def pack(self) -> bytes:
        """Its bytes."""
        fields = (
            MAGIC
            + bytes([VERSION])
            + self.model_id.to_bytes(2, "little")
            + bytes([level_code(self.level)])
            + round(self.coded_fps * RATE_STEPS).to_bytes(2, "little")
            + bytes([self.shown])
            + self.width.to_bytes(2, "little")
            + self.height.to_bytes(2, "little")
            + self.frames.to_bytes(2, "little")
        )
        return fields + crc_hqx(fields, CRC_SEED).to_bytes(CRC_BYTES, "little")

    @property
    def crc(self) -> int:
        """Its checksum, with which those of the records begin."""
        return int.from_bytes(self.pack()[-CRC_BYTES:], "little")

    @classmethod
    def unpack(cls, data: bytes) -> Header:
        """From the beginning of a file.

        Raises:
            BitstreamError: the bytes are no readable header.
        """
        check_format(data, MAGIC, VERSION, ".hsv", WRONG_FORMAT)
        if len(data) < HEADER_BYTES:
            raise ends_inside_header(data)
        end = HEADER_BYTES - CRC_BYTES
        if crc_hqx(data[:end], CRC_SEED) != int.from_bytes(data[end:HEADER_BYTES], "little"):
            raise BitstreamError(
                "The file is damaged: the checksum of its header does not match; "
                "get the file again."
            )
        words = [int.from_bytes(data[at : at + 2], "little") for at in (5, 8, 11, 13, 15)]
        model, rate, width, height, frames = words
        level, shown = level_of(data[7]), data[10]
        return cls(model, level, rate / RATE_STEPS, shown, width, height, frames)


@dataclass(frozen=True)
class Frame:
    """One coded frame.

    Attributes:
        number: from 0, in the order of time.
        place: of the crop in the clip's picture.
        layers: SCN's and FCN's of a key frame, those of a ``.hsc`` file; of a predicted frame the
            one of changes, see :mod:`hsc.sequence.temporal`.
    """

    number: int
    place: Placement
    layers: tuple[bytes, ...]

    def __post_init__(self) -> None:
        _check("number of a frame", self.number, 0, MAX_FRAMES - 1)
        most = (MAX_SCN_BYTES, MAX_FCN_BYTES) if self.key else (MAX_FCN_BYTES,)
        for layer, limit in zip(self.layers, most, strict=True):
            if len(layer) > limit:
                raise BitstreamError(
                    f"A layer of a frame holds at most {limit} bytes, not {len(layer)}; "
                    "encode at a lower level."
                )

    @property
    def key(self) -> bool:
        """Whether it is a still that needs no other frame."""
        return len(self.layers) == 2

    def pack(self, header: Header, before: Placement | None) -> bytes:
        """Its record.

        Args:
            before: place of the frame before, None in front of the first one.
        """
        return self._record(header.crc, before)

    def _record(self, crc: int, before: Placement | None) -> bytes:
        if self.key:
            scn, fcn = self.layers
            payload = self.place.pack() + varint(len(scn)) + scn + fcn
            return _record(_numbered(KEY, self.number), payload, crc)
        width, changes = _changes(before, self.place)
        return _record(bytes([width]), changes + self.layers[0], _crc_at(crc, self.number))

    def size(self, before: Placement | None) -> int:
        """Bytes of its record, whatever the header is."""
        return len(self._record(0, before))


@dataclass(frozen=True)
class SequenceFile:
    """What arrived of a ``.hsv`` file.

    Attributes:
        header: its header.
        frames: those that can be read, in order; between two of them some may be missing. A
            predicted frame is there only where the frame before it is.
        sizes: bytes of each one's record.
        sound: Opus in an Ogg file, empty for none.
        sound_bytes: of the sound's record.
    """

    header: Header
    frames: tuple[Frame, ...]
    sizes: tuple[int, ...]
    sound: bytes = b""
    sound_bytes: int = 0

    @property
    def lost(self) -> int:
        """Frames that did not arrive."""
        return self.header.frames - len(self.frames)


def pack(header: Header, frames: Iterator[Frame] | tuple[Frame, ...], sound: bytes = b"") -> bytes:
    """The bytes of a file.

    Raises:
        BitstreamError: there are not as many frames as the header says, the first one is no key
            frame, or the sound is too long.
    """
    parts, before = [header.pack()], None
    for number, frame in enumerate(frames):
        if frame.number != number or (number == 0 and not frame.key):
            raise BitstreamError(
                f"Expected frames in order from a key frame on, got number {frame.number} "
                f"at {number}."
            )
        parts.append(frame.pack(header, before))
        before = frame.place
    if len(parts) - 1 != header.frames:
        raise BitstreamError(
            f"Expected {header.frames} frames as the header says, got {len(parts) - 1}."
        )
    if sound:
        parts.append(_record(_numbered(SOUND, 0), sound, header.crc))
    return b"".join(parts)


def is_sequence(data: bytes) -> bool:
    """Whether bytes begin as a ``.hsv`` file does."""
    return data[: len(MAGIC)] == MAGIC


def unpack(data: bytes) -> SequenceFile:
    """Read what arrived of a ``.hsv`` file; damage costs the frames up to the next key frame.

    Raises:
        BitstreamError: the header cannot be read, or no key frame arrived.
    """
    data = bytes(data)
    header = Header.unpack(data)
    frames: list[Frame] = []
    sizes: list[int] = []
    sound, sound_bytes = b"", 0
    at, budget, searching = HEADER_BYTES, _SCANNED * len(data), True
    while at < len(data) and budget > 0:
        kind, expected = data[at], frames[-1].number + 1 if frames else 0
        record = None
        if kind == KEY or not searching:
            record, summed = _record_at(data, at, header.crc, expected)
            budget -= summed
        if record is None:
            searching = True
            at += 1
            continue
        at += record.size
        if kind == SOUND:
            sound, sound_bytes = record.payload, record.size
            continue
        before = None if searching or not frames else frames[-1].place
        try:
            frame = _frame(record, before)
        except BitstreamError:
            searching = True
            continue
        if not expected <= frame.number < header.frames:
            searching = searching or not frame.key
            continue
        frames.append(frame)
        sizes.append(record.size)
        searching = False
    if not frames:
        raise BitstreamError(
            "No frame of the sequence can be read: the file is cut or damaged; get the file again."
        )
    return SequenceFile(header, tuple(frames), tuple(sizes), sound, sound_bytes)


def read_record(data: bytes, header: Header, before: Frame | None) -> Frame:
    """The frame of one record, as it comes over a line.

    Args:
        header: of the sequence.
        before: the frame before, None for the first one.

    Raises:
        BitstreamError: the record is damaged or has more bytes than it says, or it is one of a
            predicted frame that does not follow the one before.
    """
    expected = before.number + 1 if before else 0
    record = _record_at(data, 0, header.crc, expected)[0] if data else None
    if record is None or record.size != len(data) or record.kind == SOUND:
        raise BitstreamError(
            "The record of a frame is damaged, or is not the one that follows: wait for a key "
            "frame."
        )
    return _frame(record, before.place if before else None)


def describe(data: bytes) -> dict[str, Any]:
    """The header fields and the sizes of the parts of a ``.hsv`` file, ready for JSON.

    Returns:
        ``version, model, level, coded_fps, shown_fps, seconds, width, height``, ``frames {coded,
        key, lost}``, ``bytes {header, track, scn, fcn, changes, sound, total}``, of which ``scn``
        and ``fcn`` are those of key frames, and ``kbit_per_second``, which counts every byte but
        those of the sound.

    Raises:
        BitstreamError: as ``unpack``.
    """
    file = unpack(data)
    header = file.header
    scn, fcn = (sum(len(f.layers[n]) for f in file.frames if f.key) for n in (0, 1))
    changes = sum(len(f.layers[0]) for f in file.frames if not f.key)
    of_frames = sum(file.sizes)
    picture = HEADER_BYTES + of_frames
    return {
        "version": VERSION,
        "model": f"{header.model_id:04x}",
        "level": header.level,
        "coded_fps": header.coded_fps,
        "shown_fps": round(header.shown_fps, 2),
        "seconds": round(header.seconds, 2),
        "width": header.width,
        "height": header.height,
        "frames": {
            "coded": header.frames,
            "key": sum(frame.key for frame in file.frames),
            "lost": file.lost,
        },
        "bytes": {
            "header": HEADER_BYTES,
            "track": of_frames - scn - fcn - changes,
            "scn": scn,
            "fcn": fcn,
            "changes": changes,
            "sound": file.sound_bytes,
            "total": len(data),
        },
        "kbit_per_second": round(8 * picture / header.seconds / 1000, 2),
    }


@dataclass(frozen=True)
class _Record:
    """What stands in a file: its first byte, the number of the frame, the payload, all bytes."""

    kind: int
    number: int
    payload: bytes
    size: int


def _numbered(kind: int, number: int) -> bytes:
    return bytes([kind]) + number.to_bytes(2, "little")


def _crc_at(crc: int, number: int) -> int:
    """The seed of a predicted frame's checksum."""
    return crc_hqx(number.to_bytes(2, "little"), crc)


def _record(head: bytes, payload: bytes, crc: int) -> bytes:
    if len(payload) > MAX_PAYLOAD:
        raise BitstreamError(
            f"A record holds at most {MAX_PAYLOAD} bytes, not {len(payload)}; take a shorter clip."
        )
    head += varint(len(payload))
    return head + crc_hqx(payload, crc_hqx(head, crc)).to_bytes(CRC_BYTES, "little") + payload


def _record_at(data: bytes, at: int, crc: int, expected: int) -> tuple[_Record | None, int]:
    """The record at an offset, if a whole one is there, and the bytes that were summed.

    Args:
        expected: the number that a predicted frame has here.
    """
    kind, after, number = data[at], at + 1, expected
    if kind in (KEY, SOUND):
        after = at + 3
        number = int.from_bytes(data[at + 1 : after], "little")
    elif kind > MAX_BITS or expected >= MAX_FRAMES:
        return None, 1
    else:
        crc = _crc_at(crc, expected)
    try:
        length, start = read_varint(data, after, MAX_PAYLOAD)
    except BitstreamError:
        return None, 1
    stop = start + CRC_BYTES + length
    if stop > len(data):
        return None, 1
    payload = data[start + CRC_BYTES : stop]
    promised = int.from_bytes(data[start : start + CRC_BYTES], "little")
    if crc_hqx(payload, crc_hqx(data[at:start], crc)) != promised:
        return None, length + 1
    return _Record(kind, number, payload, stop - at), length + 1


def _frame(record: _Record, before: Placement | None) -> Frame:
    payload = record.payload
    if record.kind == KEY:
        if len(payload) < placement.BYTES:
            raise _impossible()
        place = Placement.unpack(payload)
        length, at = read_varint(payload, placement.BYTES, MAX_SCN_BYTES)
        if at + length > len(payload) or len(payload) - at - length > MAX_FCN_BYTES:
            raise _impossible()
        return Frame(record.number, place, (payload[at : at + length], payload[at + length :]))
    width = record.kind
    at = (4 * width + 7) // 8
    if before is None or len(payload) < at or len(payload) - at > MAX_FCN_BYTES:
        raise _impossible()
    packed = int.from_bytes(payload[:at], "little")
    changes = []
    for number in range(4):
        value = packed >> number * width & (1 << width) - 1
        changes.append(-(value >> 1) - 1 if value & 1 else value >> 1)
    return Frame(record.number, _moved(before, changes), (payload[at:],))


def _changes(before: Placement | None, after: Placement) -> tuple[int, bytes]:
    """Bits of each of four changes, and all of them."""
    if before is None:
        raise BitstreamError("Expected a frame before a predicted one, got none.")
    turn = (after.angle - before.angle + TURN // 2) % TURN - TURN // 2
    moves = after.x - before.x, after.y - before.y, after.side - before.side, turn
    values = [2 * move if move >= 0 else -2 * move - 1 for move in moves]
    width = max(value.bit_length() for value in values)
    packed = sum(value << number * width for number, value in enumerate(values))
    return width, packed.to_bytes((4 * width + 7) // 8, "little")


def _moved(before: Placement, changes: list[int]) -> Placement:
    x, y, side = (
        value + change
        for value, change in zip((before.x, before.y, before.side), changes, strict=False)
    )
    inside = min(x, y) >= -(2**15) and max(x, y) < 2**15
    if not (inside and placement.MIN_SIDE * placement.STEPS <= side < 2**16):
        raise _impossible()
    return Placement(x, y, side, (before.angle + changes[3]) % TURN)


def read_varint(data: bytes, at: int, most: int) -> tuple[int, int]:
    """The value at ``at`` and the offset after it; only its shortest form is accepted.

    Raises:
        BitstreamError: there is no such value.
    """
    value = 0
    for shift in (0, 7, 14):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value > most or not (byte > 0 or shift == 0):
                break
            return value, at
    raise _impossible()


def _impossible() -> BitstreamError:
    return BitstreamError(
        "The file is damaged: a frame has impossible lengths; get the file again."
    )


def _check(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise BitstreamError(f"A {name} must be from {low:g} to {high:g}, not {value:g}.")
