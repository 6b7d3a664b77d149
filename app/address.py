"""The address under which visitors reach this page, for links that others can follow."""

from __future__ import annotations

import ipaddress
import math
import os
import re
from collections.abc import Mapping

FACE = "face"
"""Parameter of the page's address that carries a face as text."""
RECEIVER = "receive"
"""Where the receiver is, below the page's address."""
ROOT_PATH = "GRADIO_ROOT_PATH"
"""Environment variable: the path under which a proxy serves the page."""
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:]+\](:\d{1,5})?")


def own_address(headers: Mapping[str, str], scheme: str = "http") -> str:
    """The page's address as its visitor knows it.

    Args:
        headers: of the request, with names in lower case.
        scheme: that of the request, where no proxy says otherwise.

    Returns:
        ``https://host/``, or with the path that GRADIO_ROOT_PATH says, ``https://host/path/``; ""
        where nobody else could follow it: the host is this machine, or the request names none.
    """
    root = os.environ.get(ROOT_PATH, "").strip("/")
    if root.startswith(("https://", "http://")):  # as Gradio takes it: the whole address
        return f"{root}/"
    host = headers.get("x-forwarded-host", headers.get("host", "")).split(",")[0].strip()
    scheme = headers.get("x-forwarded-proto", scheme).split(",")[0].strip()
    if not _HOST.fullmatch(host) or scheme not in ("http", "https") or _is_this_machine(host):
        return ""
    return f"{scheme}://{host}/{root}/" if root else f"{scheme}://{host}/"


def face_link(address: str) -> str:
    """The link that opens a face here, up to the face's text; "" without an address."""
    return f"{address}?{FACE}=" if address else ""


def receiver_link(address: str = "") -> str:
    """What to put before a face's text to open it in the receiver.

    The text follows ``#``: browsers do not send that part of an address to the server.

    Args:
        address: of the page; "" for a link that is relative to it.
    """
    return f"{address}{RECEIVER}/#{FACE}="


def face_in(parameters: Mapping[str, str]) -> str:
    """What an address's parameters give as a face's text, or "". Whoever reads it says what is
    wrong with it: a visitor who followed a damaged link should know."""
    return parameters.get(FACE, "")


def number_in(parameters: Mapping[str, str], name: str, low: float, high: float) -> float | None:
    """A number in an address's parameters, clamped to its range; None where there is none."""
    try:
        value = float(parameters[name])
    except (KeyError, ValueError):
        return None
    return None if math.isnan(value) else min(max(value, low), high)


def _is_this_machine(host: str) -> bool:
    name = re.sub(r":\d+$", "", host).strip("[]")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name.lower() == "localhost" or name.lower().endswith(".localhost")
    return address.is_loopback or address.is_unspecified
