"""The ``.hsc`` file: sizes, cuts, damage, and what is said about each."""

import re

import pytest

from hsc.bitstream import Container, describe, snap_level, unpack
from hsc.bitstream.header import MAX_FCN_BYTES, MAX_SCN_BYTES
from hsc.errors import BitstreamError

SCN = bytes(range(200))
FCN = bytes(reversed(range(256))) * 3


def whole() -> Container:
    return Container(model_id=0x0102, level=2.5, scn=SCN, fcn=FCN)


def refusal(data: bytes, **options) -> str:
    """The message that ``data`` is refused with, which must be one plain sentence."""
    with pytest.raises(BitstreamError) as caught:
        unpack(data, **options)
    message = str(caught.value)
    assert re.fullmatch(r"[A-Z][^\n]{10,160}\.", message), message
    return message


@pytest.mark.parametrize("scn", [b"", b"s", SCN, bytes(MAX_SCN_BYTES)])
@pytest.mark.parametrize("fcn", [None, b"f", FCN, bytes(MAX_FCN_BYTES)])
def test_what_is_packed_is_unpacked(scn, fcn):
    container = Container(0xFFFF, 6, scn, fcn)
    data = container.pack()
    assert unpack(data) == container
    assert container.header_bytes == len(data) - len(scn) - len(fcn or b"") <= 16


def test_header_sizes():
    assert Container(1, 3, bytes(127)).header_bytes == 11
    assert Container(1, 3, bytes(300)).header_bytes == 12
    assert Container(1, 3, bytes(300), bytes(2000)).header_bytes == 15


def test_format_does_not_change():
    data = Container(0x0102, 2.5, b"semantics", b"features").pack()
    header = "485343 01 0201 4b 09 08 0dd9 633e"
    assert data == bytes.fromhex(header) + b"semantics" + b"features"


def test_every_level_code_survives():
    for code in range(251):
        level = snap_level(1 + code / 50)
        assert level == pytest.approx(1 + code / 50)
        assert unpack(Container(0, level, b"s").pack()).level == level
    assert Container(0, 2.513, b"s").level == 2.52


@pytest.mark.parametrize(
    "fields",
    [
        {"level": 0.99},
        {"level": 6.01},
        {"level": float("nan")},
        {"model_id": 65536},
        {"model_id": -1},
        {"scn": bytes(MAX_SCN_BYTES + 1)},
        {"fcn": bytes(MAX_FCN_BYTES + 1)},
    ],
)
def test_what_does_not_fit_is_refused(fields):
    with pytest.raises(BitstreamError):
        Container(**{"model_id": 1, "level": 3, "scn": SCN, "fcn": FCN} | fields)


def test_empty_fcn_is_none():
    assert Container(1, 3, SCN, b"") == Container(1, 3, SCN)


def test_file_cut_after_scn_decodes_as_scn_only():
    data = whole().pack()[: whole().header_bytes + len(SCN)]
    container = unpack(data)
    assert container.scn == SCN and container.fcn is None
    info = describe(data)
    assert info["layers"] == ["scn"]
    assert info["bytes"] == {"header": 15, "scn": 200, "fcn": 0, "total": 215}


def test_file_cut_inside_fcn():
    data = whole().pack()
    for arrived in (1, 500, len(FCN) - 1):
        cut = data[: whole().header_bytes + len(SCN) + arrived]
        message = refusal(cut)
        assert f"{arrived} of the {len(FCN)} bytes" in message and '"scn"' in message
        assert unpack(cut, allow_cut=True) == Container(0x0102, 2.5, SCN)


def test_every_shorter_file_is_refused_or_scn_only():
    data = whole().pack()
    for length in range(len(data)):
        if length != whole().header_bytes + len(SCN):
            refusal(data[:length])


def test_damaged_fcn_costs_only_the_fcn():
    data = bytearray(whole().pack())
    data[-10] ^= 1
    assert '"scn"' in refusal(data)
    assert unpack(data, allow_cut=True) == Container(0x0102, 2.5, SCN)


def test_fcn_with_its_checksum_does_not_fit_another_scn():
    giver, taker = whole(), Container(0x0102, 2.5, SCN[::-1], FCN)
    checksum = giver.pack()[giver.header_bytes - 2 : giver.header_bytes]
    assert '"scn"' in refusal(taker.pack()[: taker.header_bytes - 2] + checksum + taker.scn + FCN)


def test_every_flipped_bit_is_noticed():
    data = whole().pack()
    for position in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[position // 8] ^= 1 << position % 8
        refusal(flipped)
        if position // 8 < whole().header_bytes - 2:  # all but the checksum of the FCN
            refusal(flipped, allow_cut=True)


@pytest.mark.parametrize("allow_cut", [False, True])
def test_trailing_bytes_are_refused(allow_cut):
    for container in (whole(), Container(1, 3, SCN)):
        message = refusal(container.pack() + b"123", allow_cut=allow_cut)
        assert "3 bytes after its last layer" in message


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(30), "This is a PNG picture, not a .hsc file"),
        (b"\xff\xd8\xff\xe0" + bytes(30), "This is a JPEG picture"),
        (b"GIF89a" + bytes(30), "This is a GIF picture"),
        (b"RIFF\x10\0\0\0WEBPVP8 " + bytes(30), "This is a WebP picture"),
        (b"RIFF\x10\0\0\0WAVEfmt " + bytes(30), "This is not a .hsc file"),
        (b"hello, world", "This is not a .hsc file"),
        (b"HS", "inside its header, after 2 bytes"),
        (b"HSC\x02" + bytes(30), "version 2"),
        (b"HSC\x01\x00\x00", "inside its header, after 6 bytes"),
    ],
)
def test_what_is_no_hsc_file(data, said):
    assert said in refusal(data)


@pytest.mark.parametrize(
    "lengths",
    [
        b"\x80\x00\x00",  # 0 in two bytes
        b"\x81\x80\x00\x00",  # 1 in three bytes
        b"\x80\x80\x01\x00",  # SCN one byte too long
        b"\x01\x80\x80\x04",  # FCN one byte too long
        b"\x01\xff\xff\xff\xff\xff",  # no end
    ],
)
def test_impossible_lengths_are_refused(lengths):
    message = refusal(b"HSC\x01\x00\x00\x00" + lengths + bytes(100))
    assert "length" in message


def test_bad_level_code_with_a_good_checksum():
    from binascii import crc_hqx

    fields = b"HSC\x01\x00\x00" + bytes([251, 1, 0])
    data = fields + crc_hqx(fields + b"s", 0xFFFF).to_bytes(2, "little") + b"s"
    assert "level code" in refusal(data) and "251" in refusal(data)


def test_describe():
    data = whole().pack()
    assert describe(data, {0x0102: "faces-1"}) == {
        "version": 1,
        "model": "faces-1",
        "level": 2.5,
        "width": 1024,
        "height": 1024,
        "layers": ["scn", "fcn"],
        "bytes": {"header": 15, "scn": 200, "fcn": 768, "total": 983},
        "bpp": 8 * 983 / 1024**2,
    }
    assert describe(data)["model"] == "0x0102"
