"""What programs that speak MCP may send as a file: base64, a face's text, an address.

Addresses are fetched only for agents, only from public hosts, and not by a server that listens to
the network unless HSC_FETCH=1 says so: anyone could make it call other machines.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import os
import re
import socket
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx
import safehttpx
from gradio.utils import get_upload_folder

from app.files import keep_bytes
from hsc.bitstream.header import MAGIC
from hsc.bitstream.text import from_text, is_text
from hsc.errors import HscError

FETCH = "HSC_FETCH"
"""Variable: 1 lets agents name addresses, 0 does not. By default a studio that only this machine
can reach does, and one that listens to the network (GRADIO_SERVER_NAME) does not."""
LARGEST = 20 << 20  # bytes, as of an upload
LONGEST_TEXT = 1 << 16  # characters of a face's text; a photo in base64 is longer
TIMEOUT = 15  # seconds
OWN_FILE = "/gradio_api/file="
WHAT = "Send a file as base64 or as a data: address, a face as its text"
FORMS = "As base64, or a face's text (HSC1...), or an address."
REFUSED = f"This studio fetches no addresses. {WHAT}."
NOT_FETCHED = "The address could not be fetched: it must be a public one that answers with a file."
NO_FILE = f"This is no file. {WHAT}, or an address."
_KINDS = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpg", b"GIF8": "gif", b"RIFF": "webp",
          b"PK\x03\x04": "zip", MAGIC: "hsc"}  # fmt: skip


def available() -> bool:
    """Whether the package `mcp` is here. Without it the studio has no tools for agents."""
    return find_spec("mcp") is not None


def fetching() -> bool:
    """Whether agents may name addresses here."""
    said = os.environ.get(FETCH)
    if said is not None:
        return said == "1"
    return os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1") in ("127.0.0.1", "localhost", "::1")


def is_address(text: str) -> bool:
    """Whether a text begins like an address on the web."""
    return text.startswith(("http://", "https://"))


def local_file(text: str) -> str | None:
    """The path of what an agent sent, where it needs no fetching; None: it is an address to fetch.

    Args:
        text: base64, with or without `data:` before it; a face's text, or a link that ends in it;
            the address of a file that an earlier call returned.

    Raises:
        HscError: it is none of these.
    """
    text = text.strip()
    if len(text) < LONGEST_TEXT and is_text(text):
        return keep_bytes(from_text(text), "face.hsc")
    if is_address(text):
        return _own_file(text)
    data = _from_base64(text.partition(",")[2] if text.startswith("data:") else text)
    return keep_bytes(data, f"file.{_kind(data)}")


async def fetch(address: str) -> str:
    """Fetch an address into the page's folder, and return the file's path.

    Raises:
        HscError: it is not public, does not answer with a file, or the file is too large.
    """
    try:
        host = urlsplit(address).hostname or ""
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
        hosts = [str(each[4][0]) for each in found]
        if not hosts or not all(map(safehttpx.is_public_ip, hosts)):
            raise HscError(NOT_FETCHED)
        # the address that was checked is the one that is called; redirects are not followed
        transport = safehttpx.AsyncSecureTransport(hosts[0])
        data = b""
        async with (
            httpx.AsyncClient(transport=transport, timeout=TIMEOUT) as client,
            client.stream("GET", address) as answer,
        ):
            answer.raise_for_status()
            async for chunk in answer.aiter_bytes():
                data += chunk
                if len(data) > LARGEST:
                    raise HscError("The file behind the address is too large: 20 MB at most.")
            if answer.status_code != 200:
                raise HscError(NOT_FETCHED)
    except (OSError, ValueError, httpx.HTTPError, httpx.InvalidURL) as error:
        raise HscError(NOT_FETCHED) from error
    return keep_bytes(data, f"file.{_kind(data)}")


def _own_file(address: str) -> str | None:
    """The path of a file that this page wrote, of its address; None for any other address."""
    path = urlsplit(address).path
    if OWN_FILE not in path:
        return None
    file = Path(unquote(path.partition(OWN_FILE)[2])).resolve()
    inside = file.is_relative_to(Path(get_upload_folder()).resolve()) and file.is_file()
    return str(file) if inside else None


def _from_base64(text: str) -> bytes:
    try:
        data = base64.b64decode(re.sub(r"\s", "", text), validate=True)
    except (binascii.Error, ValueError) as error:
        raise HscError(NO_FILE) from error
    if not data:
        raise HscError(NO_FILE)
    if len(data) > LARGEST:
        raise HscError("The file is too large: 20 MB at most.")
    return data


def _kind(data: bytes) -> str:
    """An ending for a file's name, from how it begins."""
    return next((kind for head, kind in _KINDS.items() if data.startswith(head)), "bin")
