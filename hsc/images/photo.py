"""Read any common picture file as an upright 8-bit sRGB picture of limited size."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from hsc.errors import PhotoError

PhotoSource = Image.Image | bytes | bytearray | memoryview | str | Path

MAX_PIXELS = 120_000_000  # above the 108 megapixels that phone cameras make, as JPEG
MAX_PIXELS_WHOLE = 30_000_000  # of formats that cannot be decoded at a part of their size
MAX_PIXELS_HEIF = 50_000_000  # above the 48 megapixels of phones that write it
MAX_SIDE = 4096  # larger pictures are shrunk: a face crop has 1024 pixels
MIN_SIDE = 16

# A fixed list, because Pillow would also hand EPS to Ghostscript and open documents and raw dumps.
FORMATS = (
    "JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF", "BMP", "DIB", "JPEG2000", "PPM", "ICO", "QOI",
)  # fmt: skip
LIMITS = {"JPEG": MAX_PIXELS, "HEIF": MAX_PIXELS_HEIF}
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")

HEIF_DAMAGED = (
    "The HEIC picture is damaged or of a kind that cannot be read: save it as JPEG or PNG first."
)

# EXIF orientation -> what brings the picture upright
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
ORIENTATION = 0x0112

# The full scales that deep pictures use: floats to 1, then 8, 12 and 16 bits.
FULL_SCALES = (1.0, 255.0, 4095.0, 65535.0)

# Pillow warns of large sizes and broken metadata; read_photo judges both itself.
for _category in (Image.DecompressionBombWarning, UserWarning):
    warnings.filterwarnings("ignore", category=_category, module=r"PIL\.")


def read_photo(source: PhotoSource) -> Image.Image:
    """Read a picture of any common kind as upright sRGB.

    Args:
        source: a PIL picture, the bytes of a picture file, or the path of one.

    Returns:
        A new picture of mode RGB without metadata: rotated as its EXIF orientation says (HEIC and
        AVIF: as their container says, whatever EXIF does), alpha over white, colour profile
        applied, deep pixels scaled to 8 bits, the first frame of an animation, at most `MAX_SIDE`
        pixels on the long side.

    Raises:
        PhotoError: it is no readable picture, is damaged, or has an unusable size.
    """
    if isinstance(source, Image.Image):
        image = source
        _check_size(image.size)
    else:
        image = _open(_read_bytes(source))
        _check_size(image.size, LIMITS.get(image.format or "", MAX_PIXELS_WHOLE))
    try:
        if image is not source:
            # JPEG can decode at 1/2, 1/4 or 1/8 of its size; the other formats ignore this.
            image.draft(None, _fitting(image.size))
        image.load()
    except Image.DecompressionBombError as error:
        raise PhotoError(_too_many_pixels()) from error
    except Exception as error:  # damaged files make Pillow's decoders raise a dozen kinds
        raise PhotoError("The picture is damaged or incomplete: try another copy of it.") from error
    _check_size(image.size)  # icons tell their true size only now
    turn = UPRIGHT.get(_orientation(image))
    profile = image.info.get("icc_profile")

    flat = _shrunk(_flattened(image))
    picture = _srgb(flat, profile)
    if turn is not None:
        picture = picture.transpose(turn)
    elif picture is image:
        picture = picture.copy()
    picture.info = {}
    return picture


def _read_bytes(source: PhotoSource) -> bytes:
    data: bytes | None
    if isinstance(source, (bytes, bytearray, memoryview)):
        data = bytes(source)
    elif isinstance(source, (str, Path)):
        try:
            path = Path(source)
            data = path.read_bytes() if path.is_file() else None
        except (OSError, ValueError):
            data = None
        if data is None:
            raise PhotoError(
                "The picture file cannot be opened: check that it exists and may be read."
            )
    elif source is None:
        raise PhotoError("No picture was given: choose one first.")
    else:
        raise PhotoError(
            "A picture must be a PIL image, the bytes of a picture file or its path, "
            f"not {type(source).__name__}."
        )
    if not data:
        raise PhotoError("The picture file is empty: try another copy of it.")
    return data


def _open(data: bytes) -> Image.Image:
    """Read the header only; the pixels are decoded after its size has been checked."""
    try:
        Image.init()  # else Pillow does not know yet which formats it has
        return Image.open(io.BytesIO(data), formats=[f for f in FORMATS if f in Image.OPEN])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PhotoError(_too_many_pixels()) from error
    except Exception as error:  # damaged headers make Pillow raise a dozen kinds
        if data[4:8] == b"ftyp" and data[8:12] in HEIF_BRANDS:
            return _open_heif(data)
        raise PhotoError(
            "This is not a picture that can be read: use a JPEG, PNG or WebP file."
        ) from error


def _open_heif(data: bytes) -> Image.Image:
    """A HEIC picture, decoded and upright.

    libheif turns and mirrors it as the container says, and by the standard EXIF's orientation is
    for information only. So EXIF is dropped, or the picture would be turned twice.
    """
    try:
        import pi_heif
    except ImportError as error:  # it has no wheels for some machines
        raise PhotoError(
            "HEIC pictures need the package pi-heif: install it, or save the picture as JPEG first."
        ) from error
    try:
        file = pi_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)  # the header only
        size = file.size
    except Exception as error:  # libheif's own kinds
        raise PhotoError(HEIF_DAMAGED) from error
    _check_size(size, MAX_PIXELS_HEIF)
    try:
        picture: Image.Image = file.to_pillow()
    except Exception as error:
        raise PhotoError(HEIF_DAMAGED) from error
    picture.format = "HEIF"
    picture.info = {key: picture.info[key] for key in ("icc_profile",) if key in picture.info}
    return picture


def _check_size(size: tuple[int, int], limit: int = MAX_PIXELS) -> None:
    width, height = size
    if width * height > limit:
        raise PhotoError(_too_many_pixels(limit))
    if min(width, height) < MIN_SIDE:
        raise PhotoError(
            f"The picture is {width} x {height} pixels, but both sides need at least {MIN_SIDE}."
        )
    if min(_fitting(size)) < MIN_SIDE:
        raise PhotoError(
            f"The picture is {width} x {height} pixels, which is too thin a strip: crop it first."
        )


def _too_many_pixels(limit: int = MAX_PIXELS) -> str:
    megapixels = limit // 1_000_000
    return f"The picture has more than {megapixels} megapixels: make it smaller first."


def _fitting(size: tuple[int, int]) -> tuple[int, int]:
    """The size at which a picture keeps its shape and fits into `MAX_SIDE`."""
    scale = min(1.0, MAX_SIDE / max(size))
    return round(size[0] * scale), round(size[1] * scale)


def _orientation(image: Image.Image) -> int:
    try:
        return image.getexif().get(ORIENTATION, 1)
    except Exception:  # EXIF is written by everyone and often broken: as if there were none
        return 1


def _flattened(image: Image.Image) -> Image.Image:
    """Any mode -> L, RGB, CMYK or LAB, without alpha; `image` itself when it is one already."""
    mode = image.mode
    if mode == "F" or mode.startswith("I"):
        return _eight_bits(image)
    if image.has_transparency_data:
        if mode == "La":
            image = image.convert("LA")
        layer = image if image.mode == "RGBA" else image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(layer, mask=layer.getchannel("A"))
        return white
    if mode in ("L", "RGB", "CMYK", "LAB"):
        return image
    return image.convert("L" if mode == "1" else "RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Deep grey -> L, by the smallest usual full scale that holds its brightest pixel."""
    if image.mode != "F":
        values = np.asarray(image)
        if values.dtype.itemsize == 2 or (values.min() >= 0 and values.max() < 2**16):
            # one look into a table a pixel: with arithmetic a large picture takes long enough
            values = values.astype(np.uint16, copy=False)
            shades = np.arange(2**16, dtype=np.float32)
            return Image.fromarray(_to_eight_bits(shades, float(values.max()), image.mode)[values])
    values = np.nan_to_num(np.asarray(image, dtype=np.float32), posinf=0.0, neginf=0.0)
    return Image.fromarray(_to_eight_bits(values, float(values.max()), image.mode))


def _to_eight_bits(values: npt.NDArray[Any], brightest: float, mode: str) -> npt.NDArray[Any]:
    scales = FULL_SCALES if mode == "F" else FULL_SCALES[1:]
    full = next((scale for scale in scales if brightest <= scale), brightest)
    return np.clip(values * (255.0 / full) + 0.5, 0, 255).astype(np.uint8)


def _shrunk(image: Image.Image) -> Image.Image:
    size = _fitting(image.size)
    if size == image.size:
        return image
    # reducing_gap: a cheap box filter brings it near the size, Hamming does the rest, as sharp as
    # bicubic here in half of the time of Lanczos: a picture of 30 megapixels takes long enough
    return image.resize(size, Image.Resampling.HAMMING, reducing_gap=3.0)


def _srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """L, RGB, CMYK or LAB -> RGB, through the embedded colour profile when it makes sense."""
    if image.mode == "LAB":
        return _through(image, ImageCms.createProfile("LAB"))
    if profile:
        try:
            embedded = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            space = {"RGB": "RGB", "CMYK": "CMYK", "L": "GRAY"}[image.mode]
            is_srgb = "srgb" in ImageCms.getProfileDescription(embedded).lower()
            if embedded.profile.xcolor_space.strip() == space and not is_srgb:
                return _through(image, embedded)
        except (ImageCms.PyCMSError, OSError, ValueError):
            # A broken profile costs a little colour, not the picture: go on without it.
            return image.convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _through(image: Image.Image, profile: ImageCms.ImageCmsProfile | Any) -> Image.Image:
    converted = ImageCms.profileToProfile(
        image,
        profile,
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    assert converted is not None  # only a conversion in place returns None
    return converted
