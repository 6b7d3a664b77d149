"""Faces a minute through nginx, with one studio and with two, and how many a talk needs.

    python bench/behind_nginx.py [--seconds 60] [--visitors 8] [--studios 1,2]

Every visitor sends a face of its own, waits for the file and the picture, and sends the next one,
through the shipped configuration of nginx. The studios share this machine's cores: run it on one
that does nothing else. Needs nginx, as the tests do.
"""

from __future__ import annotations

import argparse
import io
import math
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests" / "support"), str(HERE)]

from load import start  # noqa: E402
from proxy import proxied  # noqa: E402
from visitors import Visitor, together  # noqa: E402

FACE = HERE.parent / "assets" / "examples" / "face-1.jpg"
TALK, FACES_EACH, MINUTES = 500, 2, 10


def picture(seed: int) -> bytes:
    """A face as nobody has sent it yet."""
    with Image.open(FACE) as image:
        face = np.asarray(image.convert("RGB").resize((512, 512)), dtype=np.int16)
    noise = np.random.default_rng(seed).integers(-4, 5, face.shape)
    buffer = io.BytesIO()
    Image.fromarray(np.clip(face + noise, 0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def visit(url: str, number: int, first: Visitor, end: float) -> list[float]:
    """Seconds that each face of a visitor took, until the time is over."""
    visitor, took = Visitor(url, first), []
    # as a browser comes, so that nginx gives it a studio of its own
    visitor.http.get("/", headers={"accept": "text/html"}).raise_for_status()
    while (began := time.monotonic()) < end:
        photo = visitor.upload("face.jpg", picture(1000 * number + len(took)))
        made = visitor.call("compress", photo, 3.0, "scn+fcn", 0, False)
        if made.output is None:
            raise SystemExit(f"no result: {made.error}")
        visitor.fetch(made.output[0])
        if time.monotonic() < end:
            took.append(time.monotonic() - began)
    return took


def measure(count: int, seconds: float, visitors: int) -> float:
    """Faces a minute with so many studios."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder, ports = Path(name), []
        files = folder / "visitors"
        files.mkdir()
        for _ in range(count):
            process, url, _ = start(files)
            stack.callback(process.wait, 20)
            stack.callback(process.terminate)
            ports.append(int(url.rsplit(":", 1)[1]))
        port = stack.enter_context(proxied("nginx.conf", folder, ports))
        url = f"http://127.0.0.1:{port}"
        for each in ports:  # the first call of a studio waits for its model
            warm = Visitor(f"http://127.0.0.1:{each}")
            warm.call("compress", warm.upload("face.jpg", picture(each)), 3.0, "scn+fcn", 0, False)
        end = time.monotonic() + seconds
        first = Visitor(url)
        calls = [lambda n=n: visit(url, n, first, end) for n in range(visitors)]
        took = [each for one in together(calls) for each in one]
    rate = 60 * len(took) / seconds
    print(
        f"{count} studio{'s' * (count > 1)}: {rate:.0f} faces a minute; with {visitors} visitors "
        f"each takes {statistics.median(took):.1f} s, one in ten more than "
        f"{sorted(took)[int(0.9 * len(took))]:.1f} s",
        flush=True,
    )
    return rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--visitors", type=int, default=8)
    parser.add_argument("--studios", default="1,2")
    arguments = parser.parse_args()
    rates = {
        count: measure(count, arguments.seconds, arguments.visitors)
        for count in map(int, arguments.studios.split(","))
    }
    if 1 in rates:
        need = TALK * FACES_EACH / MINUTES
        print(
            f"{TALK} people with {FACES_EACH} faces each in {MINUTES} minutes are {need:.0f} a "
            f"minute: {math.ceil(need / rates[1])} machines like this with a studio each"
        )


if __name__ == "__main__":
    main()
