"""The encoder renders its semantics alone and corrects S by how the face differs.

Source: the feedback of ReStyle (Alaluf et al. 2021, arXiv 2104.02699), once, with a face
recogniser's descriptor beside the encoder's own features: identity depends on differences that
ImageNet features hardly represent.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.config import SHIPPED, CodecConfig
from hsc.inversion.error_encoder import ErrorEncoder
from hsc.layers import zeroed
from hsc.metrics.identity import DESCRIPTOR_DIM

DESCRIPTOR_SCALE = 6.0
"""Descriptor entries are about .1; this factor brings them to the scale of the other inputs."""


class StyleFeedback(nn.Module):
    """S, and how the photograph differs from what S renders -> a better S.

    ::

        photograph -> descriptor d ---------------------+
        S -> G to a 128-px exit -> descriptor d' -------+-> d, d - d' -> Linear -----+
        photograph, 128-px picture, pyramid -> error encoder ------------------------+
        photograph -> pooled pyramid -> Linear -> leaky -> Linear -------------------+
        mean of the corrected styles, standardised -> Linear ------------------------+
             -> sum -> leaky -> Linear -> leaky -+-> one change for all -----+
                                                 +-> 13 x rank-32 residual --+-> + S

    The last layers are initialised to zero: before training, S is returned unchanged.

    Args:
        pooled: length of a pooled pyramid.
        config: sizes of w+ and of the compared pictures.

    Attributes:
        styles: how many leading styles are corrected: those below the exit that renders the
            128-px picture; it hardly depends on later ones.
    """

    def __init__(
        self,
        pooled: int,
        config: CodecConfig = SHIPPED,
        width: int = 768,
        narrow: int = 256,
        rank: int = 32,
    ) -> None:
        super().__init__()
        style_dim = config.generator.style_dim
        self.styles = config.generator.styles_through(config.feedback_exit_px)
        self.descriptors = nn.Linear(2 * DESCRIPTOR_DIM, width)
        self.seen = nn.Linear(pooled, narrow)
        self.pyramid = nn.Linear(narrow, width, bias=False)
        self.difference = ErrorEncoder(width, config)
        self.style = nn.Linear(style_dim, width)
        self.hidden = nn.Linear(width, width)
        self.base = zeroed(nn.Linear(width, style_dim))
        self.coefficients = zeroed(nn.Linear(width, self.styles * rank))
        self.basis = nn.Parameter(torch.randn(self.styles, rank, style_dim) / rank**0.5)
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
            w: (B, 512), the mean of the corrected styles, standardised.
            photo_descriptor, own_descriptor: (B, 128), of the photograph and of what S renders.
            pooled: (B, pooled), of the photograph.
            error: (B, width), from :attr:`difference`.

        Returns:
            (B, styles, 512), to be added to the leading styles.
        """
        pooled = (pooled - self.pooled_mean) / self.pooled_std  # (B, pooled)
        change = photo_descriptor - own_descriptor  # (B, 128)
        who = DESCRIPTOR_SCALE * torch.cat([photo_descriptor, change], 1)  # (B, 256)
        h = self.descriptors(who) + self.style(w) + error  # (B, width)
        h = h + self.pyramid(F.leaky_relu(self.seen(pooled), 0.2))
        h = F.leaky_relu(self.hidden(F.leaky_relu(h, 0.2)), 0.2)  # (B, width)
        c = self.coefficients(h).unflatten(1, (self.styles, -1))  # (B, 13, rank)
        residual = torch.einsum("bsr,srd->bsd", c, self.basis.to(c.dtype))  # (B, 13, 512)
        correction: Tensor = self.base(h)[:, None] + residual
        return correction
