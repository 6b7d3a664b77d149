"""Discretised Gaussians on a fixed ladder of scales: the entropy model of both layers.

Source: the Gaussian conditional of Balle et al. 2018 (arXiv 1802.01436) as CompressAI implements
it. Its tables are computed once, by ``build_tables``, and shipped as integers: recomputing them
at load time would let one rounding of ``erfc`` make a file unreadable.
"""

from itertools import accumulate, pairwise
from pathlib import Path
from statistics import NormalDist

import torch
from safetensors.torch import load_file
from torch import Tensor

from hsc.bitstream.rans import CDF_TOTAL, CdfTables
from hsc.errors import WeightsError

MIN_LOG2, STEPS_PER_OCTAVE, NUM_SCALES = -4.0, 4, 40
"""Scales 2**-4 to 2**5.75 in quarter octaves."""
TAIL_MASS = 1e-9


def scale_index(log2_scale: Tensor) -> Tensor:
    """Index of the nearest scale, exact for inputs on a binary grid.

    Args:
        log2_scale: any shape, float64.

    Returns:
        int64 in [0, 40).
    """
    steps = torch.floor((log2_scale - MIN_LOG2) * STEPS_PER_OCTAVE + 0.5)
    return steps.clamp(0, NUM_SCALES - 1).long()


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
    """Integer tables of the ladder of scales, equal to those of CompressAI's Gaussian conditional.

    Each ends where both tails together have a probability of ``TAIL_MASS``; its last entry, the
    escape, has the remaining probability. See ``hsc.bitstream.rans.CdfTables`` for the layout.
    """
    scales = torch.exp2(MIN_LOG2 + torch.arange(NUM_SCALES) / STEPS_PER_OCTAVE)
    reach = torch.ceil(scales * -NormalDist().inv_cdf(TAIL_MASS / 2)).int()
    rows = []
    for scale, most in zip(scales, reach):
        distance = torch.arange(-int(most), int(most) + 1).abs().float()
        upper, lower = (_cumulative((half - distance) / scale) for half in (0.5, -0.5))
        rows.append(_cdf(torch.cat([upper - lower, 2 * lower[:1]])))
    cdfs = torch.zeros(NUM_SCALES, max(map(len, rows)), dtype=torch.int32)
    for padded, row in zip(cdfs, rows):
        padded[: len(row)] = torch.tensor(row)
    return {
        "cdfs": cdfs,
        "sizes": torch.tensor([len(row) for row in rows]).int(),
        "offsets": -reach,
    }


def _cumulative(x: Tensor) -> Tensor:
    """Of the standard normal distribution, in float32 as in CompressAI."""
    return 0.5 * torch.erfc(-(2**-0.5) * x)


def _cdf(chances: Tensor) -> list[int]:
    """Probabilities to an increasing table from 0 to 65536; every frequency is at least 1.

    An entry with frequency 0 takes 1 from the least probable entry that has 2 or more.
    """
    parts = [int(p * CDF_TOTAL + 0.5) for p in chances.tolist()]
    cdf = [0, *accumulate(CDF_TOTAL * part // sum(parts) for part in parts)]
    cdf[-1] = CDF_TOTAL
    for at in range(len(parts)):
        if cdf[at] == cdf[at + 1]:
            parts = [b - a for a, b in pairwise(cdf)]
            giver = min((part, i) for i, part in enumerate(parts) if part > 1)[1]
            for i in range(giver + 1, at + 1):
                cdf[i] -= 1
            for i in range(at + 1, giver + 1):
                cdf[i] += 1
    return cdf


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
