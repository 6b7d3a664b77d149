"""One process that encodes and decodes a thousand faces: its memory must not grow.

    python bench/endurance.py [--count 1000]

Prints what the process holds as it goes, and fails if it ends with more than 5% above what it
held after the first tenth.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests" / "support"), str(HERE)]

from visitors import resident_mb  # noqa: E402

import hsc  # noqa: E402
from hsc.memory import keep_large_blocks  # noqa: E402


def growth(codec, count: int, say=print) -> float:
    """Memory at the end over memory after the first tenth of ``count`` encodes and decodes."""
    faces = [codec.random_face(seed) for seed in range(4)]
    level_of = [1 + (step % 26) / 5 for step in range(26)]
    edit = codec.edit_names[0]
    settled = now = 0.0
    for number in range(1, count + 1):
        data = codec.encode(faces[number % 4], level_of[number % 26], align=False)
        codec.decode(data, edits={edit.name: edit.high} if number % 3 else None)
        if number % max(1, count // 10) == 0:
            now = resident_mb(os.getpid())
            settled = settled or now
            say(f"{number:5d} encoded and decoded: {now:.0f} MB")
    return now / settled


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000)
    count = parser.parse_args().count
    keep_large_blocks()
    ratio = growth(hsc.load("cpu"), count, lambda words: print(words, flush=True))
    print(f"memory at the end over memory after the first tenth: {ratio:.3f}")
    return int(ratio > 1.05)


if __name__ == "__main__":
    sys.exit(main())
