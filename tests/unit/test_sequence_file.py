"""The .hsv file: round trips, damage, cuts, hostile bytes."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsc.errors import BitstreamError
from hsc.photograph.placement import Placement
from hsc.sequence.container import (
    Frame,
    Header,
    SequenceFile,
    describe,
    is_sequence,
    pack,
    unpack,
)

HEADER = Header(0x2BF4, 2, 10, 3, 640, 480, 12)
HEADER_BYTES = 19


def frames(count: int = 12, key_every: int = 5) -> tuple[Frame, ...]:
    """Frames with layers that say their number."""
    made = []
    for number in range(count):
        place = Placement(
            1200 + 7 * number, 900 - 3 * number, 1800 + number, (65530 + number) % 65536
        )
        key = number % key_every == 0
        still = bytes([number] * 9), bytes([200 + number] * 300)
        made.append(Frame(number, place, still if key else (bytes([200 + number] * 40),)))
    return tuple(made)


FRAMES = frames()
DATA = pack(HEADER, FRAMES, b"OggS sound")


def starts() -> list[int]:
    """Offset of every record, and the end."""
    at, found = HEADER_BYTES, [HEADER_BYTES]
    for size in unpack(DATA).sizes:
        at += size
        found.append(at)
    return found


def test_a_file_comes_back_as_it_was() -> None:
    file = unpack(DATA)
    assert file.header == HEADER
    assert file.frames == FRAMES
    assert file.sound == b"OggS sound"
    assert file.lost == 0
    assert is_sequence(DATA)
    assert HEADER_BYTES + sum(file.sizes) + file.sound_bytes == len(DATA)


def test_a_predicted_frame_has_few_bytes_beside_its_layer() -> None:
    """Four for a face that stays where it was, two more for one that moves by up to 8."""
    for frame, size in zip(FRAMES, unpack(DATA).sizes):
        if not frame.key:
            assert size - len(frame.layers[0]) == 6
    place = FRAMES[0].place
    assert Frame(1, place, (b"change",)).size(place) == 4 + len(b"change")


@given(
    header=st.builds(
        Header,
        model_id=st.integers(0, 65535),
        level=st.integers(0, 250).map(lambda c: 1 + c / 50),
        coded_fps=st.integers(10, 6000).map(lambda r: r / 100),
        shown=st.integers(1, 30),
        width=st.integers(16, 4096),
        height=st.integers(16, 4096),
        frames=st.integers(1, 65535),
    )
)
@settings(max_examples=60, deadline=None)
def test_a_header_comes_back(header: Header) -> None:
    assert Header.unpack(header.pack()) == header


@given(
    steps=st.lists(
        st.tuples(*[st.integers(-400, 400)] * 3, st.integers(0, 65535)), min_size=1, max_size=6
    )
)
@settings(max_examples=60, deadline=None)
def test_any_track_comes_back(steps: list[tuple[int, int, int, int]]) -> None:
    places = [Placement(0, 0, 4000, 0)]
    for x, y, side, angle in steps:
        last = places[-1]
        places.append(Placement(last.x + x, last.y + y, last.side + side, angle))
    coded = tuple(Frame(n, p, (b"",) if n else (b"", b"")) for n, p in enumerate(places))
    header = replace(HEADER, frames=len(coded))
    assert [frame.place for frame in unpack(pack(header, coded)).frames] == places


@pytest.mark.parametrize("hit", range(12))
def test_a_damaged_frame_costs_what_leans_on_it(hit: int) -> None:
    data = bytearray(DATA)
    data[starts()[hit] + 8] ^= 0x55
    key_after = next((n for n in (5, 10) if n > hit), 12)
    if hit == 11 or key_after == 12:
        key_after = 12
    lost = set(range(hit, key_after))
    kept = [frame.number for frame in unpack(bytes(data)).frames]
    assert kept == [n for n in range(12) if n not in lost]


@pytest.mark.parametrize("missing", range(1, 12))
def test_a_frame_that_is_missing_is_noticed(missing: int) -> None:
    at = starts()
    data = DATA[: at[missing]] + DATA[at[missing + 1] :]
    key_after = next((n for n in (5, 10) if n > missing), 12)
    kept = [frame.number for frame in unpack(data).frames]
    assert kept == [n for n in range(12) if not missing <= n < key_after]


def test_a_file_may_begin_at_any_key_frame() -> None:
    at = starts()
    file = unpack(DATA[:HEADER_BYTES] + DATA[at[5] :])
    assert [frame.number for frame in file.frames] == list(range(5, 12))
    assert file.frames == FRAMES[5:]
    assert file.lost == 5


def test_every_cut_gives_the_frames_before_it() -> None:
    at = starts()
    for length in range(HEADER_BYTES, len(DATA)):
        whole = sum(stop <= length for stop in at[1:])
        if not whole:
            with pytest.raises(BitstreamError, match="No frame of the sequence"):
                unpack(DATA[:length])
        else:
            assert unpack(DATA[:length]).frames == FRAMES[:whole]
    for length in range(HEADER_BYTES):
        with pytest.raises(BitstreamError):
            unpack(DATA[:length])


def test_fuzzed_files_are_read_or_refused() -> None:
    chance = random.Random(1)
    read = 0
    for _ in range(600):
        data = bytearray(DATA)
        for _ in range(chance.choice((1, 2, 5, 40))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            file = unpack(bytes(data))
        except BitstreamError:
            continue
        read += 1
        assert isinstance(file, SequenceFile)
        for frame in file.frames:  # a checksum of 16 bits, and no frame that was changed
            assert frame == FRAMES[frame.number]
    assert read > 300


def test_bytes_that_all_look_like_key_frames_take_no_time() -> None:
    hostile = DATA[:HEADER_BYTES] + b"\xf0\x00\x00\xff\x7f" * 40_000
    with pytest.raises(BitstreamError, match="No frame of the sequence"):
        unpack(hostile)


def test_frames_of_another_file_are_not_taken() -> None:
    other = pack(replace(HEADER, level=3), FRAMES)
    at = starts()
    mixed = DATA[: at[6]] + other[at[6] :]
    assert [frame.number for frame in unpack(mixed).frames] == list(range(6))


def test_other_files_are_named() -> None:
    for data, words in (
        (b"", "empty"),
        (b"HSC\x01" + bytes(20), "one picture"),
        (b"\x89PNG" + bytes(20), "not a .hsv file"),
        (b"HSCV\x02" + bytes(20), "version 2"),
    ):
        with pytest.raises(BitstreamError, match=words):
            unpack(data)


def test_a_header_says_only_what_is_possible() -> None:
    for field, value in (
        ("level", 7), ("coded_fps", 0.05), ("coded_fps", 61), ("shown", 0), ("width", 8),
        ("height", 5000), ("frames", 0), ("model_id", 70000),
    ):  # fmt: skip
        with pytest.raises(BitstreamError):
            replace(HEADER, **{field: value})


def test_a_file_needs_all_of_its_frames() -> None:
    with pytest.raises(BitstreamError, match="12 frames"):
        pack(HEADER, FRAMES[:5])
    with pytest.raises(BitstreamError, match="in order"):
        pack(HEADER, FRAMES[1:])


def test_the_description_adds_up() -> None:
    said = describe(DATA)
    assert said["frames"] == {"coded": 12, "key": 3, "lost": 0}
    assert sum(size for part, size in said["bytes"].items() if part != "total") == len(DATA)
    assert said["seconds"] == 1.2
    assert said["shown_fps"] == 30
    picture = len(DATA) - said["bytes"]["sound"]
    assert said["kbit_per_second"] == pytest.approx(8 * picture / 1.2 / 1000, abs=0.01)
