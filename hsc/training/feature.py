"""Stage "feature": FCN under a rate constraint, on the error of F alone, as a warm-up."""

import torch
from torch import Tensor
from torch.nn import functional as F

from hsc.fcn.feature_codec import FeatureCodec
from hsc.generator.synthesis import Synthesis
from hsc.scn.semantic_codec import SemanticCodec
from hsc.training.latents import CachedLatents
from hsc.training.rate import RatePrice, draw_level


class FeatureLoss:
    """The FCN's loss on cached latents.

    Args:
        scn: frozen; the FCN is always trained on decoded semantics.
        fast: the generator in bfloat16.
    """

    def __init__(
        self,
        codec: FeatureCodec,
        scn: SemanticCodec,
        fast: Synthesis,
        latents: CachedLatents,
        device: torch.device,
    ) -> None:
        self.codec, self.scn, self.fast, self.latents = codec, scn, fast, latents
        self.device, self.price = device, RatePrice()

    def __call__(self, n: int, step: int) -> tuple[Tensor, dict[str, float]]:
        """Bits and feature error of ``n`` pictures at one level."""
        batch = self.latents.sample(n, self.device)
        level = draw_level()
        with torch.no_grad():
            w_plus_hat, scn_bits = self.scn(batch.w_plus, level)
            styles = w_plus_hat.bfloat16()
            context = self.fast.feature(styles, 16)  # (n, 512, 16, 16)
            feature_s = self.fast.run(context, styles, 16, 32).float()  # (n, 512, 32, 32)
        with torch.autocast(self.device.type, torch.bfloat16):
            feature_hat, bits = self.codec(
                batch.feature, feature_s, context.float(), level, noisy_rate=step % 2 == 0
            )
        error = self.codec.normalised(feature_hat - batch.feature)
        error = F.smooth_l1_loss(error, torch.zeros_like(error), beta=0.5)
        cost, figures = self.price.charge(bits, scn_bits, level)
        return 2 * error + cost, {"f": error.item()} | figures
