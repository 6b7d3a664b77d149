"""The ``.hsc`` file: a small header, the SCN layer, then the FCN layer if there is one.

    offset  bytes  field
    0       3      magic b"HSC"
    3       1      version, 1
    4       2      model id, little-endian
    6       1      level code c: level = 1 + c / 50, c = 0..250
    7       1-2    SCN length, LEB128 varint
    .       1-3    FCN length, LEB128 varint; 0 = no FCN
    .       2      CRC-16 of all the bytes above and the SCN layer
    .       2      CRC-16 of the FCN layer, seeded with the one above; only when there is an FCN
    .       .      SCN layer
    .       .      FCN layer

The whole header comes first, so a file cut after its SCN layer still decodes, as SCN only. The
second checksum continues the first: an FCN layer means nothing beside another picture's SCN.
"""

from __future__ import annotations

from binascii import crc_hqx
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hsc.bitstream.header import (
    CRC_BYTES,
    CRC_SEED,
    MAGIC,
    MAX_FCN_BYTES,
    MAX_LEVEL_CODE,
    MAX_SCN_BYTES,
    VERSION,
    Header,
    check_kind,
    level_code,
    level_of,
    read_header,
    snap_level,
    varint,
)
from hsc.config import SHIPPED
from hsc.errors import BitstreamError


@dataclass(frozen=True)
class Container:
    """What one ``.hsc`` file holds.

    ``level`` is snapped to the steps that the file can express, and an empty ``fcn`` to None, so
    that ``unpack(container.pack()) == container``.

    Raises:
        BitstreamError: a field does not fit the file.
    """

    model_id: int  # 0..65535
    level: float  # 1..6 in steps of 1/50
    scn: bytes
    fcn: bytes | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.model_id <= 0xFFFF:
            raise BitstreamError(f"A model id must be from 0 to 65535, not {self.model_id}.")
        for name, layer, most in (
            ("SCN", self.scn, MAX_SCN_BYTES),
            ("FCN", self.fcn or b"", MAX_FCN_BYTES),
        ):
            if len(layer) > most:
                raise BitstreamError(
                    f"An {name} layer holds at most {most} bytes, not {len(layer)}; "
                    "encode at a lower level."
                )
        object.__setattr__(self, "level", snap_level(self.level))
        object.__setattr__(self, "fcn", self.fcn or None)

    @property
    def header_bytes(self) -> int:
        """Bytes of the file that are neither SCN nor FCN."""
        return len(self._header())

    def pack(self) -> bytes:
        """The bytes of the file."""
        return self._header() + self.scn + (self.fcn or b"")

    def _header(self) -> bytes:
        fcn = self.fcn or b""
        fields = (
            MAGIC
            + bytes([VERSION])
            + self.model_id.to_bytes(2, "little")
            + bytes([level_code(self.level)])
            + varint(len(self.scn))
            + varint(len(fcn))
        )
        crc_scn = crc_hqx(fields + self.scn, CRC_SEED)
        header = fields + crc_scn.to_bytes(CRC_BYTES, "little")
        if fcn:
            header += crc_hqx(fcn, crc_scn).to_bytes(CRC_BYTES, "little")
        return header


def unpack(data: bytes, *, allow_cut: bool = False) -> Container:
    """Read a ``.hsc`` file.

    A file that ends exactly after its SCN layer comes back with ``fcn=None``.

    Args:
        data: the whole file.
        allow_cut: also accept a cut or damaged FCN layer, as ``fcn=None``.

    Raises:
        BitstreamError: the bytes are no readable ``.hsc`` file.
    """
    data = bytes(data)
    check_kind(data)
    header = read_header(data)
    scn_end = header.size + header.scn_bytes
    scn = data[header.size : scn_end]
    if len(scn) < header.scn_bytes:
        raise BitstreamError(
            f"The file ends inside its SCN layer, after {len(scn)} of {header.scn_bytes} bytes; "
            "get the whole file again."
        )
    if crc_hqx(data[: header.fields] + scn, CRC_SEED) != header.crc_scn:
        raise BitstreamError(
            "The file is damaged: the checksum of its header and SCN layer does not match; "
            "get the file again."
        )
    if header.level_code > MAX_LEVEL_CODE:
        raise BitstreamError(
            f"The file's level code must be at most {MAX_LEVEL_CODE}, not {header.level_code}; "
            "encode the picture again."
        )
    extra = len(data) - scn_end - header.fcn_bytes
    if extra > 0:
        raise BitstreamError(
            f"The file goes on for {extra} bytes after its last layer; get the file again."
        )
    fcn = _read_fcn(data[scn_end:], header, allow_cut)
    return Container(header.model_id, level_of(header.level_code), scn, fcn)


def with_layers(data: bytes, layers: str) -> bytes:
    """The file that carries these layers of another: it is shorter without FCN.

    FCN is coded relative to SCN, so no file carries it alone.

    Raises:
        BitstreamError: as ``unpack``; a damaged FCN layer matters only where it is asked for.
    """
    if "fcn" in layers:
        unpack(data)
        return bytes(data)
    return replace(unpack(data, allow_cut=True), fcn=None).pack()


def describe(
    data: bytes,
    model_names: Mapping[int, str] | None = None,
    image_px: int = SHIPPED.generator.image_px,
) -> dict[str, Any]:
    """The header fields and sizes of a ``.hsc`` file, ready for JSON.

    Args:
        data: the whole file.
        model_names: names of known model ids; others are shown in hexadecimal.
        image_px: side of the model's pictures, which a file does not name.

    Returns:
        ``version, model, level, width, height, layers, bytes {header, scn, fcn, total}, bpp``.

    Raises:
        BitstreamError: as ``unpack``.
    """
    container = unpack(data)
    scn, fcn = len(container.scn), len(container.fcn or b"")
    return {
        "version": VERSION,
        "model": (model_names or {}).get(container.model_id, f"{container.model_id:#06x}"),
        "level": container.level,
        "width": image_px,
        "height": image_px,
        "layers": ["scn", "fcn"] if fcn else ["scn"],
        # By difference: a file cut after SCN keeps the header that promised an FCN.
        "bytes": {"header": len(data) - scn - fcn, "scn": scn, "fcn": fcn, "total": len(data)},
        "bpp": 8 * len(data) / image_px**2,
    }


def _read_fcn(fcn: bytes, header: Header, allow_cut: bool) -> bytes | None:
    if not fcn:  # never written, or cut off as a whole
        return None
    if len(fcn) < header.fcn_bytes:
        if allow_cut:
            return None
        raise BitstreamError(
            f"Only {len(fcn)} of the {header.fcn_bytes} bytes of the FCN layer arrived; "
            'get the whole file again, or decode it with layers "scn".'
        )
    if crc_hqx(fcn, header.crc_scn) != header.crc_fcn:
        if allow_cut:
            return None
        raise BitstreamError(
            "The FCN layer is damaged: its checksum does not match; "
            'get the file again, or decode it with layers "scn".'
        )
    return fcn
