"""Stage "joint": FCN, and the encoder's feature head with it, through the frozen generator.

An encoder that is trained for itself puts into F what FCN then fails to carry. Here both see the
picture that the *file* draws, at levels drawn at random; every few steps the uncompressed S + F is
looked at too, so that F stays what it is named.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.fcn.feature_codec import FeatureCodec
from hsc.generator.synthesis import Synthesis
from hsc.inversion.encoder import InversionEncoder
from hsc.scn.semantic_codec import SemanticCodec
from hsc.training.augment import degrade, grey_some, jitter
from hsc.training.faces import RealFaces, to_unit
from hsc.training.inversion import RenderLoss
from hsc.training.pairs import PairSource
from hsc.training.rate import RatePrice, draw_level

REAL_SHARE = 0.8
UNCOMPRESSED_EVERY = 5
WATCHED_LEVELS = (1, 3, 6)


class EncoderAndCodec(nn.Module):
    """What is trained together: the encoder (its feature head only) and FCN."""

    def __init__(self, encoder: InversionEncoder, fcn: FeatureCodec) -> None:
        super().__init__()
        self.encoder, self.fcn = encoder, fcn


class JointLoss:
    """Bits, and the picture after the generator against the photograph.

    Args:
        scn: frozen; FCN is always trained on decoded semantics.
        fast: the generator in bfloat16.
        seen: the exit to look through, and the loss there.
    """

    def __init__(
        self,
        both: EncoderAndCodec,
        scn: SemanticCodec,
        fast: Synthesis,
        pairs: PairSource,
        real: RealFaces,
        seen: RenderLoss,
        device: torch.device,
    ) -> None:
        self.encoder, self.fcn, self.scn, self.fast = both.encoder, both.fcn, scn, fast
        self.pairs, self.real, self.seen, self.device = pairs, real, seen, device
        self.price = RatePrice()

    def photos(self, n: int) -> Tensor:
        """A batch of both kinds, (n, 3, 256, 256) in [-1, 1]."""
        drawn = round(n * (1 - REAL_SHARE) + float(torch.rand(())) - 0.5)
        real = jitter(grey_some(to_unit(self.real.sample(n - drawn)).to(self.device)))
        if not drawn:
            return real
        return torch.cat([to_unit(self.pairs.sample(drawn, self.device).images), real])

    def __call__(self, n: int, step: int) -> tuple[Tensor, dict[str, float]]:
        """The loss of ``n`` pictures at one level."""
        clean = self.photos(n)  # (n, 3, 256, 256)
        image = degrade(clean, 0.15).contiguous(memory_format=torch.channels_last)
        level = draw_level()
        with torch.autocast(self.device.type, torch.bfloat16):
            with torch.no_grad():
                pyramid = self.encoder.backbone(image)
                w_plus = self.encoder.semantic_head(pyramid)  # (n, 23, 512)
                feature_s = self._features(w_plus)[1]  # (n, 512, 32, 32)
            feature = self.encoder.feature_head(image, pyramid, feature_s)  # (n, 512, 32, 32)
        if step % UNCOMPRESSED_EVERY == 0:
            value, parts = self.seen(self.fast, feature, w_plus, clean)
            return value, {f"{name}_free": UNCOMPRESSED_EVERY * v for name, v in parts.items()}
        with torch.no_grad():
            w_plus_hat, scn_bits = self.scn(w_plus, level)
            context, feature_s = self._features(w_plus_hat)
        with torch.autocast(self.device.type, torch.bfloat16):
            feature_hat, bits = self.fcn(feature, feature_s, context, level, noisy_rate=False)
        value, parts = self.seen(self.fast, feature_hat, w_plus_hat, clean)
        cost, charged = self.price.charge(bits, scn_bits, level)
        error = F.smooth_l1_loss(
            self.fcn.normalised(feature_hat), self.fcn.normalised(feature), beta=0.5
        )
        figures = parts | {"f": error.item()} | charged
        scale = UNCOMPRESSED_EVERY / (UNCOMPRESSED_EVERY - 1)
        figures = {name: scale * v for name, v in figures.items()}
        return value + 0.2 * error + cost, figures

    def drawn(self, image: Tensor) -> dict[str, Tensor]:
        """What files of (B, 3, 256, 256) draw, for :class:`hsc.training.watch.Watch`."""
        drawn = {}
        with torch.autocast(self.device.type, torch.bfloat16):
            pyramid = self.encoder.backbone(image)
            w_plus = self.encoder.semantic_head(pyramid)
            feature = self.encoder.feature_head(image, pyramid, self._features(w_plus)[1])
            drawn["free"] = self.seen.render(self.fast, feature, w_plus)
            for level in WATCHED_LEVELS:
                w_plus_hat, _ = self.scn(w_plus, level)
                context, feature_s = self._features(w_plus_hat)
                feature_hat, _ = self.fcn(feature, feature_s, context, level, noisy_rate=False)
                drawn[f"{level}"] = self.seen.render(self.fast, feature_hat, w_plus_hat)
        return drawn

    def _features(self, w_plus: Tensor) -> tuple[Tensor, Tensor]:
        """G at 16 and at 32 px, in float32."""
        styles = w_plus.bfloat16()
        context = self.fast.feature(styles, 16)  # (n, 512, 16, 16)
        return context.float(), self.fast.run(context, styles, 16, 32).float()
