"""Short clips to share: a face as its bytes arrive, and the way between pictures and back.

MP4 is made by the FFmpeg that the package imageio-ffmpeg carries, a program of its own (GPL) that
runs as its own process. Where the package is missing there are WebP and GIF, by Pillow.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from app.results import Sizes
from app.services.lettering import CAVEAT, GREY, INK, PAPER, bytes_bar, rounded, write
from hsc.errors import HscError
from hsc.images import marks

KINDS = ("mp4", "webp", "gif")
GIF_WIDTH = 480
"""Pixels: a GIF has no way to say that two frames are alike, and would take megabytes."""
FPS = 25  # of an MP4; the durations of frames are kept to 40 ms
STEP_MS, REST_MS = 80, 600
"""How long a frame stands, and the first and the last of a way."""
SIDE, EDGE = 640, 24
"""Pixels: of an arriving face, and around it."""


@dataclass(frozen=True)
class Frame:
    """A picture, and how long it stands in milliseconds."""

    picture: Image.Image
    ms: int = STEP_MS


def kinds() -> tuple[str, ...]:
    """Those of KINDS that can be made here, the best first."""
    return KINDS if find_spec("imageio_ffmpeg") else KINDS[1:]


def clip(frames: Iterable[Frame], kind: str, mark: marks.Mark | None = None) -> bytes:
    """A clip's file, which plays for ever where the kind can say so.

    Args:
        frames: RGB, all of one size.
        kind: one of KINDS.
        mark: by default that of the first picture that carries one.

    Raises:
        HscError: the kind is unknown or not available, or there are no frames.
    """
    shown = list(frames)
    if kind not in KINDS:
        raise HscError(f"The kinds of clips are {', '.join(KINDS)}, not {kind!r}.")
    if not shown:
        raise HscError("Expected pictures for a clip and got none.")
    marked = (marks.of(frame.picture) for frame in shown)
    mark = mark or next(filter(None, marked), None)
    if kind != "mp4":
        return _by_pillow(shown, kind, mark)
    data = mp4(_evenly(shown), FPS)
    return marks.in_mp4(data, mark) if mark else data


def there_and_back(
    pictures: Iterable[Image.Image], ms: int = STEP_MS, rest: int = REST_MS
) -> list[Frame]:
    """Pictures in order and back again, with a rest at both ends: a morph, or an edit's strip."""
    way = list(pictures)
    last = len(way) - 1
    there = [Frame(each, rest if n in (0, last) else ms) for n, each in enumerate(way)]
    return there + there[-2:0:-1]


def mp4(pictures: Iterable[Image.Image], fps: int = FPS) -> bytes:
    """Pictures as H.264 in an MP4 file that every browser and phone plays.

    Args:
        pictures: of one size; an odd last row or column is left out.
        fps: pictures a second.

    Raises:
        HscError: imageio-ffmpeg is missing, or FFmpeg failed.
    """
    from hsc.sequence.video import write_mp4  # it brings PyTorch, for which the page does not wait

    with tempfile.TemporaryDirectory(prefix="hsc-clip-") as folder:
        path = Path(folder) / "clip.mp4"
        write_mp4(path, pictures, fps)
        return path.read_bytes()


def arriving(
    sizes: Sizes,
    scn: Image.Image,
    both: Image.Image | None,
    rival: tuple[str, Image.Image | None] | None = None,
) -> Iterator[Frame]:
    """A face as its bytes arrive: nothing, then what SCN draws, then what both layers draw.

    Args:
        sizes: of the file.
        scn, both: the pictures that the layers draw; None where the file has SCN alone.
        rival: the name of another codec, and its picture in as many bytes, which stands beside
            ours once all of its bytes are there; None: it cannot be made that small.
    """
    shown = [(sizes.header + sizes.scn, scn)]
    if both is not None:
        shown.append((sizes.total, both))
    mark = marks.of(both or scn)
    steps = [(0, 500)]
    for (there, _), count, rest in zip(shown, (9, 26), (700, 0)):
        start = steps[-1][0]
        steps += [(start + (there - start) * n // count, STEP_MS) for n in range(1, count)]
        steps.append((there, rest + STEP_MS))
    steps.append((sizes.total, 2400))
    squares = [(there, rounded(picture, SIDE)) for there, picture in shown]
    beside = rounded(rival[1], SIDE) if rival and rival[1] else None
    for arrived, ms in steps:
        ours = next((square for there, square in reversed(squares) if arrived >= there), None)
        canvas = _arrival(sizes, arrived, ours, rival, beside)
        yield Frame(canvas if mark is None else marks.put(canvas, mark), ms)


def _arrival(
    sizes: Sizes,
    arrived: int,
    ours: tuple[Image.Image, Image.Image] | None,
    rival: tuple[str, Image.Image | None] | None,
    beside: tuple[Image.Image, Image.Image] | None,
) -> Image.Image:
    """One picture of an arriving face: the face, the count of bytes and the bar below."""
    columns = 2 if rival else 1
    width = EDGE + columns * (SIDE + EDGE)
    canvas = Image.new("RGB", (width, SIDE + 196), PAPER)
    draw, done = ImageDraw.Draw(canvas), arrived >= sizes.total
    for column, square in enumerate([ours, beside if done else None][:columns]):
        left = EDGE + column * (SIDE + EDGE)
        if square:
            canvas.paste(square[0], (left, EDGE), square[1])
        else:
            box = (left, EDGE, left + SIDE, EDGE + SIDE)
            draw.rounded_rectangle(box, 18, fill="#e9e9e4")
            words = "Nothing to see yet" if column or arrived else "No byte has arrived"
            if column and done:
                words = "Cannot be made this small"
            middle = (left + SIDE / 2, EDGE + SIDE / 2)
            write(draw, middle, words, 24, GREY, anchor="mm")
    top = SIDE + EDGE + 20
    name = "HSC" if rival else ""
    wide = write(draw, (EDGE, top), f"{arrived:,}", 52, bold=True)
    write(draw, (EDGE + wide + 12, top + 22), f"of {sizes.total:,} bytes  {name}", 26, INK)
    if rival:
        words = f"{rival[0]} in as many bytes"
        write(draw, (2 * EDGE + SIDE, top + 22), words, 26, INK)
    bytes_bar(canvas, (EDGE, top + 74, width - EDGE, top + 92), sizes, arrived)
    write(draw, (EDGE, top + 108), CAVEAT, 19, GREY, width=width - 2 * EDGE)
    return canvas


def _evenly(frames: Sequence[Frame]) -> Iterator[Image.Image]:
    """Frames of different durations as pictures of one duration, FPS a second."""
    shown, due = 0, 0.0
    for frame in frames:
        due += frame.ms * FPS / 1000
        while shown < max(round(due), 1):
            yield frame.picture
            shown += 1


def _by_pillow(frames: Sequence[Frame], kind: str, mark: marks.Mark | None) -> bytes:
    options: dict[str, Any] = {"quality": 82, "method": 4} if kind == "webp" else {}
    out = io.BytesIO()
    pictures = [frame.picture for frame in frames]
    if kind == "gif" and pictures[0].width > GIF_WIDTH:
        size = (GIF_WIDTH, round(pictures[0].height * GIF_WIDTH / pictures[0].width))
        pictures = [picture.resize(size, Image.Resampling.LANCZOS) for picture in pictures]
    first, *rest = pictures
    marks.save(
        first,
        out,
        kind.upper(),
        mark=mark,
        save_all=True,
        append_images=rest,
        duration=[frame.ms for frame in frames],
        loop=0,
        **options,
    )
    return out.getvalue()
