"""Coverage-guided fuzzing with Atheris (Linux and macOS; not among the tests' requirements).

    pip install atheris==3.0.0
    python bench/fuzz_coverage.py container -runs=100000
    python bench/fuzz_coverage.py layers -runs=20000
    python bench/fuzz_coverage.py photo -runs=20000

``container``: any bytes as a file. ``layers``: any bytes as layers whose checksums are right, down
to the symbols. ``photo``: any bytes as a picture. What follows goes to libFuzzer: -max_total_time=
60 bounds by time, a folder keeps what was found. Anything but a plain error is a crash.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests" / "support"), str(HERE)]

with atheris.instrument_imports(include=["hsc"]):
    from hsc.bitstream import Container, describe, unpack
    from hsc.bitstream.rans import SymbolReader
    from hsc.errors import BitstreamError, PhotoError
    from hsc.images.photo import read_photo
    from hsc.latent_codecs.gaussian import load_tables
    from hsc.weights.model_id import path_of

import numpy as np  # noqa: E402
from hostile import complaint, originals  # noqa: E402

TABLES = load_tables(path_of("entropy"))


def container(data: bytes) -> None:
    for allow_cut in (False, True):
        try:
            found = unpack(data, allow_cut=allow_cut)
            assert found.scn is not None
            describe(data) if not allow_cut else None
        except BitstreamError as error:
            assert not complaint(str(error)), error


def layers(data: bytes) -> None:
    provider = atheris.FuzzedDataProvider(data)
    level = provider.ConsumeIntInRange(50, 300) / 50
    scale_indexes = np.frombuffer(provider.ConsumeBytes(256), np.uint8).astype(np.int64) % len(
        TABLES
    )
    rest = provider.ConsumeBytes(len(data)) or b"\0"
    packed = Container(1, level, rest, rest).pack()
    assert unpack(packed).scn == rest
    if len(scale_indexes):
        try:
            assert len(SymbolReader(rest, TABLES, len(scale_indexes)).read(scale_indexes)) == len(
                scale_indexes
            )
        except BitstreamError as error:
            assert not complaint(str(error)), error


def photo(data: bytes) -> None:
    try:
        assert read_photo(data).mode == "RGB"
    except PhotoError as error:
        assert not complaint(str(error)), error


TARGETS = {"container": container, "layers": layers, "photo": photo}


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        raise SystemExit(__doc__)
    target = TARGETS[sys.argv.pop(1)]
    with tempfile.TemporaryDirectory() as folder:
        atheris.Setup([*sys.argv, _seeds(target, Path(folder))], target)
        atheris.Fuzz()


def _seeds(target: Callable[[bytes], None], folder: Path) -> str:
    """What to start from, since no search would guess a magic number."""
    if target is photo:
        for kind, data in originals(np.random.default_rng(0)):
            (folder / kind).write_bytes(data)
    else:
        for stream in (HERE.parent / "tests" / "golden" / "streams").glob("*.hsc"):
            (folder / stream.name).write_bytes(stream.read_bytes())
    return "-seed_inputs=" + ",".join(map(str, sorted(folder.iterdir())))


if __name__ == "__main__":
    main()
