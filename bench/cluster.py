"""Pictures a second of ``hsc encode FOLDER``: in one process, and on a Ray cluster on this machine.

    python bench/cluster.py [--pictures 48] [--workers 2]

Prints the time of the whole command, which has the start of Ray and of the models in it, and the
pictures a second from the first result on, which is what a large folder gets. Run it on a machine
that does nothing else.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
FACE = ROOT / "assets" / "examples" / "face-1.jpg"


def fill(folder: Path, count: int) -> None:
    """Pictures that differ in a little noise."""
    with Image.open(FACE) as picture:
        face = np.asarray(picture.convert("RGB").resize((512, 512)), dtype=np.int16)
    for number in range(count):
        noise = np.random.default_rng(number).integers(-4, 5, face.shape)
        pixels = np.clip(face + noise, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:04d}.png", compress_level=1)


def timed(folder: Path, out: Path, *options: str) -> tuple[float, float]:
    """Seconds of the whole command, and pictures a second from the first result on."""
    command = [sys.executable, "-m", "hsc", "encode", folder, out, "--no-align", *options]
    started = time.monotonic()
    with subprocess.Popen(
        list(map(str, command)), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        assert process.stderr
        results = [time.monotonic() for line in process.stderr if " bytes" in line]
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed")
    # results of a worker come a batch at a time: those of the first moment count as one batch
    first = sum(moment - results[0] < 0.05 for moment in results)
    rate = (len(results) - first) / max(1e-9, results[-1] - results[0])
    return time.monotonic() - started, rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=48)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "in"
        folder.mkdir()
        fill(folder, arguments.pictures)
        kinds = {
            "one process": (),
            f"Ray, {arguments.workers} workers": (
                "--ray", "local", "--workers", str(arguments.workers)
            ),
        }  # fmt: skip
        for kind, options in kinds.items():
            seconds, rate = timed(folder, Path(name) / kind, *options)
            print(
                f"{kind:20} {seconds:6.1f} s for {arguments.pictures} pictures, then {rate:.2f}/s"
            )


if __name__ == "__main__":
    main()
