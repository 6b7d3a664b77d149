"""Frames out of a video file and into one, by the FFmpeg that the package imageio-ffmpeg carries.

FFmpeg is a program of its own (GPL) and runs as its own process. Frames pass through a pipe one by
one: memory does not grow with the length of a clip.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from hsc.errors import HscError, PhotoError

SUFFIXES = (".mp4", ".mov", ".m4v", ".webm", ".mkv", ".avi", ".gif")
MAX_SIDE = 1920
"""Pixels of the longer side that frames are shrunk to: a face's crop has 1024."""
USUAL_FPS = 30.0
"""Rate of a clip that does not say its own, as recordings in a browser."""
SOUND_BITRATE = 8000
"""Bits a second of the sound, as Opus."""
H264 = (
    "-preset", "veryfast", "-crf", "18", "-threads", "1", "-movflags", "+faststart",
    # players would otherwise guess which matrix the colours were made with
    "-vf", "scale=out_color_matrix=bt709:out_range=tv", "-colorspace", "bt709",
    "-color_primaries", "bt709", "-color_trc", "bt709",
)  # fmt: skip

Report = Callable[[int, int], None]
"""Called with the number of frames that are done and the total, 0 where it is not known."""


@dataclass(frozen=True)
class Clip:
    """A video file.

    Attributes:
        path: where it is.
        width, height: of the frames that ``frames`` gives.
        fps: its own rate.
        seconds: its length, 0 where it does not say.
    """

    path: Path
    width: int
    height: int
    fps: float
    seconds: float

    @classmethod
    def open(cls, path: str | Path) -> Clip:
        """Look at a file.

        Raises:
            PhotoError: it is no video that FFmpeg reads. HscError: imageio-ffmpeg is missing.
        """
        if not Path(path).is_file():
            raise PhotoError(f"There is no file {Path(path).name}.")
        reader = module().read_frames(str(path), pix_fmt="rgb24")
        try:
            meta = next(reader)
        except (OSError, RuntimeError, StopIteration, KeyError, ValueError, IndexError) as error:
            raise unreadable(path) from error
        finally:
            reader.close()
        width, height = meta["size"]
        if min(width, height) < 16:
            raise unreadable(path)
        shrink = min(1.0, MAX_SIDE / max(width, height))
        size = (round(width * shrink), round(height * shrink)) if shrink < 1 else (width, height)
        fps = float(meta.get("fps") or 0)
        if not 1 <= fps <= 240:
            fps = USUAL_FPS
        seconds = float(meta.get("duration") or 0)
        return cls(Path(path), *size, fps, seconds if 0 < seconds < 1e6 else 0.0)

    def frames(self, fps: float, seconds: float | None = None) -> Iterator[Image.Image]:
        """RGB frames at a rate of our own; the nearest ones of the file.

        Raises:
            PhotoError: the file has no frames.
        """
        command = [module().get_ffmpeg_exe(), "-nostdin", "-loglevel", "error"]
        command += ["-i", str(self.path), "-an"]
        command += ["-vf", f"fps={fps:.4f},scale={self.width}:{self.height}"]
        if seconds:
            command += ["-t", f"{seconds:.3f}"]
        command += ["-pix_fmt", "rgb24", "-f", "rawvideo", "pipe:1"]
        size, empty = self.width * self.height * 3, True
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            assert process.stdout is not None
            try:
                while len(data := process.stdout.read(size)) == size:
                    empty = False
                    yield Image.frombytes("RGB", (self.width, self.height), data)
            finally:
                process.kill()
        if empty:
            raise unreadable(self.path)

    def sound(self, seconds: float | None = None) -> bytes:
        """Its sound as Opus in an Ogg file, one channel; empty where it has none."""
        command = ["-i", str(self.path), "-vn", "-ac", "1", "-c:a", "libopus"]
        command += ["-b:a", str(SOUND_BITRATE), "-application", "voip"]
        if seconds:
            command += ["-t", f"{seconds:.3f}"]
        done = run([*command, "-f", "ogg", "pipe:1"])
        return done.stdout if done.returncode == 0 else b""


class Mp4Writer:
    """H.264 in an MP4 file that every browser and phone plays, a picture at a time.

    Args:
        path: of the file.
        fps: pictures a second.
        sound: path of a file with its sound, becomes AAC; None for none.

    Raises:
        HscError: imageio-ffmpeg is missing, or FFmpeg failed.
    """

    def __init__(self, path: str | Path, fps: float, sound: str | Path | None = None) -> None:
        self.path, self.fps, self.sound = Path(path), fps, sound
        self._ffmpeg = module()
        self._writer: Any = None
        self._size = (0, 0)

    def add(self, picture: Image.Image) -> None:
        """The next picture, of the first one's size; an odd last row or column is left out."""
        try:
            if self._writer is None:
                self._size = (picture.width // 2 * 2, picture.height // 2 * 2)
                heard = {"audio_path": str(self.sound), "audio_codec": "aac"} if self.sound else {}
                self._writer = self._ffmpeg.write_frames(
                    str(self.path), self._size, fps=self.fps, codec="libx264", quality=None,
                    macro_block_size=2, pix_fmt_in="rgb24", pix_fmt_out="yuv420p",
                    ffmpeg_log_level="error", output_params=list(H264), **heard,
                )  # fmt: skip
                self._writer.send(None)
            self._writer.send(_bytes_of(picture, self._size))
        except OSError as error:
            raise _failed() from error

    def close(self) -> None:
        """Write the file's end. Raises HscError where there were no pictures."""
        if self._writer is None:
            raise HscError("Expected pictures for a clip and got none.")
        try:
            self._writer.close()
        except OSError as error:
            raise _failed() from error


def write_mp4(
    path: str | Path, pictures: Iterable[Image.Image], fps: float, sound: bytes = b""
) -> None:
    """Pictures to an MP4 file.

    Args:
        pictures: of one size.
        fps: pictures a second.
        sound: Opus in an Ogg file, becomes AAC.

    Raises:
        HscError: imageio-ffmpeg is missing, there are no pictures, or FFmpeg failed.
    """
    with tempfile.TemporaryDirectory(prefix="hsc-sound-") as folder:
        track = Path(folder) / "sound.ogg" if sound else None
        if track:
            track.write_bytes(sound)
        writer = Mp4Writer(path, fps, track)
        for picture in pictures:
            writer.add(picture)
        writer.close()


def clips_in(folder: Path) -> list[Path]:
    """The video files of a folder, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)


def run(arguments: list[str], data: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run FFmpeg once; it reads ``data`` from its standard input, where there is any."""
    program = module().get_ffmpeg_exe()
    return subprocess.run(
        [program, "-hide_banner", "-loglevel", "error", "-y", *arguments],
        input=data,
        stdin=subprocess.DEVNULL if data is None else None,
        capture_output=True,
        check=False,
    )


def module() -> Any:
    """The package imageio-ffmpeg. Raises HscError where it is missing."""
    try:
        import imageio_ffmpeg
    except ImportError as error:
        raise HscError(
            "An MP4 needs a package that is not here: pip install imageio-ffmpeg, or take WebP."
        ) from error
    return imageio_ffmpeg


def unreadable(path: str | Path) -> PhotoError:
    """What is said of a file that is no video."""
    return PhotoError(
        f"{Path(path).name} is no video that can be read: save it as MP4 (H.264) and try again."
    )


def _failed() -> HscError:
    return HscError("The MP4 could not be made here: take WebP instead.")


def _bytes_of(picture: Image.Image, size: tuple[int, int]) -> bytes:
    picture = picture.convert("RGB")
    return (picture if picture.size == size else picture.crop((0, 0, *size))).tobytes()
