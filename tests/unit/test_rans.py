"""The guarded coder, CompressAI's where installed and ours: round trips, one stream in several
reads, streams nobody encoded, and that both are the same."""

import hashlib
from collections.abc import Iterator
from importlib.util import find_spec
from types import ModuleType

import numpy as np
import pytest

from hsc.bitstream import rans, rans_python
from hsc.bitstream.loading import import_coder, import_compressai_coder
from hsc.bitstream.rans import MAX_SYMBOL, CdfTables, SymbolReader, encode_symbols
from hsc.errors import BitstreamError
from hsc.latent_codecs.gaussian import MIN_LOG2, NUM_SCALES, build_tables, load_tables
from hsc.weights.loading import path_of

COMPRESSAI = find_spec("compressai") is not None
CODERS = [rans_python, *([import_compressai_coder()] if COMPRESSAI else [])]
SCALES = 2.0 ** (MIN_LOG2 + np.arange(NUM_SCALES) / 4)
SMALL = CdfTables(
    cdfs=[[0, 10000, 30000, 50000, 60000, 65536], [0, 65535, 65536], [0, 1, 65536], [0, 2, 65536]],
    sizes=[6, 3, 3, 3],
    offsets=[-2, 0, 0, 7],
)

# SHA-256 of what CompressAI 1.2.8 makes of the streams below
STREAMS = "89c386737adab922d6bed0a76f91614a239fa69dcec229d25e5db7db54294932"
DAMAGED = "ccf20cf320d948f6392d751426c04fc0d0da6e82037906a883d2eeb57d19732b"
UNGUARDED = "b6ae7fc113cded371682e04468c9d3965d95f97687a2c05c706f2ebdebce1beb"


@pytest.fixture(autouse=True, params=CODERS, ids=lambda module: module.__name__)
def coder(request, monkeypatch) -> ModuleType:
    """Every test is of each coder."""
    monkeypatch.setattr(rans, "import_coder", lambda: request.param)
    return request.param


@pytest.fixture(scope="module")
def tables() -> CdfTables:
    """The 40 Gaussians that ship, as CompressAI built them."""
    return load_tables(path_of("entropy"))


def gaussians(tables: CdfTables, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Symbols and indexes that fit ``tables``, with a few outliers."""
    rng = np.random.default_rng(seed)
    indexes = rng.integers(0, len(tables), count)
    symbols = np.rint(rng.normal(size=count) * SCALES[indexes]).astype(np.int32)
    outliers = rng.random(count) < 0.01
    symbols[outliers] = rng.integers(-MAX_SYMBOL, MAX_SYMBOL + 1, outliers.sum())
    return symbols, indexes


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 17, 768, 12288])
def test_round_trip(tables, count):
    for seed in range(20 if count < 100 else 2):
        symbols, indexes = gaussians(tables, count, seed)
        data = encode_symbols(symbols, indexes, tables)
        decoded = SymbolReader(data, tables, count).read(indexes)
        assert decoded.dtype == np.int32
        np.testing.assert_array_equal(decoded, symbols)


def test_shape_is_kept(tables):
    symbols, indexes = (a.reshape(24, 8, 8) for a in gaussians(tables, 1536, 0))
    reader = SymbolReader(encode_symbols(symbols, indexes, tables), tables, 1536)
    np.testing.assert_array_equal(reader.read(indexes), symbols)


def test_reads_in_steps_equal_one_read(tables):
    symbols, indexes = gaussians(tables, 1000, 1)
    reader = SymbolReader(encode_symbols(symbols, indexes, tables), tables, 1000)
    steps = np.split(indexes, [0, 1, 8, 500, 500, 999])
    np.testing.assert_array_equal(np.concatenate([reader.read(step) for step in steps]), symbols)
    assert reader.remaining == 0


def test_extreme_symbols_and_tables():
    """Every table, the least likely symbols, and the largest magnitudes."""
    for count in (1, 2, 3, 4, 50):
        for table in range(len(SMALL)):
            for symbol in (-MAX_SYMBOL, -3, 0, 1, 7, MAX_SYMBOL):
                symbols, indexes = np.full(count, symbol), np.full(count, table)
                data = encode_symbols(symbols, indexes, SMALL)
                decoded = SymbolReader(data, SMALL, count).read(indexes)
                np.testing.assert_array_equal(decoded, symbols)


@pytest.mark.parametrize(
    ("count", "stream"),
    [(6, "99a466f002 a0eb3301"), (10, "208b023eb996a109 3701817c")],
)
def test_stream_does_not_change(count, stream):
    """Files made today must decode tomorrow; the first of these has a shortened state."""
    symbols = np.array([0, -1, 2, 0, 1, 900, -2, 0, 0, 7])[:count]
    indexes = np.array([0, 0, 0, 1, 2, 0, 0, 1, 3, 3])[:count]
    assert encode_symbols(symbols, indexes, SMALL) == bytes.fromhex(stream)
    np.testing.assert_array_equal(
        SymbolReader(bytes.fromhex(stream), SMALL, count).read(indexes), symbols
    )


def test_size_is_near_the_entropy():
    rng = np.random.default_rng(3)
    symbols = rng.choice(4, 4000, p=np.diff(SMALL.cdfs[0])[:4] / 60000) - 2
    bits = -np.log2(np.diff(SMALL.cdfs[0])[symbols + 2] / 65536).sum()
    size = len(encode_symbols(symbols, np.zeros(4000, int), SMALL))
    assert bits / 8 <= size <= bits / 8 + 8


def test_no_symbols(tables):
    nothing = np.zeros((0, 8), np.int32)
    assert encode_symbols(nothing, nothing, tables) == b""
    reader = SymbolReader(b"", tables, 0)
    assert reader.read(nothing).shape == (0, 8)
    assert SymbolReader(b"12345678", tables, 0).read([]).size == 0


def test_empty_or_short_stream_is_refused(tables):
    with pytest.raises(BitstreamError, match="empty"):
        SymbolReader(b"", tables, 4).read(np.zeros(4, int))
    for length in range(1, 5):
        with pytest.raises(BitstreamError, match="too short"):
            SymbolReader(bytes(length), tables, 4)


def test_reading_too_much_is_refused(tables):
    symbols, indexes = gaussians(tables, 10, 4)
    reader = SymbolReader(encode_symbols(symbols, indexes, tables), tables, 10)
    reader.read(indexes[:6])
    with pytest.raises(ValueError, match="4 symbols are left"):
        reader.read(indexes[:5])
    np.testing.assert_array_equal(reader.read(indexes[6:]), symbols[6:])


@pytest.mark.parametrize("bad", [-1, NUM_SCALES, 2**40])
def test_index_without_a_table_is_refused(tables, bad):
    indexes = np.array([0, bad, 1])
    with pytest.raises(ValueError, match="Indexes"):
        encode_symbols(np.zeros(3, int), indexes, tables)
    with pytest.raises(ValueError, match="Indexes"):
        SymbolReader(bytes(8), tables, 3).read(indexes)


def test_unusable_symbols_are_refused(tables):
    for symbol in (MAX_SYMBOL + 1, -MAX_SYMBOL - 1, 2**40):
        with pytest.raises(ValueError, match="clamp"):
            encode_symbols(np.array([symbol]), np.array([0]), tables)
    with pytest.raises(ValueError, match="integer symbols"):
        encode_symbols(np.array([0.5]), np.array([0]), tables)
    with pytest.raises(ValueError, match="one index a symbol"):
        encode_symbols(np.array([1, 2]), np.array([0]), tables)


@pytest.mark.parametrize(
    ("cdf", "size", "offset"),
    [
        ([0, 5, 65535], 3, 0),  # does not reach 65536
        ([1, 5, 65536], 3, 0),  # does not begin at 0
        ([0, 5, 5, 65536], 4, 0),  # an impossible symbol
        ([0, 5, 65536], 4, 0),  # shorter than it says
        ([0, 65536], 2, 0),  # one entry, of probability 1
        ([], 0, 0),
        ([0, 5, 65536], 3, 2**15 + 1),
    ],
)
def test_unusable_tables_are_refused(cdf, size, offset):
    with pytest.raises(ValueError):
        CdfTables([cdf], [size], [offset])


def test_padding_of_tables_is_dropped():
    padded = np.array([[0, 9, 65536, 0, 0], [0, 1, 2, 3, 65536]], np.int32)
    tables = CdfTables.from_arrays(padded, np.array([3, 5]), np.array([0, -1]))
    assert tables.cdfs == [[0, 9, 65536], [0, 1, 2, 3, 65536]]
    assert len(tables) == 2


def read_anything(data: bytes, tables: CdfTables, indexes: np.ndarray) -> None:
    """Any answer will do, so long as it is one of the two that are promised."""
    try:
        symbols = SymbolReader(data, tables, indexes.size).read(indexes)
    except BitstreamError:
        return
    assert symbols.shape == indexes.shape and np.abs(symbols).max() <= MAX_SYMBOL


def test_garbage_never_crashes(tables):
    rng = np.random.default_rng(5)
    for case in range(300):
        count = int(rng.integers(1, 400))
        symbols, indexes = gaussians(tables, count, case)
        data = bytearray(encode_symbols(symbols, indexes, tables))
        kind = case % 4
        if kind == 0:  # flipped bits
            for at in rng.integers(0, len(data), 3):
                data[at] ^= 1 << int(rng.integers(8))
        elif kind == 1:  # cut
            data = data[: int(rng.integers(1, len(data) + 1))]
        elif kind == 2:  # noise
            data = rng.bytes(int(rng.integers(5, 3000)))
        else:  # another face's tables
            indexes = rng.permutation(indexes)
        read_anything(bytes(data), tables, indexes)


@pytest.mark.parametrize("unit", [b"\xff", b"\x0f\0\0\0", b"\0", b"\xff\xff\xff\x0f", b"\xf0\xff"])
def test_hostile_streams_never_crash(tables, unit):
    """Out-of-range symbols that claim to be as long as a nibble count allows."""
    for length in (5, 100, 65535):
        data = (unit * length)[:length]
        for table in (0, 3):
            read_anything(data, SMALL, np.full(12288, table))
        read_anything(data, tables, np.zeros(12288, int))


def numbers(seed: int, count: int, below: int) -> np.ndarray:
    """Integers from 0 on, the same with every version of every library."""
    drawn = hashlib.shake_128(seed.to_bytes(4, "little")).digest(4 * count)
    return np.frombuffer(drawn, "<u4").astype(np.int64) % below


def random_stream(seed: int, tables: CdfTables) -> tuple[np.ndarray, np.ndarray, bytes]:
    """1 to 24 symbols, most of them likely, some far beyond their table."""
    count = 1 + int(numbers(seed, 1, 24)[0])
    indexes, noise, powers = (numbers(seed + n, count, m) for n, m in ((1, 40), (2, 2**16), (3, 9)))
    symbols = (noise - 2**15) // 2 ** (2 * powers)  # from the largest magnitude to 0 and -1
    return symbols, indexes, encode_symbols(symbols, indexes, tables)


def test_ten_thousand_streams_are_those_of_compressai(tables):
    """The digest was made with CompressAI's coder: each coder writes these bytes and reads them."""
    digest = hashlib.sha256()
    for case in range(10_000):
        symbols, indexes, data = random_stream(10 * case, tables)
        digest.update(len(data).to_bytes(2, "little") + data)
        assert (SymbolReader(data, tables, symbols.size).read(indexes) == symbols).all()
    assert digest.hexdigest() == STREAMS


def damaged(tables: CdfTables) -> Iterator[tuple[bytes, np.ndarray]]:
    """Streams with flipped bits, cut ones, noise, and long runs that claim to be escapes."""
    for case in range(3000):
        _, indexes, data = random_stream(10 * case, tables)
        at, noise = numbers(case + 1, 3, 2**16), numbers(case + 2, 200, 256).astype(np.uint8)
        if case % 4 == 0:
            changed = bytearray(data)
            for bit in at % (8 * len(data)):
                changed[bit // 8] ^= 1 << bit % 8
            yield bytes(changed), indexes
        elif case % 4 == 1:
            yield data[: at[0] % len(data)], indexes
        elif case % 4 == 2:
            yield noise[: at[0] % 200].tobytes(), indexes
        else:
            unit = (b"\xff", b"\x0f\0\0\0", b"\0", b"\xff\xff\xff\x0f", b"\xf0\xff")[case % 5]
            yield data[:5] + (unit * 100)[: at[0] % 300], indexes


def test_damaged_streams_give_what_compressai_gives(tables):
    """The same symbols or the same refusal, by a digest that was made with CompressAI's coder."""
    digest = hashlib.sha256()
    for data, indexes in damaged(tables):
        try:
            symbols = SymbolReader(data, tables, indexes.size).read(indexes)
            digest.update(symbols.astype("<i4").tobytes())
        except BitstreamError as error:
            digest.update(str(error).encode())
    assert digest.hexdigest() == DAMAGED


def test_unguarded_coders_agree_even_beyond_32_bits(coder, tables):
    """What a guard refuses, it refuses for both: the coders themselves give the same numbers."""
    digest = hashlib.sha256()
    for data, indexes in damaged(tables):
        decoder = coder.RansDecoder()
        decoder.set_stream(data.ljust(8, b"\0") + bytes(rans._overrun(len(data), indexes.size)))
        found = decoder.decode_stream(indexes.tolist(), tables.cdfs, tables.sizes, tables.offsets)
        digest.update(np.array(found, "<i4").tobytes())
    assert digest.hexdigest() == UNGUARDED


def test_without_compressai_ours_takes_its_place(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.delitem(__import__("sys").modules, "compressai.ans", raising=False)
    assert import_coder.__wrapped__() is rans_python


def test_tables_are_built_as_they_ship():
    """As CompressAI's Gaussian conditional built them."""
    built = build_tables()
    assert CdfTables.from_arrays(*(built[k].numpy() for k in ("cdfs", "sizes", "offsets"))) == (
        load_tables(path_of("entropy"))
    )


if COMPRESSAI:

    def test_coder_alone_is_the_coder_of_the_package():
        from compressai_package import import_compressai

        import_compressai()
        from compressai import ans

        assert import_coder().RansDecoder is ans.RansDecoder  # loaded before the package
        assert import_compressai_coder().RansDecoder is ans.RansDecoder  # and after it
