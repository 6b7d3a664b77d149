"""read_photo refuses what is no usable picture, in one plain sentence."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from hsc.errors import PhotoError
from hsc.images.photo import MAX_PIXELS, MAX_PIXELS_WHOLE, MIN_SIDE, read_photo

# Pillow warns of the damage that is done here on purpose.
pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:PIL"),
    pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning"),
]


def saved(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def refusal(source) -> str:
    """The message of the PhotoError, which must be one plain sentence."""
    with pytest.raises(PhotoError) as caught:
        read_photo(source)
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message and ". " not in message
    assert "/" not in message and "Error" not in message and "0x" not in message
    return message


# --- size ---


@pytest.mark.parametrize("size", [(1, 1), (MIN_SIDE - 1, 500), (1, 20000), (20000, 1)])
def test_too_small_is_refused(size):
    assert "at least 16" in refusal(saved(Image.new("RGB", size), "PNG"))
    assert "at least 16" in refusal(Image.new("RGB", size))


def test_a_strip_is_refused():
    assert "too thin" in refusal(Image.new("L", (MIN_SIDE, 20000)))


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and has next to no pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        checksum = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


@pytest.mark.parametrize("size", [(7100, 7100), (12000, 12000), (2**31 - 1, 2**31 - 1)])
def test_bombs_are_refused_by_their_header(size):
    said = refusal(png_header(*size))
    assert any(
        f"more than {limit // 10**6} mega" in said for limit in (MAX_PIXELS, MAX_PIXELS_WHOLE)
    )


# --- not pictures ---


@pytest.mark.parametrize(
    "data",
    [
        b"hello, this is a text file\n" * 20,
        b"<!doctype html><html><body><img src='a.png'></body></html>",
        b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect/></svg>',
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\nshowpage\n",
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n",
        b"PK\x03\x04" + bytes(100),
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"\x00",
        bytes(5000),
        bytes(range(256)) * 9,
    ],
    ids=["text", "html", "svg", "eps", "pdf", "zip", "png", "jpeg", "byte", "zeros", "noise"],
)
def test_other_files_are_refused(data):
    assert "not a picture" in refusal(data)


def test_heic_says_what_to_do():
    assert "JPEG" in refusal(b"\x00\x00\x00\x18ftypheic" + bytes(100))


def test_empty_missing_and_wrong_things_are_refused(tmp_path):
    empty = tmp_path / "empty.jpg"
    empty.write_bytes(b"")
    assert "empty" in refusal(b"")
    assert "empty" in refusal(empty)
    for path in (tmp_path / "missing.jpg", str(tmp_path), "bad\0name", "n" * 5000):
        assert "cannot be opened" in refusal(path)
    assert "No picture" in refusal(None)
    assert "ndarray" in refusal(np.zeros((64, 64, 3), np.uint8))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"])
def test_cut_files_are_refused(kind):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    data = saved(Image.fromarray(noise), kind)
    for part in (0.2, 0.5, 0.9):
        refusal(data[: int(len(data) * part)])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "ICO", "AVIF"])
def test_damaged_files_never_crash(kind):
    rng = np.random.default_rng(1)
    image = Image.linear_gradient("L").resize((40, 24)).convert("RGB")
    data = np.frombuffer(saved(image, kind), np.uint8)
    for _ in range(40):
        damaged = data.copy()
        damaged[rng.integers(0, min(len(data), 400), 4)] = rng.integers(0, 256, 4)
        try:
            assert read_photo(damaged.tobytes()).mode == "RGB"
        except PhotoError as error:
            assert str(error).endswith(".")


def test_a_closed_picture_is_refused(tmp_path):
    path = tmp_path / "a.png"
    Image.new("RGB", (40, 24)).save(path)
    image = Image.open(path)
    image.close()
    refusal(image)
