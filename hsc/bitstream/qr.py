"""QR codes of faces: the text of a ``.hsc`` file where a camera can read it."""

from __future__ import annotations

import io
from typing import Any

import segno

from hsc.errors import HscError

QUIET_ZONE = 4
"""Modules of white around the code, as the standard wants."""


def qr_code(text: str, address: str = "") -> segno.QRCode:
    """The code with the least modules that holds a text.

    The text is stored as capitals and digits, 5.5 bits each; an address before it as bytes.

    Args:
        text: what ``hsc.bitstream.text.to_text`` gave.
        address: a web address that ends where the text is to follow, such as ``...?face=``.

    Raises:
        HscError: more than a QR code holds, 4,296 characters.
    """
    try:
        # as two segments, each in its own mode; segno's types know of one
        parts: Any = [address, text] if address else text
        return segno.make(parts, error="l", micro=False)
    except segno.DataOverflowError as error:
        raise HscError(
            f"A QR code holds 4,296 characters at most, and this file takes {len(text):,}: "
            "take a lower level, or the SCN layer alone."
        ) from error


def qr_svg(code: segno.QRCode) -> str:
    """The code as an inline SVG that scales with the page, black on white."""
    out = io.BytesIO()
    code.save(
        out, kind="svg", border=QUIET_ZONE, light="#fff", xmldecl=False, svgns=True, omitsize=True,
        nl=False,
    )  # fmt: skip
    return out.getvalue().decode()
