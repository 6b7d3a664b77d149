"""VVC (H.266) stills: VVenC in the ffmpeg that the package imageio-ffmpeg carries."""

from __future__ import annotations

import io
import subprocess

from PIL import Image

from hsc.errors import HscError

LIMIT_S = 300
RAW = ("-f", "rawvideo", "-pix_fmt", "rgb24")


def encode(picture: Image.Image, qp: int) -> bytes:
    """A stream of one picture, parameter sets included.

    Args:
        picture: RGB with even sides.
        qp: quantiser, 63 (smallest) to 0.
    """
    size = ("-s", f"{picture.width}x{picture.height}")
    how = ("-frames:v", "1", "-pix_fmt", "yuv420p10le", "-c:v", "libvvenc", "-preset", "medium")
    return _ffmpeg(picture.tobytes(), *RAW, *size, "-i", "-", *how, "-qp", str(qp), "-f", "vvc")


def decode(data: bytes) -> Image.Image:
    """The picture of such a stream; its size is in the PPM that ffmpeg returns."""
    ppm = _ffmpeg(data, "-f", "vvc", "-i", "-", "-f", "image2pipe", "-c:v", "ppm")
    return Image.open(io.BytesIO(ppm), formats=["PPM"]).convert("RGB")


def _ffmpeg(data: bytes, *arguments: str) -> bytes:
    """Run ffmpeg on data; returns its output."""
    import imageio_ffmpeg

    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error"]
    done = subprocess.run(
        [*command, *arguments, "-"], check=False, input=data, capture_output=True, timeout=LIMIT_S
    )
    if done.returncode or not done.stdout:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise HscError(f"VVC failed: {said[-1] if said else 'ffmpeg wrote nothing'}.")
    return done.stdout
