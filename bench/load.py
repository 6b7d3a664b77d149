"""Twenty visitors at once against a studio of its own on this machine, and what it does with them.

    python bench/load.py [--visitors 20] [--rounds 5]

Starts ``app.py`` and fills its table of sessions. Then all visitors send a face of their own at
the same moment, round after round; one of them leaves while waiting. Checks that the others are
served in order of arrival, that positions in the queue were true, that everybody got their own
face, that the one who left was not served, and that memory returns to its level when they have
gone. Prints one line for each check and fails if one does not hold.
"""

from __future__ import annotations

import argparse
import io
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests" / "support"), str(HERE)]

from visitors import PATIENCE, Visit, Visitor, resident_mb, together  # noqa: E402

from app.cleanup import EVERY  # noqa: E402
from app.page import SESSIONS  # noqa: E402

START_LIMIT = 120.0  # seconds
NEWS = 0.3  # seconds
SETTLED = 2  # rounds after which all that the studio itself remembers is full
# Seconds after which the studio has given back what a crowd's temporary blocks left free. While it
# works, they are up to half of what it holds, more or less by chance, which says nothing of growth.
GONE = EVERY + 15


def faces(count: int) -> list[bytes]:
    """Generated faces as PNG."""
    import hsc

    codec = hsc.load("cpu")
    made = []
    for seed in range(count):
        buffer = io.BytesIO()
        codec.random_face(500 + seed).resize((512, 512)).save(buffer, format="PNG")
        made.append(buffer.getvalue())
    return made


def start(folder: Path) -> tuple[subprocess.Popen, str, float]:
    """The studio as a process of its own, its address, and the seconds until it answered."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_TEMP_DIR": str(folder),
    }
    url, started = f"http://127.0.0.1:{port}", time.monotonic()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=HERE.parent, env=environment, stdout=log, stderr=log
        )
    while process.poll() is None and time.monotonic() - started < START_LIMIT:
        try:
            httpx.get(url, timeout=5).raise_for_status()
            return process, url, time.monotonic() - started
        except httpx.HTTPError:
            time.sleep(0.1)
    process.kill()
    print((folder / "log").read_text(errors="replace"))
    raise SystemExit("the studio did not start")


def passing(url: str, first: Visitor, picture: bytes) -> None:
    """Fill the page's table of sessions, each with one cached result.

    Sessions are of about one size, and in a full table the oldest gives way to a new one. So
    whatever grows afterwards is no session.
    """
    for _ in range(SESSIONS):
        visitor = Visitor(url, first)
        with visitor.http:
            visitor.call("compress", visitor.upload("face.png", picture), 3.0, "scn+fcn", 0, False)


def crowd(url: str, pictures: list[bytes], leaver: int) -> list[Visit]:
    """Everyone comes right after the other; number ``leaver`` leaves while waiting."""
    visitors = [Visitor(url) for _ in pictures]
    files = [v.upload("face.png", p) for v, p in zip(visitors, pictures)]

    inside = [threading.Event() for _ in pictures]

    def visit(number: int) -> Visit:
        visitor = visitors[number]
        if number:
            inside[number - 1].wait(PATIENCE)  # so that who came first is beyond doubt
        event = visitor.join("compress", files[number], 3.0, "scn+fcn", 0, False)
        inside[number].set()
        if number != leaver:
            return visitor.wait(event)
        leaving = visitor.wait(event, until=lambda v: bool(v.positions))
        visitor.cancel("compress", event)
        leaving.left = time.monotonic()
        return leaving

    visits = together([lambda n=n: visit(n) for n in range(len(pictures))])
    for visitor, made in zip(visitors, visits):
        if made.output:
            made.output = [visitor.fetch(file) for file in made.output[:2]]
    return visits


def in_order(visits: list[Visit]) -> bool:
    """Whether those who came first were served first."""
    ends = [v.ended for v in visits if v.ended is not None]
    return ends == sorted(ends)


def untruth(visits: list[Visit], slack: float = NEWS) -> int:
    """The largest error of a position in the queue, against who was really served in between.

    One who stood before and left later counts as having been before. News reach the visitors up
    to ``slack`` seconds apart, so a position may be of a moment just before or after.
    """
    worst = 0
    for number, visit in enumerate(visits):
        if visit.started is None:
            continue
        for when, position in visit.positions:
            gone = [v.left if v.left is not None else v.started for v in visits[:number]]
            least, most = (sum(when + s <= moment for moment in gone) for s in (slack, -slack))
            worst = max(worst, least - position, position - most)
    return worst


def own_face(pictures: list[bytes], visits: list[Visit]) -> bool:
    """Whether what each got is most like what they sent, out of all that was sent."""
    sent = [_small(data) for data in pictures]
    for number, visit in enumerate(visits):
        if visit.output is None:
            continue
        got = _small(visit.output[1])
        distances = [np.square(got - picture).mean() for picture in sent]
        if int(np.argmin(distances)) != number:
            return False
    return True


def _small(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGB").resize((64, 64)), dtype=float)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    pictures = faces(arguments.visitors)
    leaver = arguments.visitors // 2
    failures = 0

    def report(good: bool, words: str) -> None:
        nonlocal failures
        failures += not good
        print(f"{'ok  ' if good else 'FAIL'} {words}", flush=True)

    with tempfile.TemporaryDirectory() as name:
        process, url, seconds = start(Path(name))
        try:
            print(f"     the page answered after {seconds:.1f} s")
            first = Visitor(url)
            asked = time.monotonic()
            one = first.call(
                "compress", first.upload("face.png", pictures[0]), 3.0, "scn+fcn", 0, False
            )
            if one.error:
                print(f"     {one.error}")
            report(
                one.error is None,
                f"first picture {seconds + one.ended - asked:.1f} s after the start",
            )
            again = first.call(
                "compress", first.upload("face.png", pictures[0]), 3.0, "scn+fcn", 0, False
            )
            if again.ended is not None and again.started is not None:
                took = 1000 * (again.ended - again.started)
                print(f"     the same again, remembered: {took:.0f} ms")
            passing(url, first, pictures[0])
            print(
                f"     memory after {SESSIONS} people looked in {resident_mb(process.pid):.0f} MB"
            )
            levels = {}
            for number in range(arguments.rounds):
                began = time.monotonic()
                visits = crowd(url, pictures, leaver)
                took = time.monotonic() - began
                served = sum(v.output is not None for v in visits)
                away = visits[leaver]
                report(
                    served == len(visits) - 1,
                    f"round {number + 1}: {served} of {len(visits) - 1} served in {took:.1f} s",
                )
                report(in_order(visits), "served in the order in which they came")
                wrong = untruth(visits)
                report(wrong == 0, f"largest error of a position in the queue: {wrong}")
                report(own_face(pictures, visits), "everybody got their own face")
                report(away.started is None, "the one who left was not served")
                print(f"     memory now {resident_mb(process.pid):.0f} MB", flush=True)
                if number + 1 in (SETTLED, arguments.rounds):
                    time.sleep(GONE)
                    levels[number + 1] = resident_mb(process.pid)
                    print(f"     memory when all have gone {levels[number + 1]:.0f} MB", flush=True)
            if len(levels) > 1:
                ratio = levels[arguments.rounds] / levels[SETTLED]
                words = f"memory after the last round over that after round {SETTLED}"
                report(ratio < 1.05, f"{words}: {ratio:.2f}")
        finally:
            process.terminate()
            process.wait(20)
    return failures


if __name__ == "__main__":
    sys.exit(main())
