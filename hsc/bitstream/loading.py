"""Importing CompressAI: quickly when only its coder is wanted, and beside any PyTorch build."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from functools import cache
from importlib.machinery import PathFinder
from types import ModuleType

_operators = None  # the operator library below; the operators vanish when it is collected


def import_compressai() -> ModuleType:
    """The whole package (several seconds the first time).

    CompressAI imports torchvision, whose usual build cannot load beside a CPU build of PyTorch
    for want of two operators. Nothing here calls them: declaring them is enough.

    Raises:
        ImportError: CompressAI is not installed.
    """
    global _operators
    try:
        return importlib.import_module("compressai")
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
    import torch

    if _operators is None:
        _operators = torch.library.Library("torchvision", "FRAGMENT")
        for name in ("nms", "qnms"):
            _operators.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return importlib.import_module("compressai")


@cache
def import_ans() -> ModuleType:
    """CompressAI's coder, ``compressai.ans``: one extension module without dependencies.

    It is loaded from its file, which takes milliseconds, without running the package around it;
    if that fails, the package is imported. Both share the same classes.

    Raises:
        ImportError: CompressAI is not installed.
    """
    loaded = sys.modules.get("compressai.ans")
    if loaded is not None:
        return loaded
    try:
        return _load_ans_alone()
    except ImportError:
        import_compressai()
        return importlib.import_module("compressai.ans")


def _load_ans_alone() -> ModuleType:
    package = importlib.util.find_spec("compressai")  # finds a top-level package, runs nothing
    folders = package.submodule_search_locations if package else None
    spec = PathFinder.find_spec("compressai.ans", folders) if folders else None
    if spec is None or spec.loader is None:
        raise ImportError("CompressAI's coder was not found; install the package compressai.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
