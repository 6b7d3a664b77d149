"""Clips of a moving face: coded frame by frame, drawn from the file, and shown beside the original.

The model's thread is asked for one frame at a time, so that other visitors' pictures go in between.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from app.cache import Cache, SharedCache, fingerprint
from app.executor import Executor, one_core
from app.results import Edits
from app.services.clips import Frame, clip
from hsc.errors import BitstreamError
from hsc.images import marks

if TYPE_CHECKING:  # it brings PyTorch, for which the page does not wait
    from hsc.sequence import EncodedFrame, SequenceFile

MOST_SECONDS = 10.0
RATES = (5, 8, 10, 12)
"""Coded frames a second that a visitor can choose."""
LARGEST_FILE = 8 << 20
"""Bytes of an uploaded ``.hsv`` file."""
MOST_FRAMES = 150
"""Coded frames of an uploaded file that are drawn."""
SHOWN_PX = 512
"""Side of each of the two pictures beside each other."""
GIF_STEP = 2
"""Every so many-th shown frame is in a GIF."""


@dataclass(frozen=True)
class Step:
    """How far a long call is, in frames; 0 of 0 where nothing is known."""

    done: int
    total: int


@dataclass(frozen=True)
class CodedFrame:
    """Bits of one coded frame."""

    scn: int
    fcn: int
    rest: int
    key: bool
    lost: bool = False


@dataclass(frozen=True)
class CodedClip:
    """A clip's file and what it says.

    Attributes:
        data: the ``.hsv`` file.
        source: path of the video that it was made from; None where a file was opened.
        frames: bits of each coded frame, lost ones with none.
        facts: as ``hsc.sequence.describe``.
        kbits: the rate that was aimed at, in kbit/s; None where a level was, or a file was opened.
    """

    data: bytes
    source: str | None
    frames: tuple[CodedFrame, ...]
    facts: dict[str, Any]
    kbits: float | None = None


@dataclass(frozen=True)
class DrawnClip:
    """What a file draws.

    Attributes:
        beside: MP4, the original at the left where it is known, the decoded face at the right.
        alone: MP4 of the decoded face.
        gif: the decoded face, small.
        px: side of the decoded frames.
    """

    beside: bytes
    alone: bytes
    gif: bytes
    px: int


class Moving:
    """From clips to ``.hsv`` files and back."""

    def __init__(self, executor: Executor, cache: SharedCache) -> None:
        self.executor = executor
        self._coded: Cache[CodedClip] = Cache(cache)
        self._drawn: Cache[DrawnClip] = Cache(cache)

    def encode_steps(
        self,
        path: str,
        level: float = 2,
        fps: float = 10,
        cancelled: Callable[[], bool] = lambda: False,
        kbits: float | None = None,
    ) -> Iterator[Step | CodedClip]:
        """Code the first seconds of a video file: yields its progress, then the result.

        Args:
            kbits: a rate in kbit/s instead of a level. Its progress is the mean of the frames that
                were analysed and those that were coded, because the latter come in groups.

        Raises:
            PhotoError: it is no video. NoFaceError: its first frames show no face.
            HscError: the rate is too low.
        """
        from hsc import sequence

        data = Path(path).read_bytes()
        chosen = ("level", round(float(level), 2)) if kbits is None else ("kbits", float(kbits))
        key = fingerprint(data), chosen, float(fps)
        known = self._coded.get(key)
        if known is not None:
            yield replace(known, source=path)
            return
        source = sequence.Clip.open(path)
        fps = min(float(fps), source.fps)
        # what a browser recorded does not say how long it is
        total = sequence.expected_frames(source, fps, MOST_SECONDS) if source.seconds else 0
        coded: list[Any] = []
        yield Step(0, total)
        found = self._one_by_one(cancelled, _coded, path, level, kbits, fps, total)
        for done, each in found:
            if each is not None:
                coded.append(each.frame)
                level = each.level
            yield Step(done, max(total, done) if total else 0)
        if not coded or cancelled():
            return
        header = sequence.header_of(self.executor.codec, source, level, fps, len(coded))
        packed = sequence.pack(header, tuple(coded))
        yield self._coded.put(key, replace(self.read(packed, path), kbits=kbits))

    def read(self, data: bytes, source: str | None = None) -> CodedClip:
        """What a ``.hsv`` file of unknown origin holds.

        Raises:
            BitstreamError: nothing that can be read, too much to draw, or another model's.
        """
        from hsc import sequence

        if len(data) > LARGEST_FILE:
            raise BitstreamError("This is not a .hsv file: it is far too large for one.")
        file = sequence.unpack(data)
        if file.header.frames > MOST_FRAMES:
            raise BitstreamError(
                f"This clip has {file.header.frames} coded frames, and at most {MOST_FRAMES} are "
                "drawn here: decode it with `hsc decode`."
            )
        return CodedClip(
            data, source, _frames_of(self.executor.codec, file), sequence.describe(data)
        )

    def draw_steps(
        self,
        coded: CodedClip,
        edits: Edits | None = None,
        full_size: bool = False,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[Step | DrawnClip]:
        """Draw a file: yields the progress in shown frames, then the clips.

        Args:
            edits: of the whole clip.
            full_size: draw at the generator's size; otherwise previews, several times faster.
        """
        from hsc import sequence
        from hsc.sequence.video import Mp4Writer

        edits = edits or Edits()
        key = fingerprint(coded.data), coded.source, edits, full_size
        known = self._drawn.get(key)
        if known is not None:
            yield known
            return
        header = sequence.unpack(coded.data).header
        total = header.frames * header.shown
        originals = _originals(coded.source, header.shown_fps)
        with tempfile.TemporaryDirectory(prefix="hsc-clip-") as folder:
            beside = Mp4Writer(Path(folder) / "beside.mp4", header.shown_fps)
            alone = Mp4Writer(Path(folder) / "alone.mp4", header.shown_fps)
            small: list[Frame] = []
            px = 0
            yield Step(0, total)
            drawn = self._one_by_one(
                cancelled, _shown, coded.data, edits.amounts, edits.keep_details, not full_size
            )
            for done, frame in enumerate(drawn, 1):
                px = frame.picture.width
                with one_core():
                    pair = _pair(next(originals, None), frame)
                beside.add(pair)
                alone.add(frame.picture)
                if (done - 1) % GIF_STEP == 0:
                    side = min(px, 320)
                    size = side, side
                    ms = round(1000 * GIF_STEP / header.shown_fps)
                    small.append(Frame(frame.picture.resize(size, Image.Resampling.BOX), ms))
                yield Step(done, max(total, done))
            for writer in (beside, alone):
                if px:
                    writer.close()
            if cancelled() or not px:
                return
            mark = marks.decoded(coded.data, "scn+fcn", edits.amounts, edits.keep_details)
            result = DrawnClip(
                marks.in_mp4(beside.path.read_bytes(), mark),
                marks.in_mp4(alone.path.read_bytes(), mark),
                clip(small, "gif", mark),
                px,
            )
        yield self._drawn.put(key, result)

    def _one_by_one(
        self, cancelled: Callable[[], bool], call: Callable[..., Iterator[Any]], *args: Any
    ) -> Iterator[Any]:
        """Items of a generator function of the codec, each computed in the model's thread."""
        if self.executor.remote:  # each call waits for a device: all at once
            yield from self.executor.run(_all, call, *args)
            return
        values = call(self.executor.codec, *args)  # it computes nothing until it is asked
        while not cancelled():
            item = self.executor.run(_next, values)
            if item is None:
                return
            yield item


def _next(codec: Any, values: Iterator[Any]) -> Any:
    return next(values, None)


def _all(codec: Any, call: Callable[..., Iterator[Any]], *args: Any) -> list[Any]:
    return list(call(codec, *args))


def _coded(
    codec: Any, path: str, level: float, kbits: float | None, fps: float, total: int
) -> Iterator[tuple[int, EncodedFrame | None]]:
    """The frames of a clip's first seconds, as ``hsc.sequence.clip_steps``."""
    from hsc import sequence

    clip = sequence.Clip.open(path)
    yield from sequence.clip_steps(
        codec, clip, total, level, kbits=kbits, fps=fps, seconds=MOST_SECONDS
    )


def _shown(
    codec: Any, data: bytes, edits: dict[str, float], keep_details: float, preview: bool
) -> Iterator[Any]:
    """The pictures of a file."""
    from hsc import sequence

    yield from sequence.decode_frames(codec, data, edits, keep_details, preview=preview)


def _frames_of(codec: Any, file: SequenceFile) -> tuple[CodedFrame, ...]:
    from hsc import sequence

    found = [CodedFrame(0, 0, 0, False, lost=True)] * file.header.frames
    for frame, cost in zip(file.frames, sequence.frame_costs(codec, file), strict=True):
        scn, fcn, rest = round(cost.scn), round(cost.fcn), round(cost.rest)
        found[frame.number] = CodedFrame(scn, fcn, rest, frame.key)
    return tuple(found)


def _originals(source: str | None, fps: float) -> Iterator[Image.Image]:
    from hsc import sequence

    if source is None or not Path(source).is_file():
        return
    yield from sequence.Clip.open(source).frames(fps, MOST_SECONDS)


def _pair(original: Image.Image | None, frame: Any) -> Image.Image:
    """The original's crop at the left and the decoded face at the right; alone without it."""
    from hsc.domains.ffhq_face.align import cut_square

    size = SHOWN_PX, SHOWN_PX
    drawn = frame.picture.resize(size, Image.Resampling.LANCZOS)
    if original is None:
        return drawn
    canvas = Image.new("RGB", (2 * SHOWN_PX, SHOWN_PX))
    canvas.paste(cut_square(original, frame.place.square, SHOWN_PX), (0, 0))
    canvas.paste(drawn, (SHOWN_PX, 0))
    return canvas
