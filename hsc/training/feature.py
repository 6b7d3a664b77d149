"""Stages "feature" and "joint": FCN under a rate constraint, first on F, then on pictures.

Each level has a size to aim at rather than a fixed multiplier: the price of a byte follows the
measured size, so that the levels of a finished model lie where they should.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from hsc.fcn.feature_codec import FeatureCodec
from hsc.generator.preview import PreviewHead, preview
from hsc.generator.synthesis import Synthesis
from hsc.levels import LEVELS, MAX_LEVEL, MIN_LEVEL, interpolation
from hsc.scn.semantic_codec import SemanticCodec
from hsc.training.inversion import PictureLoss
from hsc.training.latents import CachedLatents, LatentBatch

OVERHEAD_BYTES = 15 + 8
"""Header of the file, and what the entropy coder adds to the ideal length."""


class RatePrice:
    """Price of a kilobyte at each level, adjusted until sizes meet their targets."""

    def __init__(self, start: tuple[float, ...] = (0.3, 0.15, 0.1, 0.05, 0.03, 0.012)) -> None:
        self.log_price = [math.log(p) for p in start]

    def target_bytes(self, level: float) -> float:
        low, high, t = interpolation(level)
        a, b = (math.log(LEVELS[i].target_bytes) for i in (low, high))
        return math.exp(a + t * (b - a))

    def __call__(self, level: float) -> float:
        low, high, t = interpolation(level)
        return math.exp((1 - t) * self.log_price[low] + t * self.log_price[high])

    def adjust(self, level: float, total_bytes: float, rate: float = 0.05) -> None:
        """Raise the price where files are too large, lower it where they are too small."""
        low, high, t = interpolation(level)
        error = math.log(max(total_bytes, 1.0) / self.target_bytes(level))
        error = max(-1.0, min(1.0, error))
        self.log_price[low] += rate * (1 - t) * error
        self.log_price[high] += rate * t * error


class FeatureLoss:
    """The FCN's loss on cached latents.

    Args:
        scn: frozen; the FCN is always trained on decoded semantics.
        fast: the generator in bfloat16.
        head, picture_loss: needed by :meth:`pictures` only.
    """

    def __init__(
        self,
        codec: FeatureCodec,
        scn: SemanticCodec,
        fast: Synthesis,
        latents: CachedLatents,
        device: torch.device,
        head: PreviewHead | None = None,
        picture_loss: PictureLoss | None = None,
    ) -> None:
        self.codec, self.scn, self.fast, self.latents = codec, scn, fast, latents
        self.device, self.head, self.picture_loss = device, head, picture_loss
        self.price = RatePrice()

    def _code(
        self, batch: LatentBatch, level: float, noisy_rate: bool
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        with torch.no_grad():
            w_plus_hat, scn_bits = self.scn(batch.w_plus, level)
            context = self.fast.feature(w_plus_hat.bfloat16(), 16)  # (B, 512, 16, 16)
            feature_s = self.fast.run(context, w_plus_hat.bfloat16(), 16, 32).float()
        with torch.autocast(self.device.type, torch.bfloat16):
            feature_hat, bits = self.codec(
                batch.feature, feature_s, context.float(), level, noisy_rate
            )
        return w_plus_hat, feature_hat, bits, scn_bits

    def _priced(self, bits: Tensor, scn_bits: Tensor, level: float) -> tuple[Tensor, float]:
        price = self.price(level)
        total = (bits.mean() + scn_bits.mean()).item() / 8 + OVERHEAD_BYTES
        self.price.adjust(level, total)
        return price * bits.mean() / 8000, total

    def _feature_error(self, batch: LatentBatch, feature_hat: Tensor) -> Tensor:
        error = self.codec.normalised(feature_hat - batch.feature)
        return F.smooth_l1_loss(error, torch.zeros_like(error), beta=0.5)

    def features(self, n: int, step: int) -> tuple[Tensor, dict[str, float]]:
        """Bits and feature error."""
        batch = self.latents.sample(n, self.device)
        level = _draw_level()
        _, feature_hat, bits, scn_bits = self._code(batch, level, noisy_rate=step % 2 == 0)
        error = self._feature_error(batch, feature_hat)
        rate, total = self._priced(bits, scn_bits, level)
        ratio = total / self.price.target_bytes(level)
        figures = {"f": error.item(), "size_ratio": ratio, "price": self.price(level)}
        return 2 * error + rate, figures

    def pictures(self, n: int, step: int) -> tuple[Tensor, dict[str, float]]:
        """Bits, and the picture after the generator against the photograph."""
        batch = self.latents.sample(n, self.device, real_share=0.85)
        level = _draw_level()
        w_plus_hat, feature_hat, bits, scn_bits = self._code(batch, level, noisy_rate=False)
        error = self._feature_error(batch, feature_hat)
        feature = feature_hat.bfloat16().contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16):
            drawn = preview(self.fast, self.head, feature, w_plus_hat.bfloat16()).float()
        seen, parts = self.picture_loss(drawn, batch.images)
        rate, total = self._priced(bits, scn_bits, level)
        ratio = total / self.price.target_bytes(level)
        figures = {"f": error.item(), "size_ratio": ratio, "price": self.price(level)} | parts
        return seen + 0.5 * error + rate, figures


def _draw_level() -> float:
    """The named levels half of the time, anything between them otherwise."""
    if torch.rand(()) < 0.5:
        return float(LEVELS[int(torch.randint(len(LEVELS), ()))].number)
    return float(torch.empty(()).uniform_(MIN_LEVEL, MAX_LEVEL))
