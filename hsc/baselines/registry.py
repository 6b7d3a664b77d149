"""The other codecs, and whether they are installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, features

from hsc.baselines import pillow_files, vvc
from hsc.errors import HscError

Encode = Callable[[Image.Image, int], bytes]
Decode = Callable[[bytes], Image.Image]


@dataclass(frozen=True)
class OtherCodec:
    """A picture codec with one quality setting.

    Attributes:
        name: on command lines and in reports.
        label: for display.
        settings: description of its settings.
        qualities: its settings, from the smallest files to the largest.
        encode: RGB picture and quality -> the bytes of a file.
        decode: those bytes -> RGB picture.
        needs: name of the package that has it, for pip; None if Pillow has it.
        module: that package's name in Python; for Pillow, the feature to ask for.
    """

    name: str
    label: str
    settings: str
    qualities: range
    encode: Encode
    decode: Decode
    needs: str | None
    module: str

    @property
    def available(self) -> bool:
        """Whether it can encode and decode here."""
        return self.why_not is None

    @property
    def why_not(self) -> str | None:
        """A sentence on what is missing; None when nothing is."""
        if self.needs is None:
            found, remedy = features.check(self.module), "use a build of Pillow that has it"
        else:
            found = importlib.util.find_spec(self.module) is not None
            remedy = f"pip install {self.needs}"
        return None if found else f"{self.label} cannot be written here: {remedy}."


CODECS: dict[str, OtherCodec] = {
    codec.name: codec
    for codec in (
        OtherCodec(
            "jpeg", "JPEG", "libjpeg-turbo, 4:2:0, progressive, optimised tables",
            range(1, 96), pillow_files.encode_jpeg, pillow_files.decode_jpeg, None, "jpg",
        ),
        OtherCodec(
            "webp", "WebP", "libwebp, method 6",
            range(101), pillow_files.encode_webp, pillow_files.decode_webp, None, "webp",
        ),
        OtherCodec(
            "avif", "AVIF", "AV1 by libaom, 4:2:0, speed 6",
            range(101), pillow_files.encode_avif, pillow_files.decode_avif, None, "avif",
        ),
        OtherCodec(
            "heic", "HEIC", "HEVC by x265, 4:2:0, preset slow",
            range(101), pillow_files.encode_heic, pillow_files.decode_heic,
            "pillow-heif", "pillow_heif",
        ),
        OtherCodec(
            "jxl", "JPEG XL", "libjxl, effort 7",
            range(100), pillow_files.encode_jxl, pillow_files.decode_jxl,
            "pillow-jxl-plugin", "pillow_jxl",
        ),
        OtherCodec(
            "vvc", "VVC", "H.266 by VVenC, 4:2:0, 10 bits, preset medium; a bare stream, for no "
            "file format is in use",
            range(63, 9, -1), vvc.encode, vvc.decode, "imageio-ffmpeg", "imageio_ffmpeg",
        ),
    )
}  # fmt: skip


def available_codecs(names: list[str] | None = None) -> list[OtherCodec]:
    """The codecs of these names, or all that are installed.

    Raises:
        HscError: there is no codec of that name, or it was asked for and cannot be had.
    """
    if names is None:
        return [codec for codec in CODECS.values() if codec.available]
    for name in names:
        if name not in CODECS:
            raise HscError(f"expected codecs among {', '.join(CODECS)}, got {name!r}.")
        if not CODECS[name].available:
            raise HscError(CODECS[name].why_not)
    return [CODECS[name] for name in names]
