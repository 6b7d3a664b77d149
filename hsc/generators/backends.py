"""The ways to run the generator, and the choice of one for a machine."""

import os

import torch

from hsc.errors import HscError
from hsc.generators.base import Renderer, SynthesisNetwork
from hsc.generators.half_backend import HalfSynthesis
from hsc.generators.registry import family

BACKENDS = ("auto", "reference", "float32", "bfloat16", "float16")
"""``reference``: the network as it was trained, anywhere. ``float32`` and ``bfloat16``: the same
operations in an order that suits a CPU. ``float16``: half precision on a GPU."""
VARIABLE = "HSC_BACKEND"


def resolve_backend(device: torch.device, backend: str | None = None) -> str:
    """The name of the backend to use; None means the variable HSC_BACKEND, or else ``auto``.

    ``auto`` is ``float32`` on a CPU, so that a file is the same picture on every one of them, and
    ``float16`` on a GPU.

    Raises:
        HscError: there is no such backend, or not on this device.
    """
    name = backend or os.environ.get(VARIABLE) or "auto"
    if name not in BACKENDS:
        raise HscError(f"expected a backend out of {', '.join(BACKENDS)}, got {name!r}.")
    cpu = device.type == "cpu"
    onednn = torch.backends.mkldnn.is_available()
    if name == "auto":
        # without oneDNN, as on a Mac, depthwise kernels are not faster with channels last
        return ("float32" if onednn else "reference") if cpu else "float16"
    if name != "reference" and cpu == (name == "float16"):
        raise HscError(f"the backend {name} does not run on {device.type}: use auto.")
    if name == "bfloat16" and not (onednn and torch.ops.mkldnn._is_mkldnn_bf16_supported()):
        raise HscError("this processor cannot compute in bfloat16: use the backend float32.")
    return name


def build_backend(synthesis: SynthesisNetwork, name: str) -> Renderer:
    """The generator behind a backend that ``resolve_backend`` named."""
    if name == "reference":
        return synthesis
    if name == "float16":
        return HalfSynthesis(synthesis, graphs=not os.environ.get("SPACES_ZERO_GPU"))
    return family(synthesis.spec.name).cpu_backend(synthesis, getattr(torch, name))
