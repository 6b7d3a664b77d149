"""Importing CompressAI as a whole beside any PyTorch build, to compare with it."""

import importlib
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
