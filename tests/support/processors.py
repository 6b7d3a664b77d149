"""What this machine's processor can compute, for tests of backends."""

import torch

from hsc.errors import HscError
from hsc.generators.backends import resolve_backend


def has_bfloat16() -> bool:
    """Whether there is the backend ``bfloat16``: processors without AVX-512 refuse it."""
    try:
        return resolve_backend(torch.device("cpu"), "bfloat16") == "bfloat16"
    except HscError as error:
        assert "use the backend float32" in str(error)
        return False


ON_CPU = ("reference", "float32", "bfloat16") if has_bfloat16() else ("reference", "float32")
LEAST_PSNR = {"float32": 100.0, "bfloat16": 45.0}
"""Of pictures beside those of the network as it was trained, in dB."""
TYPES = [(getattr(torch, name), LEAST_PSNR[name]) for name in ON_CPU[1:]]
