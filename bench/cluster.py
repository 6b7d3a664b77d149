"""Pictures a second of ``hsc encode FOLDER``: in one process, and on a Ray cluster on this machine.

    python bench/cluster.py [--pictures 48] [--workers 2]

Prints the time of the whole command, which has the start of Ray and of the models in it, and the
pictures a second from the first result on, which is what a large folder gets. The cluster runs a
second time, and one of its workers is killed after a third of the pictures. All files must be those
of the one process, byte for byte. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import os
import signal
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


def workers_of(command: int) -> list[int]:
    """Processes of Ray's workers that a command has started and that have loaded their model."""
    parents, titles = {}, {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            status = (path / "status").read_text()
            titles[int(path.name)] = (path / "cmdline").read_text()
        except OSError:
            continue
        parents[int(path.name)] = int(status.split("PPid:")[1].split()[0])

    def is_below(process: int) -> bool:
        while process in parents:
            process = parents[process]
            if process == command:
                return True
        return False

    return [p for p, title in titles.items() if title.startswith("ray::_Actor") and is_below(p)]


def timed(
    folder: Path, out: Path, *options: str, kill_after: int | None = None
) -> tuple[float, float]:
    """Seconds of the whole command, and pictures a second from the first result on.

    Args:
        kill_after: number of results at which a worker is killed.
    """
    command = [sys.executable, "-m", "hsc", "encode", folder, out, "--no-align", *options]
    started = time.monotonic()
    with subprocess.Popen(
        list(map(str, command)), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        assert process.stderr
        results = []
        for line in process.stderr:
            if " bytes" not in line:
                continue
            results.append(time.monotonic())
            if len(results) == kill_after:
                victim = workers_of(process.pid)[0]
                os.kill(victim, signal.SIGKILL)
                print(f"worker {victim} killed after {kill_after} pictures", flush=True)
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
        ray = ("--ray", "local", "--workers", str(arguments.workers))
        kinds: dict[str, tuple[tuple[str, ...], int | None]] = {
            "one process": ((), None),
            f"Ray, {arguments.workers} workers": (ray, None),
            "Ray, one killed": (ray, arguments.pictures // 3),
        }
        files: dict[str, list[bytes]] = {}
        for kind, (options, kill_after) in kinds.items():
            out = Path(name) / kind
            seconds, rate = timed(folder, out, *options, kill_after=kill_after)
            print(
                f"{kind:20} {seconds:6.1f} s for {arguments.pictures} pictures, then {rate:.2f}/s",
                flush=True,
            )
            files[kind] = [path.read_bytes() for path in sorted(out.glob("*.hsc"))]
        first, *others = files.values()
        same = len(first) == arguments.pictures and all(other == first for other in others)
        print(f"all {len(first)} files the same in all three runs: {'yes' if same else 'NO'}")
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        if not same:
            raise SystemExit(1)


if __name__ == "__main__":
    main()
