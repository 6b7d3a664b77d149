"""Whether the receiver's JavaScript decodes the same integers as Python, on files at random.

    python bench/receiver_symbols.py [--files 1000] [--damaged 1000]

Golden streams; files with valid headers and checksums around random layers at random levels; and
damaged copies of the golden streams, which both must read alike or refuse in the same words. Node
runs the receiver's sources. Files are compared by SHA-256 of w+ and of the FCN symbols; of damaged
ones SCN is decoded. The tests do the same with twelve random files, because FCN takes their time.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

from exact_digests import answer, coders  # noqa: E402
from hostile import files  # noqa: E402

from hsc.bitstream import Container, unpack  # noqa: E402
from hsc.export.web import write_weights  # noqa: E402

STREAMS = ROOT / "tests" / "golden" / "streams"
AT_ONCE = 50


class Receiver:
    """The receiver's decoder in a process of Node."""

    def __init__(self, weights: Path) -> None:
        node = shutil.which("node")
        if not node:
            raise SystemExit("expected Node.js, found none: install it as tests/run does")
        self.process = subprocess.Popen(
            [node, ROOT / "web" / "test" / "answers.js", weights],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __call__(self, data: bytes, only_scn: bool) -> dict:
        """Digests, or the refusal."""
        assert self.process.stdin and self.process.stdout
        question = {"file": data.hex()} | ({"layers": "scn"} if only_scn else {})
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        answer: dict = json.loads(self.process.stdout.readline())
        return answer


def random_files(count: int, model: int) -> Iterator[bytes]:
    """Valid containers around layers of random bytes."""
    random = np.random.default_rng(19)
    for _ in range(count):
        yield Container(
            model, 1 + random.integers(251) / 50, random.bytes(int(random.integers(20, 90))),
            random.bytes(int(random.integers(100, 1500))),
        ).pack()  # fmt: skip


def compare(
    words: str, ask: Receiver, layers, given: Iterable[bytes], only_scn: bool = False
) -> None:
    """Print how many files are the same. Raises SystemExit at the first one that is not."""
    began, read, refused = time.monotonic(), 0, 0
    for data in given:
        here, there = answer(data, layers, only_scn), ask(data, only_scn)
        if here != there:
            raise SystemExit(f"{words}: Python says {here}, JavaScript {there}, of {data.hex()}")
        refused += "refusal" in here
        read += "refusal" not in here
        if (read + refused) % AT_ONCE == 0:
            print(f"{words}: {read + refused} so far", file=sys.stderr, flush=True)
    print(
        f"{words}: {read} decoded to the same integers, {refused} refused in the same words, "
        f"none different ({time.monotonic() - began:.0f} s)",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--damaged", type=int, default=1000)
    arguments = parser.parse_args()
    golden = [path.read_bytes() for path in sorted(STREAMS.glob("*.hsc"))]
    layers = coders()
    with tempfile.TemporaryDirectory() as name:
        write_weights(Path(name))
        ask = Receiver(Path(name))
        compare("golden streams", ask, layers, golden)
        made = random_files(arguments.files, unpack(golden[0]).model_id)
        compare("random files", ask, layers, made)
        damaged = [data for _, data in files(golden, arguments.damaged, seed=19)]
        compare("damaged files", ask, layers, damaged, only_scn=True)
        ask.process.stdin.close()
        ask.process.wait(20)


if __name__ == "__main__":
    main()
