"""FCN, feature compression network: the 32-px feature map to bytes, given the decoded semantics.

Source: Li et al. 2025 (arXiv 2502.16799); gain vectors from Cui et al. 2020 (arXiv 2003.02012).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hsc.bitstream.rans import CdfTables, encode_symbols
from hsc.config import SHIPPED, CodecConfig
from hsc.latent_codecs.base import LatentCodec, NotUpdatedError, round_ste
from hsc.latent_codecs.feature_slices.coder import SliceCoder
from hsc.latent_codecs.feature_slices.enhancement import ABOVE, EnhancementSlice, base_level
from hsc.latent_codecs.feature_slices.file_coder import FileCoder, LatentOf
from hsc.latent_codecs.feature_slices.prior import (
    CHECKERED,
    SLICES,
    Context,
    Pass,
    Prior,
    passes,
)
from hsc.latent_codecs.feature_slices.transforms import Analysis, SynthesisTransform
from hsc.latent_codecs.fine_styles import FineStyles
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

    Above level 5 files have an :class:`EnhancementSlice` besides, ``F^ + std x basis^T y^``, and
    their base slices, those above, are coded at level 5. ``forward`` and the methods whose names
    begin with ``base`` know the base slices only, at any level. The layer of a file ends with the
    :class:`FineStyles` of the picture of S and F, which are no part of F.

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
        self.enhancement = EnhancementSlice(config) if config.enhancement_channels else None
        generator = config.generator
        self.fine = FineStyles(config, first=generator.styles_through(generator.feature_px))
        self._coder: FileCoder | None = None

    def log2_gain_of(self, level: float) -> Tensor:
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
        """Train-time coding of the base slices.

        Args:
            feature: F, (B, 512, 32, 32).
            noisy_rate: measure bits on noisy instead of rounded values: biased, but with a gradient
                where all symbols are rounded to zero.
            rated: 1 at positions of the latent whose bits count, (16, 16); None: all count.

        Returns:
            F^ (B, 512, 32, 32) and the ideal bits of each picture (B,).
        """
        y_hat, cost = self.base_code(feature, level, semantics, noisy_rate, rated)
        restored = self.g_s(y_hat, self.normalised(semantics.feature), level).float()
        return semantics.feature + self.feature_std[:, None, None] * restored, cost

    def base_code(
        self,
        feature: Tensor,
        level: float,
        semantics: Semantics,
        noisy_rate: bool = False,
        rated: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """As ``forward``, y_hat (B, 128, 16, 16) in place of F^."""
        feature_s = semantics.feature
        semantic = self.normalised(feature_s)
        y = self.g_a(self.normalised(feature - feature_s), semantic, level).float()
        log2_gain = self.log2_gain_of(level)[:, None, None]
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

        return self.prior.walk(semantics.context, level, log2_gain, code), cost

    def code(self, feature: Tensor, level: float, semantics: Semantics) -> tuple[Tensor, Tensor]:
        """As ``forward``, of the whole layer of a file: with the enhancement slice, if it has it.

        ::

            (F - F_S) / std -+- without what lies in the slice -> base slices -> r
                             +- basis -> y - basis . r -> round -> y^
            F^ = F_S + std x (r + basis^T . y^)
        """
        base = self.base_level(level)
        if not self.enhances(level):
            return self(feature, base, semantics)
        outside, inside = self._split(feature, semantics.feature)
        y_hat, cost = self.base_code(outside, base, semantics)
        restored = self.g_s(y_hat, self.normalised(semantics.feature), base).float()
        assert self.enhancement is not None
        y = inside - self.enhancement.latent(restored).float()
        gain = torch.exp2(self.enhancement.log2_gain_of(level))[:, None, None]
        symbols = round_ste(y * gain)
        more = bits(symbols, self.enhancement_scale(y_hat, level, semantics)).sum((1, 2, 3))
        restored = restored + self.enhancement.change(symbols / gain).float()
        return semantics.feature + self.feature_std[:, None, None] * restored, cost + more

    def base_hat(
        self, feature: Tensor, level: float, semantics: Semantics
    ) -> tuple[Tensor, Tensor]:
        """y_hat of the base slices in a file of a level, and the F^ that they give alone."""
        if self.enhances(level):
            feature, _ = self._split(feature, semantics.feature)
        base = self.base_level(level)
        y_hat, _ = self.base_code(feature, base, semantics)
        return y_hat, self.base_restore(y_hat, semantics.feature, base)

    def _split(self, feature: Tensor, feature_s: Tensor) -> tuple[Tensor, Tensor]:
        """F without what it has in the enhancement slice beyond F_S, and what it has there."""
        inside = self._inside(feature, feature_s)
        return self.with_enhancement(feature, -inside), inside

    def _inside(self, feature: Tensor, feature_s: Tensor) -> Tensor:
        """What F has in the enhancement slice beyond F_S, (B, 128, 16, 16)."""
        assert self.enhancement is not None
        return self.enhancement.latent(self.normalised(feature - feature_s)).float()

    def enhances(self, level: float) -> bool:
        """Whether files of a level have an enhancement slice."""
        return self.enhancement is not None and level > ABOVE

    def enhancement_scale(self, base_y_hat: Tensor, level: float, semantics: Semantics) -> Tensor:
        """log2 of the scales of the enhancement slice, counted in symbols: (B, 128, 16, 16)."""
        assert self.enhancement is not None
        context = self.prior.context(semantics.context.to(base_y_hat))
        return self.enhancement.log2_scale(context, base_y_hat, level)

    def with_enhancement(self, feature: Tensor, y: Tensor) -> Tensor:
        """F, or F^, and what a latent of the enhancement slice adds to it."""
        assert self.enhancement is not None
        return feature + self.feature_std[:, None, None] * self.enhancement.change(y).float()

    def base_level(self, level: float) -> float:
        """The level of the base slices in a file of a level."""
        return level if self.enhancement is None else base_level(level)

    def update(self, tables: CdfTables) -> None:
        """Copy the prior and the gains to exact arithmetic; the transforms stay float.

        Args:
            tables: of the ladder of scales, see ``hsc.latent_codecs.gaussian``.
        """
        base = SliceCoder(self.prior, self.log2_gain, tables)
        self.fine.update()
        self._coder = FileCoder(base, self.enhancement, self.fine)

    @torch.no_grad()
    def compress(
        self, feature: Tensor, level: float, semantics: Semantics, fine: Tensor | None = None
    ) -> bytes:
        """The bytes of the layer of a file: feature (1, 512, 32, 32), see ``code``.

        What an encoder finds in F is nothing to put into the enhancement slice: see
        ``without_enhancement``.

        Args:
            fine: latent of the fine styles of S and F, (1, K); None: zero.
        """
        y, more = self.latent(feature, semantics.feature, level)
        coded = self.coder.quantise(y, semantics.context, level, more, fine)
        return encode_symbols(*coded, self.coder.tables)

    def decompress(self, data: bytes, level: float, semantics: Semantics) -> Tensor:
        """F^, (1, 512, 32, 32) on the networks' device.

        Raises:
            BitstreamError: the bytes hold impossible symbols.
        """
        return self.decompress_layer(data, level, semantics)[0]

    def decompress_layer(
        self, data: bytes, level: float, semantics: Semantics
    ) -> tuple[Tensor, Tensor]:
        """F^ and the latent of the fine styles, (1, K); errors as ``decompress``."""
        y_hat, fine = self.coder.decompress(data, semantics.context, level)
        return self.restore(y_hat, semantics.feature, level), fine

    @property
    def coder(self) -> FileCoder:
        """The entropy coder of the latent, which ``update`` made. Raises NotUpdatedError."""
        if self._coder is None:
            raise NotUpdatedError
        return self._coder

    @torch.no_grad()
    def latent(
        self, feature: Tensor, feature_s: Tensor, level: float
    ) -> tuple[Tensor, LatentOf | None]:
        """y of one picture's file: of the base slices, (1, 128, 16, 16) float64 on the CPU; and of
        the enhancement slice, given y_hat of the base slices, or None where it has none.
        """
        base = self.base_level(level)
        if not self.enhances(level):
            return self.base_latent(feature, feature_s, base), None
        outside, inside = self._split(feature, feature_s)
        y = self.base_latent(outside, feature_s, base)

        def more(y_hat: Tensor) -> Tensor:
            drawn = self.base_restore(y_hat, feature_s, base)
            return (inside - self._inside(drawn, feature_s)).double().cpu()

        return y, more

    @torch.no_grad()
    def base_latent(self, feature: Tensor, feature_s: Tensor, level: float) -> Tensor:
        """y of the base slices, (1, 128, 16, 16), in float64 on the CPU."""
        residual = self.normalised(feature - feature_s)
        y: Tensor = self.g_a(residual, self.normalised(feature_s), level)
        return y.double().cpu()

    @torch.no_grad()
    def restore(self, y_hat: Tensor, feature_s: Tensor, level: float) -> Tensor:
        """F^ from the decoded latent of a file: (1, 512, 32, 32) on the networks' device."""
        base, more = (
            y_hat[:, : self.config.latent_channels],
            y_hat[:, self.config.latent_channels :],
        )
        feature = self.base_restore(base, feature_s, self.base_level(level))
        return self.with_enhancement(feature, more.to(feature_s)) if more.shape[1] else feature

    @torch.no_grad()
    def without_enhancement(self, feature: Tensor, level: float, semantics: Semantics) -> Tensor:
        """F whose enhancement slice is empty: (1, 512, 32, 32)."""
        if not self.enhances(level):
            return feature
        outside, _ = self._split(feature, semantics.feature)
        _, drawn = self.base_hat(feature, level, semantics)
        return self.with_enhancement(outside, self._inside(drawn, semantics.feature))

    @torch.no_grad()
    def base_restore(self, y_hat: Tensor, feature_s: Tensor, level: float) -> Tensor:
        """F^ from the decoded latent of the base slices, (1, 128, 16, 16)."""
        restored: Tensor = self.g_s(y_hat.to(feature_s), self.normalised(feature_s), level)
        return feature_s + self.feature_std[:, None, None] * restored
