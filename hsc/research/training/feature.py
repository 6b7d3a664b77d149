"""Stage "feature": FCN under a rate constraint, on the error of F alone, as a warm-up."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from hsc.config import SHIPPED
from hsc.generators.base import SynthesisNetwork
from hsc.latent_codecs.feature_slices.model import FeatureCodec, Semantics
from hsc.latent_codecs.styles_klt import SemanticCodec
from hsc.numerics.precision import gradient_autocast
from hsc.research.training.latents import CachedLatents
from hsc.research.training.rate import RatePrice, random_level, size_scale


@dataclass(frozen=True)
class CodedLatents:
    """Cached latents, and what the decoder can derive from S^ of each.

    Attributes:
        scn: frozen; FCN is always trained on decoded semantics.
        fast: the generator, see :func:`fast_synthesis`.
        context_px: resolution of FCN's context.
    """

    scn: SemanticCodec
    fast: SynthesisNetwork
    latents: CachedLatents
    device: torch.device
    context_px: int = SHIPPED.context_px

    @torch.no_grad()
    def sample(self, n: int, level: float) -> "CodedBatch":
        """``n`` pictures, their S coded at ``level``."""
        batch = self.latents.sample(n, self.device)
        known, _, scn_bits = coded_semantics(
            self.scn, self.fast, batch.w_plus, level, self.context_px
        )
        return CodedBatch(batch.feature, known.feature, known.context, scn_bits)


@dataclass(frozen=True)
class CodedBatch:
    """The inputs of FCN, and the bits of S^."""

    feature: Tensor  # F, (n, 512, 32, 32)
    feature_s: Tensor  # F_S^, (n, 512, 32, 32)
    context: Tensor  # G_16(S^), (n, 512, 16, 16)
    scn_bits: Tensor  # (n,)


@torch.no_grad()
def coded_semantics(
    scn: SemanticCodec, fast: SynthesisNetwork, w_plus: Tensor, level: float, context_px: int
) -> tuple[Semantics, Tensor, Tensor]:
    """What FCN is given of S (n, 23, 512), in float32; S^, and the ideal bits of S^, (n,).

    Args:
        fast: G, see :func:`fast_synthesis`.
    """
    w_plus_hat, bits = scn(w_plus, level)
    styles = w_plus_hat.to(fast.dtype)
    context = fast.feature(styles, context_px)  # (n, 512, 16, 16)
    feature = fast.run(context, styles, context_px, fast.spec.feature_px)  # (n, 512, 32, 32)
    return Semantics(feature.float(), context.float()), w_plus_hat, bits


@dataclass(frozen=True)
class FeatureConfig:
    """``configs/feature.yaml``."""

    batch: int
    rate: float
    feature: float
    klt_pictures: int
    klt_level: float


class FeatureLoss:
    """FCN's loss on cached latents; ``weight``: of the feature error beside bits."""

    def __init__(self, codec: FeatureCodec, coded: CodedLatents, weight: float) -> None:
        self.codec, self.coded, self.weight = codec, coded, weight
        self.price = RatePrice(scale=size_scale(codec.config))

    def __call__(self, n: int, step: int) -> tuple[Tensor, dict[str, float]]:
        """Bits and feature error of ``n`` pictures at one level."""
        level = random_level()
        batch = self.coded.sample(n, level)
        with gradient_autocast(batch.feature.device):
            feature_hat, bits = self.codec(
                batch.feature, level, Semantics(batch.feature_s, batch.context), step % 2 == 0
            )
        error = self.codec.normalised(feature_hat - batch.feature)
        error = F.smooth_l1_loss(error, torch.zeros_like(error), beta=0.5)
        cost, figures = self.price.charge(bits, batch.scn_bits, level)
        return self.weight * error + cost, {"f": error.item()} | figures
