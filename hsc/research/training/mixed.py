"""Batches of photographs mixed with faces that the generator rendered."""

from dataclasses import dataclass

import torch
from torch import Tensor

from hsc.images.tensors import to_unit
from hsc.research.data.augment import grey_some, jitter
from hsc.research.data.faces import RealFaces
from hsc.research.training.pairs import PairSource


@dataclass(frozen=True)
class MixedFaces:
    """Training pictures without their S and F.

    Attributes:
        pairs, real: sources of the two kinds.
        device: where the pictures go.
        real_share: share of photographs in a batch.
    """

    pairs: PairSource
    real: RealFaces
    device: torch.device
    real_share: float

    def sample(self, n: int) -> Tensor:
        """(n, 3, 256, 256) in [-1, 1], photographs as imperfect alignment cuts them."""
        rendered = round(n * (1 - self.real_share) + float(torch.rand(())) - 0.5)
        parts = []
        if rendered:
            parts.append(to_unit(self.pairs.sample(rendered, self.device).images))
        if rendered < n:
            photos = to_unit(self.real.sample(n - rendered)).to(self.device)
            parts.append(jitter(grey_some(photos)))
        return torch.cat(parts)
