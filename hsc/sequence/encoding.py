"""Clips to ``.hsv`` files, frame by frame: memory does not grow with a clip's length."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PIL import Image

from hsc.domains.ffhq_face.align import cut_square
from hsc.errors import BitstreamError
from hsc.photograph.placement import Placement
from hsc.sequence.container import (
    MAX_FRAMES,
    MAX_SHOWN,
    Frame,
    Header,
    pack,
)
from hsc.sequence.rates import Rate
from hsc.sequence.temporal import State, TemporalCodec
from hsc.sequence.track import Follower, placed
from hsc.sequence.video import Clip, Report
from hsc.types import DecodedLatents, Inversion

if TYPE_CHECKING:
    from hsc.codec import Codec

CODED_FPS = 10.0
SHOWN_FPS = 30.0
"""The highest rate at which frames are shown; frames between coded ones are interpolated."""
KEY_SECONDS = 5.0
"""Time from one key frame to the next: what a lost frame costs at most."""


class HasModel(Protocol):
    """A codec, as far as a header names it."""

    @property
    def model_id(self) -> int: ...


@dataclass(frozen=True)
class EncodedFrame:
    """A coded frame, and what the encoder saw.

    Attributes:
        frame: what the file holds of it.
        crop: the aligned original, image_px x image_px.
        latents: what the frame decodes to.
        level: of the whole sequence.
    """

    frame: Frame
    crop: Image.Image
    latents: DecodedLatents
    level: float


def encode_frames(
    codec: Codec,
    pictures: Iterable[Image.Image],
    level: float = 2,
    *,
    kbits: float | None = None,
    fps: float = CODED_FPS,
    align: bool = True,
    face: int = 0,
    key_seconds: float = KEY_SECONDS,
) -> Iterator[EncodedFrame]:
    """Code pictures one after the other; ``pack`` makes a file of what comes out.

    By a level a frame comes out a few frames after it came in. By a rate those from one key frame
    to the next come out together: they are held in memory, 8 MB a frame.

    Args:
        pictures: RGB, all of one size, the frames to be coded.
        level: bitrate level of every frame, 1 to 6.
        kbits: a rate in kbit/s instead of a level, kept on the mean where that is possible.
        fps: how many of them are a second.
        align: find the face and follow it; otherwise the centre is taken.
        face: which face of the first picture, 0 being the largest.
        key_seconds: time between key frames.

    Raises:
        NoFaceError: the first pictures show no face.
        BitstreamError: the level is out of range, or there are more frames than a file holds.
        HscError: the rate is lower than ``rates.LEAST_KBITS``.
    """
    frames = analysed_frames(codec, pictures, align, face)
    return code_frames(codec, frames, level, kbits=kbits, fps=fps, key_seconds=key_seconds)


@dataclass(frozen=True)
class AnalysedFrame:
    """A frame that waits to be coded.

    Attributes:
        crop: the aligned original, image_px x image_px.
        place: where it was cut from the picture.
        latents: what the encoder sees in it.
    """

    crop: Image.Image
    place: Placement
    latents: Inversion


def analysed_frames(
    codec: Codec, pictures: Iterable[Image.Image], align: bool = True, face: int = 0
) -> Iterator[AnalysedFrame]:
    """The first half of ``encode_frames``: the face is followed, and every frame analysed."""
    spec = codec.networks.config.generator
    follower = Follower(spec.domain, face, align)
    for image, place in placed(pictures, follower):
        crop = cut_square(image, place.square, spec.image_px)
        yield AnalysedFrame(crop, place, codec.analyse(crop, correct=False))


def code_frames(
    codec: Codec,
    frames: Iterable[AnalysedFrame],
    level: float = 2,
    *,
    kbits: float | None = None,
    fps: float = CODED_FPS,
    key_seconds: float = KEY_SECONDS,
) -> Iterator[EncodedFrame]:
    """The second half of ``encode_frames``, with its arguments."""
    steps = _steps(codec, frames, level, kbits, fps, key_seconds)
    return (each for each in steps if each is not None)


def _steps(
    codec: Codec,
    frames: Iterable[AnalysedFrame],
    level: float,
    kbits: float | None,
    fps: float,
    key_seconds: float,
) -> Iterator[EncodedFrame | None]:
    every = max(1, round(key_seconds * fps))
    if kbits is None:
        return _by_level(TemporalCodec(codec.networks, level), frames, every)
    return _by_rate(Rate(codec.networks, kbits, fps), frames, every)


class FrameCoder:
    """Codes each frame given the one before, or as a key frame: at times, and where that costs no
    more.

    Args:
        every: frames from one key frame to the next at most.
    """

    def __init__(self, temporal: TemporalCodec, every: int) -> None:
        self.temporal, self.every = temporal, every
        self._state: State | None = None
        self._since = 0
        self._still = 0.0  # cost of the last key frame

    def code(self, latents: Inversion) -> tuple[tuple[bytes, ...], State]:
        """The layers of the next frame, and what they leave."""
        codec, state = self.temporal, self._state
        key = state is None or self._since >= self.every
        if state is not None and not key:
            layers, after = codec.encode(latents, state)
            key = codec.cost(layers, latents, after) > self._still
        if key:
            layers, after = codec.encode_key(latents)
            self._since, self._still = 0, codec.cost(layers, latents, after)
        self._since += 1
        self._state = after
        return layers, after

    def begin(self) -> None:
        """The next frame is a key frame."""
        self._state = None


def _by_level(
    temporal: TemporalCodec, frames: Iterable[AnalysedFrame], every: int
) -> Iterator[EncodedFrame]:
    coder = FrameCoder(temporal, every)
    for number, each in enumerate(_counted(frames)):
        layers, state = coder.code(each.latents)
        yield EncodedFrame(
            Frame(number, each.place, layers), each.crop, state.latents, temporal.level
        )


def _by_rate(
    how: Rate, frames: Iterable[AnalysedFrame], every: int
) -> Iterator[EncodedFrame | None]:
    """Groups of frames, each from a key frame or a cut to the next; None at every pause."""
    done = 0

    def coded(group: list[AnalysedFrame]) -> Iterator[EncodedFrame | None]:
        nonlocal done
        waiting = iter(group)
        for found in how.steps([each.latents for each in group], [each.place for each in group]):
            if found is None:
                yield None
                continue
            layers, state = found
            each = next(waiting)
            frame = Frame(done, each.place, layers)
            yield EncodedFrame(frame, each.crop, state.latents, how.level or 1)
            done += 1

    held: list[AnalysedFrame] = []
    for each in _counted(frames):
        if held and (len(held) >= every or how.is_cut(held[-1].latents, each.latents)):
            yield from coded(held)
            held = []
        held.append(each)
        yield None
    if held:
        yield from coded(held)


def _counted(frames: Iterable[AnalysedFrame]) -> Iterator[AnalysedFrame]:
    for number, each in enumerate(frames):
        if number == MAX_FRAMES:
            raise BitstreamError(f"A sequence holds at most {MAX_FRAMES} frames; cut the clip.")
        yield each


def clip_steps(
    codec: Codec,
    clip: Clip,
    total: int,
    level: float = 2,
    *,
    kbits: float | None = None,
    fps: float = CODED_FPS,
    seconds: float | None = None,
    align: bool = True,
    face: int = 0,
) -> Iterator[tuple[int, EncodedFrame | None]]:
    """How many frames of a video file are done, and a coded one, or None at a pause of the work.

    By a rate there is a pause after every frame that was analysed and at every step of the search,
    of about a second each: others may compute meanwhile, and whoever waits may give up. Frames come
    out in groups then, so those that are done are the mean of the analysed and the coded ones.

    Args:
        total: frames that are expected, 0 where that is not known. Others as :func:`encode_clip`.
    """
    read = coded = 0

    def pictures() -> Iterator[Image.Image]:
        nonlocal read
        for picture in clip.frames(fps, seconds):
            read += 1
            yield picture

    frames = analysed_frames(codec, pictures(), align, face)
    key_seconds = KEY_SECONDS if kbits is None else key_seconds_of(total, fps)
    for each in _steps(codec, frames, level, kbits, fps, key_seconds):
        coded += each is not None
        yield coded if kbits is None else (read + coded) // 2, each


def encode_clip(
    codec: Codec,
    clip: Clip | str | Path,
    level: float = 2,
    *,
    kbits: float | None = None,
    fps: float = CODED_FPS,
    seconds: float | None = None,
    align: bool = True,
    face: int = 0,
    sound: bool = False,
    progress: Report | None = None,
) -> bytes:
    """A video file to the bytes of a ``.hsv`` file.

    Args:
        level: bitrate level of every frame, 1 to 6.
        kbits: a rate in kbit/s instead of a level: the file takes at most that, without its sound,
            unless its key frames alone take more.
        fps: frames a second that are coded; the others are interpolated when shown.
        seconds: of the clip, from its beginning; None: all.
        sound: keep its sound, as Opus of 8 kbit/s.
        progress: called after every coded frame, and at every pause of :func:`clip_steps`.

    Raises:
        PhotoError: the file is no video. NoFaceError: its first frames show no face.
        HscError: imageio-ffmpeg is missing, or the rate is too low.
    """
    clip = clip if isinstance(clip, Clip) else Clip.open(clip)
    fps = min(fps, clip.fps)
    header_of(codec, clip, level, fps, 1)  # says what is out of range before minutes go by
    total = expected_frames(clip, fps, seconds)
    frames: list[Frame] = []
    steps = clip_steps(
        codec, clip, total, level, kbits=kbits, fps=fps, seconds=seconds, align=align, face=face
    )
    for done, each in steps:
        if each is not None:
            frames.append(each.frame)
            level = each.level
        if progress:
            progress(done, max(total, done))
    header = header_of(codec, clip, level, fps, len(frames))
    return pack(header, tuple(frames), clip.sound(seconds) if sound else b"")


def key_seconds_of(total: int, fps: float) -> float:
    """Time between key frames that leaves no short rest at the end of a clip: 5 s or less.

    Args:
        total: frames that are expected, 0 where that is not known.
    """
    usual = KEY_SECONDS * fps
    groups = math.ceil(total / usual)
    if not groups:
        return KEY_SECONDS
    return (math.ceil(total / groups) + 2) / fps  # a clip may have a frame or two more than it says


def expected_frames(clip: Clip, fps: float, seconds: float | None = None) -> int:
    """About how many frames of a clip are coded; 0 where the clip does not say its length."""
    length = min(clip.seconds, seconds) if seconds and clip.seconds else clip.seconds or seconds
    return round((length or 0) * fps)


def header_of(codec: HasModel, clip: Clip, level: float, fps: float, frames: int) -> Header:
    """The header of a clip's file."""
    shown = shown_for_each(fps, min(SHOWN_FPS, max(clip.fps, fps)))
    return Header(codec.model_id, level, fps, shown, clip.width, clip.height, frames)


def shown_for_each(fps: float, most: float = SHOWN_FPS) -> int:
    """Frames that are shown for each coded one: about ``most`` a second."""
    return max(1, min(MAX_SHOWN, round(most / fps)))
