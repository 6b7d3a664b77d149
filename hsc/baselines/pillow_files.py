"""Codecs that write files through Pillow; the plug-ins are imported when they are used."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image


def encode_jpeg(picture: Image.Image, quality: int) -> bytes:
    return _save(
        picture, "JPEG", quality=quality, optimize=True, progressive=True, subsampling="4:2:0"
    )


def decode_jpeg(data: bytes) -> Image.Image:
    return _open(data, "JPEG")


def encode_webp(picture: Image.Image, quality: int) -> bytes:
    return _save(picture, "WEBP", quality=quality, method=6)


def decode_webp(data: bytes) -> Image.Image:
    return _open(data, "WEBP")


def encode_avif(picture: Image.Image, quality: int) -> bytes:
    return _save(picture, "AVIF", quality=quality, speed=6, subsampling="4:2:0")


def decode_avif(data: bytes) -> Image.Image:
    return _open(data, "AVIF")


def encode_heic(picture: Image.Image, quality: int) -> bytes:
    _heif()
    return _save(picture, "HEIF", quality=quality, chroma=420, enc_params={"preset": "slow"})


def decode_heic(data: bytes) -> Image.Image:
    _heif()
    return _open(data, "HEIF")


def encode_jxl(picture: Image.Image, quality: int) -> bytes:
    import pillow_jxl  # noqa: F401  registers itself

    return _save(picture, "JXL", quality=quality, effort=7)


def decode_jxl(data: bytes) -> Image.Image:
    import pillow_jxl  # noqa: F401

    return _open(data, "JXL")


def _heif() -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()


def _save(picture: Image.Image, file_format: str, **settings: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, file_format, **settings)
    return file.getvalue()


def _open(data: bytes, file_format: str) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=[file_format]).convert("RGB")
