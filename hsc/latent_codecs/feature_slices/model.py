"""FCN, feature compression network: the 32-px feature map to bytes, given the decoded semantics.

Source: Li et al. 2025 (arXiv 2502.16799); gain vectors from Cui et al. 2020 (arXiv 2003.02012).
"""

import torch
from torch import Tensor, nn

from hsc.latent_codecs.feature_slices.prior import PASSES, Prior
from hsc.latent_codecs.feature_slices.transforms import (
    FEATURE_CHANNELS,
    LATENT_CHANNELS,
    Analysis,
    SynthesisTransform,
)
from hsc.latent_codecs.gains import log2_gain_at
from hsc.latent_codecs.gaussian import bits
from hsc.levels import LEVELS


class FeatureCodec(nn.Module):
    """Codes F - F_S^, where F_S^ = G_F(S^) is what the decoder already knows.

    ::

        F, F_S^ -> g_a -> y -> (y - mean) x gain(level) -> round -> rANS
                               mean, scale <- prior(G_16(S^), passes before, level)
        y^ = symbols / gain(level) + mean;   F^ = F_S^ + std x g_s(y^, F_S^, level)

    ``forward`` is the training path: straight-through rounding, float networks. Real bytes are
    written and read by ``hsc.latent_codecs.feature_slices.coder``, which runs the same prior in exact arithmetic.
    """

    def __init__(self) -> None:
        super().__init__()
        self.g_a = Analysis()
        self.g_s = SynthesisTransform()
        self.prior = Prior()
        self.log2_gain = nn.Parameter(torch.zeros(len(LEVELS), LATENT_CHANNELS))
        self.register_buffer("feature_std", torch.ones(FEATURE_CHANNELS))

    def gain(self, level: float) -> Tensor:
        """log2 of each channel's gain, (128,), differentiable."""
        return log2_gain_at(self.log2_gain, level)

    def normalised(self, feature: Tensor) -> Tensor:
        return feature / self.feature_std[:, None, None]

    def forward(
        self, feature: Tensor, feature_s: Tensor, context: Tensor, level: float, noisy_rate: bool
    ) -> tuple[Tensor, Tensor]:
        """Train-time coding.

        Args:
            feature, feature_s: F and F_S^, (B, 512, 32, 32).
            context: G_16(S^), (B, 512, 16, 16).
            noisy_rate: measure bits on noisy instead of rounded values: biased, but its gradient
                reaches scales that rounding has silenced.

        Returns:
            F^ (B, 512, 32, 32) and the ideal bits of each picture (B,).
        """
        semantic = self.normalised(feature_s)
        y = self.g_a(self.normalised(feature - feature_s), semantic, level).float()
        log2_gain = self.gain(level)[:, None, None]
        gain = torch.exp2(log2_gain)
        reduced = self.prior.context(context)
        y_hat, cost = y[:, :0], y.new_zeros(len(y))
        for now, network in zip(PASSES, self.prior.networks):
            part = now.channels
            mean, log2_scale = network(self.prior.inputs(reduced, y_hat, level))
            mean, log2_scale = mean.float(), log2_scale.float() + log2_gain[part]
            scaled = (y[:, part] - mean) * gain[part]  # (B, C, 16, 16)
            rounded = scaled + (torch.round(scaled) - scaled).detach()
            rated = scaled + torch.rand_like(scaled) - 0.5 if noisy_rate else rounded
            cost = cost + (bits(rated, log2_scale) * now.cells.to(y)).sum((1, 2, 3))
            y_hat = now.put(y_hat, rounded / gain[part] + mean)  # (B, up to part.stop, 16, 16)
        restored = self.g_s(y_hat, semantic, level).float()
        return feature_s + self.feature_std[:, None, None] * restored, cost

    @torch.no_grad()
    def latent(self, feature: Tensor, feature_s: Tensor, level: float) -> Tensor:
        """y of one picture, (1, 128, 16, 16), in float64 on the CPU."""
        residual = self.normalised(feature - feature_s)
        return self.g_a(residual, self.normalised(feature_s), level).double().cpu()

    @torch.no_grad()
    def restore(self, y_hat: Tensor, feature_s: Tensor, level: float) -> Tensor:
        """F^ from the decoded latent: (1, 512, 32, 32) on the networks' device."""
        restored = self.g_s(y_hat.to(feature_s), self.normalised(feature_s), level)
        return feature_s + self.feature_std[:, None, None] * restored
