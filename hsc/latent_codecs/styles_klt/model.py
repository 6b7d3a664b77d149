"""SCN, semantic compression network: w+ to symbols and back.

Source: the role is that of Li et al. 2025 (arXiv 2502.16799); the transform is our own. Theirs
reshapes w+ into a picture whose neighbourhoods mean nothing; here it is a Karhunen-Loeve
transform under a metric of what the generator does with each style.
"""

import torch
from torch import Tensor, nn

from hsc.config import FACE_1024
from hsc.latent_codecs.gains import log2_gain_at
from hsc.latent_codecs.gaussian import bits
from hsc.levels import LEVELS

SIZE = FACE_1024.styles * FACE_1024.style_dim


class SemanticCodec(nn.Module):
    """Transform coder of w+ with one gain a component and level.

    ::

        w+ - mean -> g_a (K x 11776) -> y, unit variance -> x gain(level) -> round -> rANS
        w+^ = mean + g_s (11776 x K) . (symbols / gain(level))

    A component's symbols are Gaussian with standard deviation gain(level): components whose gain
    is small are silently zero and cost nothing, so a level is a bit allocation too.

    ``forward`` is the training path. Real bytes are written and read by
    ``hsc.latent_codecs.styles_klt.coder``, whose w+^ has the same bits on every machine.
    """

    def __init__(self, components: int = 256) -> None:
        super().__init__()
        self.g_a = nn.Parameter(torch.zeros(components, SIZE))
        self.g_s = nn.Parameter(torch.zeros(SIZE, components))
        self.mean = nn.Parameter(torch.zeros(FACE_1024.w_plus_shape))
        self.log2_gain = nn.Parameter(torch.zeros(len(LEVELS), components))

    def gain(self, level: float) -> Tensor:
        """log2 of each component's gain at a level, (K,), differentiable."""
        return log2_gain_at(self.log2_gain, level)

    def analysis(self, w_plus: Tensor) -> Tensor:
        """(B, 23, 512) -> y (B, K)."""
        return (w_plus - self.mean).flatten(1) @ self.g_a.T

    def synthesis(self, y_hat: Tensor) -> Tensor:
        """(B, K) -> (B, 23, 512)."""
        return self.mean + (y_hat @ self.g_s.T).unflatten(1, FACE_1024.w_plus_shape)

    def forward(self, w_plus: Tensor, level: float) -> tuple[Tensor, Tensor]:
        """Code with rounding that passes gradients straight through.

        Args:
            w_plus: (B, 23, 512).

        Returns:
            w_plus_hat (B, 23, 512) and the ideal bits of each picture (B,).
        """
        log2_gain = self.gain(level)
        gain = torch.exp2(log2_gain)
        scaled = self.analysis(w_plus) * gain  # (B, K)
        symbols = scaled + (torch.round(scaled) - scaled).detach()  # (B, K)
        cost = bits(symbols, log2_gain.expand_as(symbols)).sum(1)  # (B,)
        return self.synthesis(symbols / gain), cost
