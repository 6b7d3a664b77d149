"""Other video codecs, by the FFmpeg of imageio-ffmpeg: the same frames in at most as many bytes."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from hsc.errors import HscError
from hsc.sequence.video import run as ffmpeg

FPS = 10.0
TRIES = 5
"""Encodings at most by which the quality that fits a number of bytes is found."""
NEAR = 0.9
"""Part of the bytes from which on a stream is as large as it may be."""
QUANTISERS_AN_OCTAVE = 7.0
"""Steps of quality by which a stream's bytes double, as a rule."""


@dataclass(frozen=True)
class VideoCodec:
    """A codec of FFmpeg's: its arguments at a quality, the worst and the best of those."""

    name: str
    encoder: str
    quality: str
    worst: int
    best: int
    format: str
    extra: tuple[str, ...] = ()


# x264 and x265 write no messages about their settings here: short clips would pay for them
CODECS = (
    VideoCodec(
        "x264", "libx264", "-crf", 51, 10, "h264",
        ("-preset", "slow", "-bsf:v", "filter_units=remove_types=6"),
    ),
    VideoCodec(
        "x265", "libx265", "-crf", 51, 10, "hevc",
        ("-preset", "slow", "-x265-params", "info=0:log-level=0"),
    ),
    VideoCodec("AV1", "libsvtav1", "-crf", 63, 10, "ivf", ("-preset", "5")),
    VideoCodec("VVC", "libvvenc", "-qp", 63, 10, "vvc", ("-preset", "fast")),
)  # fmt: skip


@dataclass
class Shrunk:
    """A clip's frames at a smaller size, and the streams of them that were made already."""

    frames: Sequence[Image.Image]
    px: int
    _raw: bytes = b""
    _streams: dict[tuple[str, int], bytes] = field(default_factory=dict)

    def stream(self, codec: VideoCodec, quality: int) -> bytes:
        """The bare stream at a quality. Raises HscError where FFmpeg fails."""
        key = codec.name, quality
        if key not in self._streams:
            if not self._raw:
                size = (self.px, self.px)
                small = (frame.resize(size, Image.Resampling.LANCZOS) for frame in self.frames)
                self._raw = b"".join(frame.tobytes() for frame in small)
            self._streams[key] = stream(codec, self._raw, self.px, quality)
        return self._streams[key]

    def fitted(self, codec: VideoCodec, budget: int) -> bytes:
        """The best stream that fits a number of bytes, nearly, or the smallest there is."""
        low, high = codec.best, codec.worst  # high fits, or is the worst there is
        best, quality = b"", round(0.25 * low + 0.75 * high)
        for _ in range(TRIES):
            data = self.stream(codec, quality)
            if len(data) <= budget:
                best, high = data, quality
                if len(data) >= NEAR * budget:
                    break
            else:
                low = quality
            if high - low <= 1:
                break
            step = round(QUANTISERS_AN_OCTAVE * math.log2(len(data) / budget))
            quality = min(max(quality + step, low + 1), high - 1)
        return best or self.stream(codec, codec.worst)


def fitted(
    other: VideoCodec, originals: Sequence[Image.Image], px: int, budget: int
) -> tuple[int, list[Image.Image]]:
    """The best quality that fits a number of bytes, or the smallest there is: bytes, pictures."""
    data = Shrunk(originals, px).fitted(other, budget)
    return len(data), pictures(other, data, px, originals)


def pictures(
    other: VideoCodec, data: bytes, px: int, originals: Sequence[Image.Image]
) -> list[Image.Image]:
    """The frames of a stream, enlarged to the size of the originals."""
    with tempfile.TemporaryDirectory(prefix="hsc-clip-") as folder:
        path = Path(folder) / f"clip.{other.format}"
        path.write_bytes(data)
        done = ffmpeg(
            [
                "-i", str(path), "-fps_mode", "passthrough", "-pix_fmt", "rgb24",
                "-f", "rawvideo", "-",
            ]
        )  # fmt: skip
    full, step = originals[0].width, px * px * 3
    frames = [
        Image.frombytes("RGB", (px, px), done.stdout[at : at + step])
        for at in range(0, len(done.stdout) - step + 1, step)
    ]
    if len(frames) != len(originals):
        raise HscError(f"expected {len(originals)} frames of {other.name}, got {len(frames)}.")
    return [frame.resize((full, full), Image.Resampling.LANCZOS) for frame in frames]


def stream(other: VideoCodec, raw: bytes, px: int, quality: int) -> bytes:
    """The bare stream of RGB frames. Raises HscError where FFmpeg fails."""
    depth = "yuv420p10le" if other.encoder == "libvvenc" else "yuv420p"
    done = ffmpeg(
        [
            "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{px}x{px}", "-r", f"{FPS:g}",
            "-i", "pipe:0", "-pix_fmt", depth, "-c:v", other.encoder, *other.extra,
            other.quality, str(quality), "-f", other.format, "pipe:1",
        ],
        raw,
    )  # fmt: skip
    if done.returncode or not done.stdout:
        raise HscError(f"{other.name} failed: {done.stderr.decode(errors='replace')[-200:]}")
    return done.stdout
