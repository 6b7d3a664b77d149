"""Photographs: every face as a ``.hsc`` file, the rest as a small AV1 picture, in one ``.hscp``.

    import hsc
    from hsc import photograph

    codec = hsc.load()
    coded = photograph.encode(codec, "group.jpg", level=3, background_bytes=8000, skip=[2])
    shown = photograph.decode(codec, coded.data, edits={0: {"smile": 1.5}})
    shown.picture.save("group.png")

::

    photograph -> find -> squares, the largest first -> crop -> codec -> .hsc each ----------+
         |                                               |          +-> drawn -> mask        |
         |                                               +-> tone <-----+         |          |
         +--------------------------------> filled where faces are <--------------+          |
                                              +-> AV1 within a budget ---------------------> .hscp

``container`` is the file, ``placement`` and ``tone`` are its fields; ``background`` fits the rest
into a budget, ``mask`` and ``paste`` put a face back, ``coding`` does it all; ``invented`` makes
groups of people who do not exist, to try it on.
"""

from hsc.photograph.coding import (
    BACKGROUND_BYTES,
    DecodedPhotograph,
    DrawnFace,
    EncodedPhotograph,
    FoundFace,
    WholePhotograph,
    compare,
    decode,
    encode,
    find,
    larger_size,
)
from hsc.photograph.container import PhotographFile, describe, is_photograph, unpack

__all__ = [
    "BACKGROUND_BYTES",
    "DecodedPhotograph",
    "DrawnFace",
    "EncodedPhotograph",
    "FoundFace",
    "PhotographFile",
    "WholePhotograph",
    "compare",
    "decode",
    "describe",
    "encode",
    "find",
    "is_photograph",
    "larger_size",
    "unpack",
]
