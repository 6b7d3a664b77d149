"""Discretised Gaussians on a fixed ladder of scales: the entropy model of both layers.

Source: the Gaussian conditional of Balle et al. 2018 (arXiv 1802.01436) as CompressAI implements
it. Its tables are computed once, by ``build_tables``, and shipped as integers: recomputing them
at load time would let one rounding of ``erfc`` make a file unreadable.
"""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from hsc.bitstream.rans import CdfTables
from hsc.errors import WeightsError

MIN_LOG2, STEPS_PER_OCTAVE, NUM_SCALES = -4.0, 4, 40
"""Scales 2**-4 to 2**5.75 in quarter octaves."""


def scale_index(log2_scale: Tensor) -> Tensor:
    """The scale_index_ nearest to a scale, exact for inputs on a binary grid.

    Args:
        log2_scale: any shape, float64.

    Returns:
        int64 in [0, 40).
    """
    scale_index_ = torch.floor((log2_scale - MIN_LOG2) * STEPS_PER_OCTAVE + 0.5)
    return scale_index_.clamp(0, NUM_SCALES - 1).long()


def bits(symbols: Tensor, log2_scale: Tensor) -> Tensor:
    """Ideal code length of symbols around zero, differentiable in both arguments.

    Args:
        symbols: quantised or noisy values minus their mean, any shape.
        log2_scale: the same shape.

    Returns:
        Bits of each symbol, the same shape.
    """
    top = MIN_LOG2 + (NUM_SCALES - 1) / STEPS_PER_OCTAVE
    scale = torch.exp2(log2_scale.clamp(MIN_LOG2, top))
    magnitude = symbols.abs()
    upper = torch.special.ndtr((0.5 - magnitude) / scale)
    lower = torch.special.ndtr((-0.5 - magnitude) / scale)
    return -torch.log2((upper - lower).clamp_min(2.0**-16))


def build_tables() -> dict[str, Tensor]:
    """Integer tables of CompressAI's Gaussian conditional for the ladder of scales."""
    from hsc.bitstream.loading import import_compressai

    import_compressai()
    from compressai.entropy_models import GaussianConditional

    ladder = [2.0 ** (MIN_LOG2 + i / STEPS_PER_OCTAVE) for i in range(NUM_SCALES)]
    model = GaussianConditional(ladder, scale_bound=ladder[0])
    model.update()
    return {
        "cdfs": model.quantized_cdf.int(),
        "sizes": model.cdf_length.int(),
        "offsets": model.offset.int(),
    }


def load_tables(path: Path) -> CdfTables:
    """Tables from ``entropy.safetensors``.

    Raises:
        WeightsError: the file is missing.
    """
    if not path.is_file():
        raise WeightsError(f"expected entropy tables at {path.name}, found no file.")
    arrays = load_file(path)
    return CdfTables.from_arrays(
        arrays["cdfs"].numpy(), arrays["sizes"].numpy(), arrays["offsets"].numpy()
    )
