"""Material that clumsy or hostile people send: damaged files, strange pictures, odd arguments."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from hsc.bitstream import Container, unpack

Named = tuple[str, bytes]
MEGA = 1 << 20


def complaint(message: str | None) -> str | None:
    """What is wrong with an error message, or None if it is one plain sentence."""
    if not message or not message.strip():
        return "no message"
    if "\n" in message or ". " in message or len(message) > 300:
        return "more than a sentence"
    if re.search(r"(^|[\s'\"(])(/[\w.-]+){2,}|[A-Za-z]:\\|\.py\b", message):
        return "a path"
    if re.search(r"Traceback|\b[A-Z]\w+(Error|Exception)\b|<\w+ object|\b0x[0-9a-f]{6,}", message):
        return "internals"
    return None


def mutated(data: bytes, random: np.random.Generator) -> bytes:
    """Bits flipped, bytes lost, repeated, put in, or replaced by a run of one value."""
    at, count = int(random.integers(len(data))), int(random.integers(1, 40))
    kind = random.integers(7)
    if kind == 0:
        return data[:at]
    if kind == 1:
        flipped = bytearray(data)
        for place in random.integers(len(data), size=count):
            flipped[place] ^= 1 << random.integers(8)
        return bytes(flipped)
    if kind == 2:  # the header alone, where every byte means something
        head = bytearray(data[:16])
        head[random.integers(len(head))] = random.integers(256)
        return bytes(head) + data[16:]
    middle = (
        b"",
        data[at : at + count] * 2,
        random.bytes(count) + data[at : at + count],
        bytes([random.choice([0, 255])]) * count,
    )[kind - 3]
    return data[:at] + middle + data[at + count :]


def files(good: list[bytes], count: int, seed: int = 0, deep: int = 4) -> Iterator[Named]:
    """``count`` mutants of .hsc files.

    Every ``deep``-th has checksums that are right, so that the damage reaches the entropy coder.
    """
    random = np.random.default_rng(seed)
    for number in range(count):
        whole = good[random.integers(len(good))]
        if number % deep == deep - 1:
            parts = unpack(whole)
            layers = [parts.scn, parts.fcn]
            which = random.integers(2)
            damaged = (
                mutated(layers[which], random)
                if random.integers(4)
                else random.bytes(int(random.integers(0, 2000)))
            )
            layers[which] = damaged
            level = 1 + random.integers(251) / 50
            yield "right checksums", Container(parts.model_id, level, *layers).pack()
        elif number % 40 == 0:
            yield "noise", random.bytes(int(random.integers(0, 3000)))
        else:
            yield "mutant", mutated(whole, random)


def pictures(count: int, seed: int = 0) -> Iterator[Named]:
    """``count`` strange pictures: the fixed ones first, then mutants of real files."""
    random = np.random.default_rng(seed)
    made = 0
    for named in _fixed(random):
        if made == count:
            return
        made += 1
        yield named
    good = list(originals(random))
    while made < count:
        name, data = good[random.integers(len(good))]
        yield f"mutant of {name}", mutated(data, random)
        made += 1


def arguments(upload: dict[str, Any]) -> Iterator[tuple[str, str, list[Any]]]:
    """Calls that no page makes: what they are, the endpoint, its arguments.

    Args:
        upload: a good photo as an upload gave it.
    """

    def elsewhere(**place: Any) -> dict[str, Any]:
        return {"orig_name": "face.png", "meta": {"_type": "gradio.FileData"}} | place

    good = [3.0, "scn+fcn", 0, False]
    for level in ("abc", -1, 1e308, float("nan"), None, [], {}, True):
        yield f"level {level!r}", "compress", [upload, level, *good[1:]]
    for layers in ("fcn", "scn+fcn+scn", "", None, 7, ["scn"], "../../etc/passwd"):
        yield f"layers {layers!r}", "compress", [upload, 3.0, layers, 0, False]
    for face in (-1, 10**30, 1.5, "one", None):
        yield f"face {face!r}", "compress", [upload, 3.0, "scn+fcn", face, True]
    for path in ("/etc/passwd", "../../../etc/passwd", "/proc/self/environ", "", "\0", "app.py"):
        yield f"path {path!r}", "compress", [elsewhere(path=path), *good]
        yield f"path {path!r}", "decode", [elsewhere(path=path), "scn+fcn", {}]
    for url in ("http://127.0.0.1:22/", "http://169.254.169.254/", "file:///etc/passwd", "data:,"):
        yield f"address {url!r}", "compress", [elsewhere(path=url, url=url), *good]
    for photo in (None, "text", 7, [], {}, [upload, upload]):
        yield f"photo {type(photo).__name__}", "compress", [photo, *good]
    for edits in (
        "text",
        [1],
        {"smile": "much"},
        {"smile": None},
        {"smile": float("inf")},
        3,
        {"__class__": 1},
        {"smile": {"smile": 1}},
        {"smile": 1e9},
        {"x" * 5000: 1},
    ):
        yield f"edits {str(edits)[:30]}", "decode", [upload, "scn+fcn", edits]
    yield "nothing", "compress", []
    yield "far too much", "compress", [upload] * 50


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def _png(width: int, height: int, depth: int, colour: int, body: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _noise(random: np.random.Generator, *shape: int) -> Image.Image:
    return Image.fromarray(random.integers(0, 256, shape, dtype=np.uint8))


def originals(random: np.random.Generator) -> Iterator[Named]:
    """Good pictures, one of each kind, by the name of the kind."""
    small = _noise(random, 12, 12, 3).resize((200, 160), Image.Resampling.BICUBIC)
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "ICO", "PPM", "AVIF", "JPEG2000"):
        yield kind, saved(small, kind)


def _fixed(random: np.random.Generator) -> Iterator[Named]:
    """Pictures that were each thought of."""
    for width, height in ((1, 20000), (20000, 1), (1, 1), (16, 20000), (0, 0), (0, 500)):
        yield f"{width} x {height}", _png(width, height, 8, 2, zlib.compress(bytes(70000)))
    for side in (5400, 7000, 12000, 60000, 2**31 - 1):
        yield f"claims {side} x {side}", _png(side, side, 8, 2, zlib.compress(bytes(1000)))
    rows = zlib.compress(bytes(1 + 3 * 5400) * 5400, 9)
    yield "bomb of 29 megapixels", _png(5400, 5400, 8, 2, rows)
    yield "bomb of 64 megabytes in 64 kB", _png(40, 40, 8, 2, zlib.compress(bytes(64 * MEGA), 9))
    deep = zlib.compress(bytes(1 + 2 * 4400) * 4400, 9)
    yield "16 bits deep, 19 megapixels", _png(4400, 4400, 16, 0, deep)
    text = PngImagePlugin.PngInfo()
    text.add_text("comment", "x" * (60 * MEGA), zip=True)
    yield "60 megabytes of text", saved(Image.new("RGB", (64, 64)), "PNG", pnginfo=text)
    frames = [_noise(random, 64, 64, 3) for _ in range(40)]
    for kind in ("GIF", "WEBP", "PNG", "TIFF"):
        options = {"save_all": True, "append_images": frames[1:]}
        yield f"animated {kind}", saved(frames[0], kind, **options)
    yield "noise, 4096 x 4096", saved(_noise(random, 4096, 4096, 3), "JPEG", quality=20)
    jpeg = saved(frames[0], "JPEG")
    png = saved(frames[0], "PNG")
    yield "JPEG and ZIP", jpeg + b"PK\x03\x04" + bytes(200)
    yield "JPEG and HTML", jpeg + b"<script>alert(1)</script>"
    yield "GIF and script", b"GIF89a/*" + bytes(60) + b"*/=1;alert(1)"
    yield "PNG in front of JPEG", png + jpeg
    yield "JPEG, halved", jpeg[: len(jpeg) // 2]
    yield "HEIC", struct.pack(">I", 24) + b"ftypheic" + bytes(4) + b"mif1heic" + bytes(600)
    yield "SVG", b'<svg xmlns="http://www.w3.org/2000/svg"><image href="/etc/passwd"/></svg>'
    yield "SVG with entities", b'<!DOCTYPE s [<!ENTITY a "aaaa">]><svg>&a;</svg>'
    yield "PDF", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"
    yield "EPS", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd)(r)file\n"
    yield "text", b"hello\n" * 50
    yield "zero bytes", b""
    yield "only zeros", bytes(5000)
    yield "one byte", b"\xff"
    for mode, kind in (
        ("1", "PNG"),
        ("LA", "PNG"),
        ("P", "PNG"),
        ("CMYK", "JPEG"),
        ("L", "JPEG"),
        ("RGBA", "WEBP"),
        ("F", "TIFF"),
        ("LAB", "TIFF"),
        ("I;16", "TIFF"),
    ):
        yield f"{mode} {kind}", saved(Image.new(mode, (300, 200)), kind)
    exif = Image.Exif()
    exif[0x0112] = 99
    yield "impossible orientation", saved(frames[0], "JPEG", exif=exif)
    yield "broken profile", saved(frames[0], "PNG", icc_profile=random.bytes(500))
