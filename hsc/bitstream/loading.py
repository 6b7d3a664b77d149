"""The rANS coder: CompressAI's where it is installed, our own elsewhere."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from importlib.machinery import PathFinder
from types import ModuleType

from hsc.bitstream import rans_python


@cache
def import_coder() -> ModuleType:
    """A module with ``BufferedRansEncoder`` and ``RansDecoder``; both write the same streams."""
    try:
        return import_compressai_coder()
    except ImportError:
        return rans_python


def import_compressai_coder() -> ModuleType:
    """``compressai.ans``, an extension module without dependencies.

    It is loaded from its file in milliseconds: the package around it takes seconds, and does not
    import at all beside some builds of torchvision. Both share the same classes.

    Raises:
        ImportError: CompressAI is not installed.
    """
    loaded = sys.modules.get("compressai.ans")
    if loaded is not None:
        return loaded
    package = importlib.util.find_spec("compressai")  # finds a top-level package, runs nothing
    folders = package.submodule_search_locations if package else None
    spec = PathFinder.find_spec("compressai.ans", folders) if folders else None
    if spec is None or spec.loader is None:
        raise ImportError("CompressAI's coder was not found.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
