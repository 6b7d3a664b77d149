"""Bytes: the ``.hsc`` file (``container``) and the entropy coder behind its layers (``rans``).

``rans`` is not imported here, so that reading a header needs nothing but the standard library.
"""

from hsc.bitstream.container import Container, describe, unpack, with_layers
from hsc.bitstream.header import snap_level

__all__ = ["Container", "describe", "snap_level", "unpack", "with_layers"]
