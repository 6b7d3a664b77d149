"""FCN, feature compression network: the 32-px feature map to bytes, given the decoded semantics.

Source: Li et al. 2025 (arXiv 2502.16799); gain vectors from Cui et al. 2020 (arXiv 2003.02012).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hsc.bitstream.rans import CdfTables
from hsc.config import SHIPPED, CodecConfig
from hsc.latent_codecs.base import LatentCodec, NotUpdatedError, round_ste
from hsc.latent_codecs.feature_slices.coder import SliceCoder
from hsc.latent_codecs.feature_slices.prior import (
    CHECKERED,
    SLICES,
    Context,
    Pass,
    Prior,
    passes,
)
from hsc.latent_codecs.feature_slices.transforms import Analysis, SynthesisTransform
from hsc.latent_codecs.gains import log2_gain_at
from hsc.latent_codecs.gaussian import bits
from hsc.levels import LEVELS


@dataclass(frozen=True)
class Semantics:
    """The generator's prediction of the feature map from S^, known to encoder and decoder.

    Attributes:
        feature: F_S^ = G_F(S^), (B, 512, 32, 32), what the semantics predict.
        context: G_16(S^), (B, 512, 16, 16): float in training, of exact arithmetic (float64 on the
            CPU) for bytes.
    """

    feature: Tensor
    context: Tensor


class FeatureCodec(nn.Module, LatentCodec[Semantics]):
    """Codes F - F_S^, where F_S^ = G_F(S^) is known to the decoder.

    ::

        F, F_S^ -> g_a -> y -> (y - mean) x gain(level) -> round -> rANS
                               mean, scale <- prior(G_16(S^), passes before, level)
        y^ = symbols / gain(level) + mean;   F^ = F_S^ + std x g_s(y^, F_S^, level)

    ``forward`` visits the prior's passes with float networks; ``coder`` writes and reads bytes in
    the same order with exact arithmetic.

    Args:
        config: sizes of F, of the context and of the latent.
    """

    def __init__(self, config: CodecConfig = SHIPPED) -> None:
        super().__init__()
        self.config = config
        if config.latent_channels != sum(SLICES):
            raise ValueError(
                f"expected {sum(SLICES)} latent channels, got {config.latent_channels}."
            )
        self.g_a = Analysis(config)
        self.g_s = SynthesisTransform(config)
        self.prior = Prior(passes(SLICES, CHECKERED, config.latent_px), Context(config))
        self.log2_gain = nn.Parameter(torch.zeros(len(LEVELS), config.latent_channels))
        self.feature_std: Tensor
        self.register_buffer("feature_std", torch.ones(config.generator.feature_channels))
        self._coder: SliceCoder | None = None

    def gain(self, level: float) -> Tensor:
        """log2 of each channel's gain, (128,), differentiable."""
        return log2_gain_at(self.log2_gain, level)

    def normalised(self, feature: Tensor) -> Tensor:
        """Of (B, 512, 32, 32): each channel by its standard deviation."""
        return feature / self.feature_std[:, None, None]

    def forward(
        self,
        feature: Tensor,
        level: float,
        semantics: Semantics,
        noisy_rate: bool = False,
        rated: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Train-time coding.

        Args:
            feature: F, (B, 512, 32, 32).
            noisy_rate: measure bits on noisy instead of rounded values: biased, but with a gradient
                where all symbols are rounded to zero.
            rated: 1 at positions of the latent whose bits count, (16, 16); None: all count.

        Returns:
            F^ (B, 512, 32, 32) and the ideal bits of each picture (B,).
        """
        feature_s = semantics.feature
        semantic = self.normalised(feature_s)
        y = self.g_a(self.normalised(feature - feature_s), semantic, level).float()
        log2_gain = self.gain(level)[:, None, None]
        gain = torch.exp2(log2_gain)
        cost = y.new_zeros(len(y))

        def code(now: Pass, mean: Tensor, log2_scale: Tensor) -> Tensor:
            nonlocal cost
            part = now.channels
            scaled = (y[:, part] - mean) * gain[part]  # (B, C, 16, 16)
            symbols = round_ste(scaled)
            values = scaled + torch.rand_like(scaled) - 0.5 if noisy_rate else symbols
            counted = now.cells.to(y) if rated is None else now.cells.to(y) * rated
            cost = cost + (bits(values, log2_scale) * counted).sum((1, 2, 3))
            return symbols / gain[part] + mean

        y_hat = self.prior.walk(semantics.context, level, log2_gain, code)
        restored = self.g_s(y_hat, semantic, level).float()
        return feature_s + self.feature_std[:, None, None] * restored, cost

    def update(self, tables: CdfTables) -> None:
        """Copy the prior and the gains to exact arithmetic; the transforms stay float.

        Args:
            tables: of the ladder of scales, see ``hsc.latent_codecs.gaussian``.
        """
        self._coder = SliceCoder(self.prior, self.log2_gain, tables)

    def compress(self, feature: Tensor, level: float, semantics: Semantics) -> bytes:
        """The bytes of the layer: feature (1, 512, 32, 32)."""
        y = self.latent(feature, semantics.feature, level)
        return self.coder.compress(y, semantics.context, level)

    def decompress(self, data: bytes, level: float, semantics: Semantics) -> Tensor:
        """F^, (1, 512, 32, 32) on the networks' device.

        Raises:
            BitstreamError: the bytes hold impossible symbols.
        """
        y_hat = self.coder.decompress(data, semantics.context, level)
        return self.restore(y_hat, semantics.feature, level)

    @property
    def coder(self) -> SliceCoder:
        """The entropy coder of the latent, which ``update`` made. Raises NotUpdatedError."""
        if self._coder is None:
            raise NotUpdatedError
        return self._coder

    @torch.no_grad()
    def latent(self, feature: Tensor, feature_s: Tensor, level: float) -> Tensor:
        """y of one picture, (1, 128, 16, 16), in float64 on the CPU."""
        residual = self.normalised(feature - feature_s)
        y: Tensor = self.g_a(residual, self.normalised(feature_s), level)
        return y.double().cpu()

    @torch.no_grad()
    def restore(self, y_hat: Tensor, feature_s: Tensor, level: float) -> Tensor:
        """F^ from the decoded latent: (1, 512, 32, 32) on the networks' device."""
        restored: Tensor = self.g_s(y_hat.to(feature_s), self.normalised(feature_s), level)
        return feature_s + self.feature_std[:, None, None] * restored
