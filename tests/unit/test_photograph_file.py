"""The ``.hscp`` file: fields, cuts, damage, hostile sizes, and the AV1 picture inside."""

import re
import tracemalloc
from binascii import crc_hqx
from math import pi

import numpy as np
import pytest
from hostile import complaint, mutated
from PIL import Image

from hsc import photograph
from hsc.bitstream import Container
from hsc.bitstream import unpack as unpack_face
from hsc.domains.ffhq_face.align import Square
from hsc.errors import BitstreamError, HscError
from hsc.photograph import still
from hsc.photograph.container import MAX_FACES, PhotographFile, PlacedFace, unpack
from hsc.photograph.placement import Placement, from_crop, to_crop
from hsc.photograph.tone import Tone

PLACE = Placement(4 * 40, -4 * 3, 4 * 30, 1000)
LARGE = Container(7, 3, b"semantics", b"features" * 9).pack()
SMALL = Container(7, 1, b"small").pack()


@pytest.fixture(scope="module")
def background() -> bytes:
    pixels = np.random.default_rng(0).integers(0, 255, (4, 5, 3), dtype=np.uint8)
    return still.encode(Image.fromarray(pixels).resize((50, 40)), 30)


@pytest.fixture(scope="module")
def file(background) -> PhotographFile:
    tone = Tone((120, 130, 0), (128, 128, 131))
    faces = tuple(PlacedFace(PLACE, tone, data, len(data)) for data in (LARGE, SMALL))
    return PhotographFile(100, 80, background, faces)


def refusal(data: bytes, **options: bool) -> str:
    """The message that ``data`` is refused with, which must be one plain sentence."""
    with pytest.raises(BitstreamError) as caught:
        unpack(data, **options)
    message = str(caught.value)
    assert complaint(message) is None and re.fullmatch(r"[A-Z][^\n]{10,220}\.", message), message
    return message


def test_what_is_packed_is_unpacked(file):
    data = file.pack()
    assert unpack(data) == file and file.whole
    parts = photograph.describe(data)["bytes"]
    assert parts["total"] == len(data) == parts["header"] + parts["background"] + parts["faces"]
    assert parts["header"] == 17 + 17 * len(file.faces)
    assert [face["level"] for face in photograph.describe(data)["faces"]] == [3, 1]


def test_format_does_not_change():
    face = PlacedFace(Placement(1, -2, 64, 3), Tone((1, 2, 3), (4, 5, 6)), SMALL, len(SMALL))
    data = PhotographFile(0x123, 0x45, b"back", (face,)).pack()
    header = "48534350 01 2301 4500 01 0100 feff 4000 0300 010203 040506 100000 040000 9014 3a32"
    assert len(SMALL) == 16
    assert data == bytes.fromhex(header) + b"back" + SMALL


def test_a_cut_at_the_end_of_a_part_is_valid(file):
    data = file.pack()
    start = file.header_bytes + len(file.background)
    scn_end = start + LARGE.index(b"features")
    for end, sizes in (
        (start, [0, 0]),
        (scn_end, [len(LARGE) - 72, 0]),
        (start + len(LARGE), [len(LARGE), 0]),
    ):
        cut = unpack(data[:end])
        assert [len(face.data) for face in cut.faces] == sizes
        assert not cut.whole
        with pytest.raises(ValueError, match="all there"):
            cut.pack()


def test_a_cut_inside_a_face_is_taken_when_asked_for(file):
    data = file.pack()
    end = file.header_bytes + len(file.background) + len(LARGE) - 5
    assert "Face 0 cannot be read" in refusal(data[:end])
    first, second = unpack(data[:end], allow_cut=True).faces
    assert 0 < len(first.data) < len(LARGE) and second.data == b""
    inside_scn = file.header_bytes + len(file.background) + len(LARGE) - 75
    assert unpack(data[:inside_scn], allow_cut=True).faces[0].data == b""


def test_every_cut_and_every_flipped_byte_is_read_or_refused_in_a_sentence(file):
    data = file.pack()
    for end in range(len(data)):
        for allow_cut in (False, True):
            try:
                unpack(data[:end], allow_cut=allow_cut)
            except BitstreamError as error:
                assert complaint(str(error)) is None
    for at in range(len(data)):
        refusal(data[:at] + bytes([data[at] ^ 0x41]) + data[at + 1 :])


def test_foreign_files_are_named(file):
    for data, words in (
        (b"", "empty"),
        (b"\x89PNG\r\n", "begin with the letters HSCP"),
        (LARGE, "of one face"),
        (b"HSCP\x02" + bytes(99), "version 2"),
        (file.pack() + b"1", "after its last face"),
    ):
        assert words in refusal(data)
    with pytest.raises(BitstreamError, match="whole photograph"):
        unpack_face(file.pack())


def test_mutants_never_crash_and_never_grow(file):
    """Headers with right checksums too, so that every field takes every kind of value."""
    random = np.random.default_rng(1)
    good = file.pack()
    fields = file.header_bytes - 4
    tracemalloc.start()
    accepted = 0
    for number in range(400):
        data = bytearray(mutated(good, random))
        if number % 2 and len(data) > file.header_bytes:
            crc = crc_hqx(bytes(data[:fields]), 0xFFFF)
            data[fields : fields + 2] = crc.to_bytes(2, "little")
            data[fields + 2 : fields + 4] = crc_hqx(
                bytes(data[fields + 4 : fields + 4 + len(file.background)]), crc
            ).to_bytes(2, "little")
        for allow_cut in (False, True):
            try:
                read = unpack(bytes(data), allow_cut=allow_cut)
                accepted += 1
                still.decode(read.background, (read.width, read.height))
            except BitstreamError as error:
                assert complaint(str(error)) is None, error
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert accepted and peak < 4 << 20


def test_sizes_are_checked_before_pixels_are_decoded():
    large = still.encode(Image.new("RGB", (2000, 1500)), 5)
    tracemalloc.start()
    with pytest.raises(BitstreamError, match="2000 x 1500 pixels, more than"):
        still.decode(large, (1999, 1500))
    assert tracemalloc.get_traced_memory()[1] < 1 << 16
    tracemalloc.stop()
    for size in ((15, 80), (80, 4097)):
        with pytest.raises(BitstreamError, match="sides from 16 to 4096"):
            PhotographFile(*size, b"")
    huge = PlacedFace(Placement(0, 0, 4 * 500, 0), Tone(), SMALL, len(SMALL))
    with pytest.raises(BitstreamError, match="cover the photograph 17 times"):
        PhotographFile(100, 80, b"", (huge,) * 17)
    tiny = PlacedFace(PLACE, Tone(), SMALL, len(SMALL))
    with pytest.raises(BitstreamError, match="at most 64 faces"):
        PhotographFile(100, 80, b"", (tiny,) * (MAX_FACES + 1))


@pytest.mark.parametrize("size", [(16, 16), (33, 17), (640, 361)])
def test_a_stream_is_its_avif_without_boxes(size, tmp_path):
    pixels = np.random.default_rng(2).integers(0, 255, (6, 7, 3), dtype=np.uint8)
    picture = Image.fromarray(pixels).resize(size)
    avif = tmp_path / "picture.avif"
    picture.save(avif, quality=40, speed=still.SPEED, subsampling="4:2:0", codec="aom")
    stream = still.encode(picture, 40)
    assert still.size_of(stream) == size
    assert len(stream) == avif.stat().st_size - 275
    assert len(still.boxed(stream)) == avif.stat().st_size
    with Image.open(avif) as whole:
        assert whole.convert("RGB").tobytes() == still.decode(stream, size).tobytes()


def test_streams_of_another_kind_are_refused(background):
    twice = background + background
    for stream in (b"", b"\x12\x00", twice, background[:-1], background[2:-1] + b"\0" * 9):
        with pytest.raises(BitstreamError, match="background"):
            still.decode(stream, (100, 100))


def test_placements_are_near_and_exact():
    square = Square(100.3, -20.1, 333.3, -3.0)
    near = Placement.nearest(square)
    assert Placement.unpack(near.pack()) == near == Placement.nearest(near.square)
    assert abs(near.square.x - square.x) <= 0.125 and abs(near.square.angle - square.angle) < 1e-4
    assert abs(Placement.nearest(Square(0, 0, 50, pi)).square.angle) == pytest.approx(pi, abs=1e-4)
    for bad in (Square(0, 0, 3, 0), Square(0, 0, 20000, 0), Square(9000, 0, 50, 0)):
        with pytest.raises(HscError, match="Expected a face"):
            Placement.nearest(bad)


def test_maps_to_and_from_a_square_are_inverses():
    square = Square(120, 80, 64, 0.4)
    there, back = (np.array([*c, 0, 0, 1]).reshape(3, 3) for c in (
        to_crop(square, 256), from_crop(square, 256)
    ))  # fmt: skip
    assert np.allclose(there @ back, np.eye(3), atol=1e-9)
    assert np.allclose(back @ [0, 0, 1], [*square.corners()[0], 1])


def test_a_grey_photograph_takes_the_colour_from_a_face():
    random = np.random.default_rng(3)
    colours = random.integers(60, 200, (32, 32, 3), dtype=np.uint8)
    decoded = Image.fromarray(colours).resize((64, 64), Image.Resampling.NEAREST)
    tone = Tone.between(decoded, decoded.convert("L").convert("RGB"), np.ones((64, 64), np.float32))
    grey = tone.apply(np.asarray(decoded, np.float32))
    assert np.ptp(grey, axis=-1).max() < 0.5
    assert Tone.between(decoded, decoded, np.ones((64, 64), np.float32)) == Tone()
    assert Tone.unpack(tone.pack()) == tone
