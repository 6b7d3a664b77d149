"""Hostile files and pictures by the thousand, through the library and through the page.

    python bench/fuzz.py [--files 5000] [--pictures 500] [--seed 0] [--limit 2]
                         [--no-page] [--no-library]

Everything must end within the limit in a picture or in one plain sentence, without a path or a
trace, and the studio must answer afterwards as before. Times are processor time, of this process
in the library and of the studio through the page, for other programs do not count; what the studio
does not answer within ten minutes is an offence as well. Prints one line a campaign, the offenders
above it, and fails if there are any.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests" / "support"), str(HERE)]

import hostile  # noqa: E402
import httpx  # noqa: E402
from hostile import complaint  # noqa: E402
from load import start  # noqa: E402
from visitors import Visitor, processor_seconds  # noqa: E402

import hsc  # noqa: E402
from hsc.domains.ffhq_face import find_faces  # noqa: E402
from hsc.errors import HscError  # noqa: E402
from hsc.images.photo import read_photo  # noqa: E402
from hsc.types import LAYERS  # noqa: E402

Clock = Callable[[], float]
Cases = Iterable[hostile.Named]
DEEP = 20
"""Through the page one file in so many reaches the entropy coder; accepted files are rendered."""


@dataclass
class Campaign:
    """What became of a number of cases."""

    name: str
    limit: float
    clock: Clock
    taken: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, str] = (0.0, "")
    offences: list[str] = field(default_factory=list)

    def case(self, name: str, call: Callable[[], str | None]) -> None:
        """Run one case; ``call`` gives the refusal, or None when it was taken."""
        started = self.clock()
        try:
            refusal = call()
        except HscError as error:
            refusal = str(error)
        except Exception as error:
            self.offences.append(f"{name}: {type(error).__name__}: {error}")
            refusal = "crashed."
        seconds = self.clock() - started
        self.slowest = max(self.slowest, (seconds, name))
        if seconds > self.limit:
            self.offences.append(f"{name}: {seconds:.1f} s")
        if refusal is None:
            self.taken += 1
            return
        self.refused[refusal] += 1
        wrong = complaint(refusal)
        if wrong:
            self.offences.append(f"{name}: {wrong} in {refusal[:200]!r}")

    def report(self) -> int:
        """Print the result; how many offences there were."""
        for offence in self.offences:
            print(f"  {offence}")
        refused = sum(self.refused.values())
        print(
            f"{self.name}: {self.taken + refused} cases, {self.taken} taken, {refused} refused in "
            f"{len(self.refused)} different sentences, slowest {self.slowest[0]:.2f} s "
            f"({self.slowest[1]}), {len(self.offences)} offences",
            flush=True,
        )
        return len(self.offences)


def library_files(codec, cases: Cases, limit: float) -> Campaign:
    """Read the bits of damaged files, down to the feature map."""
    campaign = Campaign(".hsc files, library", limit, time.process_time)
    for number, (name, data) in enumerate(cases):
        campaign.case(name, lambda: _taken(codec.open(data, LAYERS[number % 3])))
    return campaign


def library_pictures(cases: Cases, limit: float) -> Campaign:
    """Read strange pictures, and look for faces in what can be read."""
    campaign = Campaign("pictures, library", limit, time.process_time)
    for name, data in cases:
        campaign.case(name, lambda: _taken(find_faces(read_photo(data))))
    return campaign


def page_files(url: str, clock: Clock, cases: Cases, limit: float) -> Campaign:
    """Upload damaged files and have them decoded."""
    campaign, visitor = Campaign(".hsc files, page", limit, clock), Visitor(url)
    for number, (name, data) in enumerate(cases):
        layers = LAYERS[number % 3]
        campaign.case(name, lambda: _sent(visitor, "decode", "face.hsc", data, [layers, {}]))
    return campaign


def page_pictures(url: str, clock: Clock, cases: Cases, limit: float) -> Campaign:
    """Upload strange pictures and have them compressed."""
    campaign, visitor = Campaign("pictures, page", limit, clock), Visitor(url)
    rest = [3.0, "scn", 0, True]
    for name, data in cases:
        campaign.case(name, lambda: _sent(visitor, "compress", "face.png", data, rest))
    return campaign


def page_arguments(url: str, clock: Clock, photo: bytes, limit: float) -> Campaign:
    """Call the endpoints with what no page sends."""
    campaign, visitor = Campaign("arguments, page", limit, clock), Visitor(url)
    upload = visitor.upload("face.png", photo)
    for name, endpoint, values in hostile.arguments(upload):
        campaign.case(name, lambda: _called(visitor, endpoint, values))
    return campaign


def _taken(_: object) -> None:
    """Nothing was refused."""


def _sent(visitor: Visitor, endpoint: str, name: str, data: bytes, rest: list) -> str | None:
    return _called(visitor, endpoint, [visitor.upload(name, data), *rest])


def _called(visitor: Visitor, endpoint: str, values: list) -> str | None:
    try:
        visit = visitor.call(endpoint, *values)
    except httpx.HTTPStatusError as error:
        return error.response.text
    except ValueError as error:  # NaN and infinity are no JSON: they cannot even be sent
        return f"cannot be sent: {error}"
    return None if visit.output is not None else visit.error


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--pictures", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=float, default=2.0, help="seconds for one case")
    parser.add_argument("--no-page", action="store_true", help="the library only")
    parser.add_argument("--no-library", action="store_true", help="the page only")
    options = parser.parse_args()
    codec = hsc.load("cpu")
    photo = codec.random_face(1)
    good = [codec.encode(photo, level, align=False) for level in (1, 2.7, 6)]
    codec.open(good[0])
    find_faces(photo)  # loads the detector, whose time is nobody's fault

    def files(deep: int = 4):
        return hostile.files(good, options.files, options.seed, deep)

    def pictures():
        return hostile.pictures(options.pictures, options.seed)

    offences = 0
    if not options.no_library:
        offences += library_files(codec, files(), options.limit).report()
        offences += library_pictures(pictures(), options.limit).report()
    if options.no_page:
        return int(offences > 0)
    with tempfile.TemporaryDirectory() as name:
        process, url, _ = start(Path(name))
        try:
            visitor, png = Visitor(url), hostile.saved(photo, "PNG")
            first = _sent(visitor, "compress", "face.png", png, [3.0, "scn", 0, True])
            assert first is None, first

            def clock() -> float:
                return processor_seconds(process.pid)

            offences += page_arguments(url, clock, png, options.limit).report()
            offences += page_files(url, clock, files(DEEP), options.limit).report()
            offences += page_pictures(url, clock, pictures(), options.limit).report()
            again = _sent(visitor, "compress", "face.png", png, [4.0, "scn", 0, True])
            print(f"afterwards the studio {'works' if again is None else f'says {again!r}'}")
            offences += again is not None
        finally:
            process.terminate()
            process.wait(20)
            log = (Path(name) / "log").read_text(errors="replace")
            traces = log.count("Traceback")
            print(f"the studio's log has {traces} traces")
            if traces:
                print(log[-6000:])
    return int(offences > 0)


if __name__ == "__main__":
    sys.exit(main())
