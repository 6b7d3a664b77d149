"""The encoder renders its semantics alone and corrects S by how the face differs.

Source: the feedback of ReStyle (Alaluf et al. 2021, arXiv 2104.02699), once, with a face
recogniser's descriptor beside the encoder's own features: identity depends on differences that
ImageNet features hardly represent.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.config import FACE_1024
from hsc.inversion.error_encoder import ErrorEncoder
from hsc.metrics.identity import DESCRIPTOR_DIM

SHAPING = FACE_1024.styles_through(64)
"""Styles that are corrected: those that shape the face; later ones hardly reach the 128-px exit."""
DESCRIPTOR_SCALE = 6.0
"""Brings descriptors, whose parts are about .1, to the size of everything else."""


class StyleFeedback(nn.Module):
    """S, and how the photograph differs from what S renders -> a better S.

    ::

        photograph -> descriptor d ---------------------+
        S -> G to a 128-px exit -> descriptor d' -------+-> d, d - d' -> Linear -----+
        photograph, 128-px picture, pyramid -> error encoder ------------------------+
        photograph -> pooled pyramid -> Linear -> leaky -> Linear -------------------+
        mean of the styles that shape, standardised -> Linear -----------------------+
             -> sum -> leaky -> Linear -> leaky -+-> one change for all -----+
                                                 +-> 13 x rank-32 residual --+-> + S

    The last layers start at zero: before training, S comes back as it was.

    Args:
        pooled: numbers in a pooled pyramid.
    """

    def __init__(self, pooled: int, width: int = 768, narrow: int = 256, rank: int = 32) -> None:
        super().__init__()
        self.descriptors = nn.Linear(2 * DESCRIPTOR_DIM, width)
        self.seen = nn.Linear(pooled, narrow)
        self.pyramid = nn.Linear(narrow, width, bias=False)
        self.difference = ErrorEncoder(width)
        self.style = nn.Linear(FACE_1024.style_dim, width)
        self.hidden = nn.Linear(width, width)
        self.base = nn.Linear(width, FACE_1024.style_dim)
        self.coefficients = nn.Linear(width, SHAPING * rank)
        self.basis = nn.Parameter(torch.randn(SHAPING, rank, FACE_1024.style_dim) / rank**0.5)
        for layer in (self.base, self.coefficients):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.pooled_mean: Tensor
        self.pooled_std: Tensor
        self.register_buffer("pooled_mean", torch.zeros(pooled))
        self.register_buffer("pooled_std", torch.ones(pooled))

    def forward(
        self,
        w: Tensor,
        photo_descriptor: Tensor,
        own_descriptor: Tensor,
        pooled: Tensor,
        error: Tensor,
    ) -> Tensor:
        """What to add to S, in standard deviations of w.

        Args:
            w: (B, 512), the mean of the styles that shape, standardised.
            photo_descriptor, own_descriptor: (B, 128), of the photograph and of what S renders.
            pooled: (B, pooled), of the photograph.
            error: (B, width), from :attr:`difference`.

        Returns:
            (B, SHAPING, 512).
        """
        pooled = (pooled - self.pooled_mean) / self.pooled_std  # (B, pooled)
        change = photo_descriptor - own_descriptor  # (B, 128)
        who = DESCRIPTOR_SCALE * torch.cat([photo_descriptor, change], 1)  # (B, 256)
        h = self.descriptors(who) + self.style(w) + error  # (B, width)
        h = h + self.pyramid(F.leaky_relu(self.seen(pooled), 0.2))
        h = F.leaky_relu(self.hidden(F.leaky_relu(h, 0.2)), 0.2)  # (B, width)
        c = self.coefficients(h).unflatten(1, (SHAPING, -1))  # (B, 13, rank)
        residual = torch.einsum("bsr,srd->bsd", c, self.basis.to(c.dtype))  # (B, 13, 512)
        return self.base(h)[:, None] + residual
