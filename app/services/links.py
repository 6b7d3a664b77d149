"""The address of a face: the whole file in it where that fits, the SCN layer alone elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from hsc.bitstream import with_layers
from hsc.bitstream.text import to_text

LONGEST = 4000
"""Characters of an address that travel everywhere: web servers allow 8,000 (nginx, Apache), chat
programs cut messages at 4,096."""


@dataclass(frozen=True)
class FaceLink:
    """An address that carries a face.

    Attributes:
        data: the file that is in it.
        text: that file as text.
        address: what to put before the text; "" where the page's address is not known.
        whole: whether `data` is the whole file that was to be shared.
    """

    data: bytes
    text: str
    address: str
    whole: bool

    @property
    def link(self) -> str:
        return self.address + self.text

    @property
    def carries(self) -> str:
        """What is in the address, in words."""
        size = f"{len(self.data):,} bytes"
        if self.whole:
            return f"This link carries the whole face: all {size}."
        return f"The whole file is too long for a link, so it carries the essence alone: {size}."


def face_link(data: bytes, address: str, longest: int = LONGEST) -> FaceLink:
    """The link of a file.

    Args:
        data: the file.
        address: the page's, up to where the face's text follows; it may be relative.
        longest: characters that the link may have.

    Raises:
        BitstreamError: the bytes are no readable file.
    """
    text = to_text(data)
    if len(address) + len(text) <= longest:
        return FaceLink(data, text, address, True)
    essence = with_layers(data, "scn")
    return FaceLink(essence, to_text(essence), address, essence == data)
