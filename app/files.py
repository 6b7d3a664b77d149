"""Results as files in the page's own folder, from which they are deleted within an hour."""

from __future__ import annotations

import contextlib
import io
import os
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from gradio.utils import get_upload_folder
from PIL import Image

from app.cache import fingerprint
from hsc.images import marks


def keep_bytes(data: bytes, name: str) -> str:
    """Write a file that the browser can fetch, and return its path."""
    path = Path(get_upload_folder()) / fingerprint(data) / name
    return _written(path, lambda: data)


def keep_picture(picture: Image.Image, name: str) -> str:
    """Write a picture without loss, for the browser to fetch, and return its path.

    The mark that a decoded picture carries is written with it; see `hsc.images.marks`.

    Pictures go through here rather than through gr.Image because it compresses them at zlib's
    default effort, which costs 0.3 s each; the same picture is written once and keeps its address,
    so the browser does not load it again.

    Args:
        name: of the file. One that ends in .webp is a third smaller than a .png, in the same time.
    """
    path = Path(get_upload_folder()) / fingerprint(picture) / name

    def encoded() -> bytes:
        for known in path.parent.glob(f"*{path.suffix}"):  # the same picture under another name
            with contextlib.suppress(OSError):
                return known.read_bytes()
        buffer = io.BytesIO()
        if path.suffix == ".webp":
            marks.save(picture, buffer, "WEBP", lossless=True, quality=0, method=0)
        else:
            # photographs hardly repeat themselves: not looking for it is faster, and smaller by a
            # tenth
            marks.save(picture, buffer, "PNG", compress_level=1, compress_type=zlib.Z_HUFFMAN_ONLY)
        return buffer.getvalue()

    return _written(path, encoded)


def _written(path: Path, content: Callable[[], bytes]) -> str:
    try:
        os.utime(path)  # files are deleted by age, so what is shown again counts as new
    except FileNotFoundError:
        data = content()
        try:
            _write(path, data)
        except FileNotFoundError:  # the folder was swept away just now
            _write(path, data)
    return str(path)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # moved into place, so that nobody reads half a file
    part = path.with_name(f"{path.name}.{threading.get_ident()}")
    part.write_bytes(data)
    part.replace(path)


def address(path: str) -> str:
    """The address of a written file, relative to the page."""
    return f"gradio_api/file={quote(path)}"
