"""A ``.hsc`` file as text, for messages and QR codes: the same bytes, in capitals and digits.

    HSC1 1K3...Z 7
    |    |       +-- check character, ISO/IEC 7064 MOD 37,36
    |    +---------- everything after the magic and version, in base 36, blocks of 42 bytes
    +--------------- stands for the magic b"HSC" and version 1

Why base 36 when the compact mode of a QR code has 45 characters: 42 bytes take 65 characters, and
63 in base 45 (RFC 9285). But that has a space, ``%``, ``+``, ``*``, ``/`` and ``:``, which do not
survive web addresses, line ends and chat programs; letters and digits alone do, for 3% more.

The check character catches every single wrong character and nearly all swapped neighbours; the
file's own checksums then do what they always do.
"""

from __future__ import annotations

import re
import unicodedata

from hsc.bitstream.container import unpack
from hsc.bitstream.header import MAGIC, VERSION
from hsc.errors import BitstreamError

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
BASE = len(DIGITS)
PREFIX = f"{MAGIC.decode()}{VERSION}"
_LEAD = MAGIC + bytes([VERSION])
BLOCK_BYTES = 42
# How many characters hold 0, 1, ... 42 bytes: the least n with 36**n >= 256**bytes.
_CHARACTERS = [0] + [
    next(n for n in range(2 * size + 1) if BASE**n >= 256**size)
    for size in range(1, BLOCK_BYTES + 1)
]
_BLOCK_CHARACTERS = _CHARACTERS[-1]
_LARGEST = 1 << 20  # characters; a face takes dozens to thousands


def to_text(data: bytes) -> str:
    """A ``.hsc`` file as capitals and digits.

    Args:
        data: the whole file.

    Raises:
        BitstreamError: the bytes are no readable file.
    """
    unpack(data)
    rest = bytes(data)[len(_LEAD) :]
    blocks = (rest[at : at + BLOCK_BYTES] for at in range(0, len(rest), BLOCK_BYTES))
    text = PREFIX + "".join(map(_from_block, blocks))
    return text + _check_character(text)


def from_text(text: str) -> bytes:
    """The file that a text stands for; small letters, white space and a web address around it
    do not matter.

    Args:
        text: what ``to_text`` gave, or a web address that ends in ``face=`` and that.

    Raises:
        BitstreamError: it is no such text, was changed on the way, or holds no readable file.
    """
    text = _tidied(text)
    if not text:
        raise BitstreamError(f"There is no text; paste one that begins with {PREFIX}.")
    if not text.startswith(PREFIX):
        raise BitstreamError(f"This is not the text of a face: it does not begin with {PREFIX}.")
    if len(text) > _LARGEST:
        raise BitstreamError("This is not the text of a face: it is far too long for one.")
    odd = next((character for character in text if character not in DIGITS), None)
    if odd is not None:
        raise BitstreamError(
            f"The text may have letters and digits only, but it has {odd!a} in it; copy it again."
        )
    if _check_character(text[:-1]) != text[-1]:
        raise BitstreamError(
            "The text was changed on the way or is not complete: its check character does not "
            "match; copy it again."
        )
    body = text[len(PREFIX) : -1]
    blocks = (body[at : at + _BLOCK_CHARACTERS] for at in range(0, len(body), _BLOCK_CHARACTERS))
    data = _LEAD + b"".join(map(_to_block, blocks))
    unpack(data)
    return data


def is_text(text: str) -> bool:
    """Whether something looks like the text of a face rather than, say, a file name."""
    text = _tidied(text)
    return text.startswith(PREFIX) and all(character in DIGITS for character in text)


def _tidied(text: str) -> str:
    """Upper case, without white space and invisible characters, and without an address before."""
    visible = "".join(c for c in text if unicodedata.category(c)[0] not in "ZC")
    address = re.search(r"[?&#]face=([^&#]*)", visible, re.IGNORECASE)
    return (address.group(1) if address else visible).upper()


def _from_block(block: bytes) -> str:
    number = int.from_bytes(block, "big")
    characters = []
    for _ in range(_CHARACTERS[len(block)]):
        number, digit = divmod(number, BASE)
        characters.append(DIGITS[digit])
    return "".join(reversed(characters))


def _to_block(characters: str) -> bytes:
    number = int(characters, BASE)
    try:
        # no two sizes take the same number of characters
        return number.to_bytes(_CHARACTERS.index(len(characters)), "big")
    except (ValueError, OverflowError) as error:
        raise BitstreamError(
            "The text holds no whole bytes: it is not complete; copy it again."
        ) from error


def _check_character(text: str) -> str:
    """ISO/IEC 7064 MOD 37,36 of characters out of ``DIGITS``."""
    product = BASE
    for character in text:
        total = (product + DIGITS.index(character)) % BASE or BASE
        product = 2 * total % (BASE + 1)
    return DIGITS[(BASE + 1 - product) % BASE]
