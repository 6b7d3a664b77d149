"""What must hold for any bytes and any symbols, searched by Hypothesis from fixed seeds."""

import math

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from paths import STREAMS
from PIL import Image

from hsc.bitstream import Container, describe, snap_level, unpack
from hsc.bitstream.rans import MAX_SYMBOL, SymbolReader, encode_symbols
from hsc.errors import BitstreamError, HscError, PhotoError
from hsc.images.photo import read_photo
from hsc.latent_codecs.gaussian import load_tables
from hsc.weights.loading import path_of

STREAM = (STREAMS / "level1.hsc").read_bytes()
TABLES = load_tables(path_of("entropy"))
# the same examples every time, and as many on a slow machine as on a fast one
seeded = settings(derandomize=True, deadline=None, max_examples=150, database=None)

levels = st.integers(50, 300).map(lambda step: step / 50)
layers = st.binary(min_size=1, max_size=300)
containers = st.builds(
    Container, st.integers(0, 0xFFFF), levels, layers, st.one_of(st.none(), layers)
)


@seeded
@given(containers)
def test_what_is_packed_is_unpacked(container: Container) -> None:
    data = container.pack()
    assert unpack(data) == container
    said = describe(data)
    assert said["bytes"]["total"] == len(data) and said["level"] == container.level


@seeded
@given(containers, st.data())
def test_a_flipped_bit_is_noticed(container: Container, draw: st.DataObject) -> None:
    data = bytearray(container.pack())
    data[draw.draw(st.integers(0, len(data) - 1))] ^= 1 << draw.draw(st.integers(0, 7))
    try:
        assert unpack(bytes(data)) != container
    except BitstreamError as error:
        assert "\n" not in str(error)


@seeded
@given(st.one_of(st.binary(max_size=400), st.binary(max_size=40).map(lambda b: STREAM[:8] + b)))
@example(b"")
@example(STREAM[:11])
def test_any_bytes_are_a_file_or_an_error(data: bytes) -> None:
    for allow_cut in (False, True):
        try:
            assert isinstance(unpack(data, allow_cut=allow_cut), Container)
        except BitstreamError as error:
            assert str(error)


@seeded
@given(st.floats(allow_nan=True, allow_infinity=True))
def test_a_level_is_snapped_or_refused(level: float) -> None:
    try:
        snapped = snap_level(level)
    except HscError:
        assert math.isnan(level) or not 1 <= level <= 6
    else:
        assert abs(snapped - level) <= 0.01 + 1e-9 and 1 <= snapped <= 6


@seeded
@given(st.lists(st.tuples(st.integers(-MAX_SYMBOL, MAX_SYMBOL), st.integers(0, 39)), min_size=1,
                max_size=200))  # fmt: skip
def test_symbols_come_back(pairs: list[tuple[int, int]]) -> None:
    symbols, scale_indexes = (np.array(column) for column in zip(*pairs))
    data = encode_symbols(symbols, scale_indexes, TABLES)
    assert (
        SymbolReader(data, TABLES, len(scale_indexes)).read(scale_indexes).tolist()
        == symbols.tolist()
    )


@seeded
@given(st.binary(max_size=300), st.lists(st.integers(0, 39), min_size=1, max_size=300))
def test_any_bytes_are_symbols_or_an_error(data: bytes, scale_indexes: list[int]) -> None:
    try:
        symbols = SymbolReader(data, TABLES, len(scale_indexes)).read(np.array(scale_indexes))
    except BitstreamError:
        return
    assert len(symbols) == len(scale_indexes) and np.abs(symbols).max() <= MAX_SYMBOL


@seeded
@given(st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFF\0\0\0\0WEBP",
                        b"II*\0", b"BM", b""]), st.binary(max_size=200))  # fmt: skip
def test_any_bytes_are_a_picture_or_an_error(magic: bytes, rest: bytes) -> None:
    try:
        assert isinstance(read_photo(magic + rest), Image.Image)
    except PhotoError as error:
        assert str(error).endswith(".")
