"""Which machines compute faster in bfloat16."""

import platform
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch


def computes_bfloat16(device: torch.device) -> bool:
    """Whether this is a CPU on which bfloat16 halves the time.

    AMD's processors with instructions for it multiply twice as many such numbers at once, Intel's
    only in their matrix units: without those, bfloat16 takes half as long again as float32.
    """
    onednn: Any = torch.backends.mkldnn  # its functions have no types
    if device.type != "cpu" or not onednn.is_available():
        return False
    if not torch.cpu._is_avx512_bf16_supported():
        return False
    return torch.cpu._is_amx_tile_supported() or "AuthenticAMD" in _processor()


@lru_cache(maxsize=1)
def _processor() -> str:
    """The system's description of the processor, with its vendor."""
    cpuinfo = Path("/proc/cpuinfo")
    said = cpuinfo.read_text(errors="replace") if cpuinfo.is_file() else ""
    return said.partition("\n\n")[0] + platform.processor()


def gradient_dtype(device: torch.device) -> torch.dtype:
    """The type of gradients, in training or for one picture: bfloat16 where that is faster."""
    half = device.type != "cpu" or computes_bfloat16(device)
    return torch.bfloat16 if half else torch.float32


def gradient_autocast(device: torch.device) -> torch.autocast:
    """Autocast to :func:`gradient_dtype`."""
    return torch.autocast(device.type, torch.bfloat16, gradient_dtype(device) == torch.bfloat16)
