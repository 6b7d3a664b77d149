"""Stage "finetune": the correction of F, FCN and the decoder's last blocks, together.

FCN was trained on F as the encoder finds it, and the correction on an FCN that was held. Here all
three learn from what files draw: every second step as in stage "correction", a part of F and a
window of the picture at full size; the others whole pictures at 256 px, with the recogniser's
distance, which no window sees. The price of a byte follows the sizes of whole pictures' files,
beside those of the same pictures before: pictures that are trained on take fewer bytes than others.

S, SCN and the blocks up to the preview exit are held.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.generators.base import SynthesisNetwork
from hsc.inversion.correction import FeatureCorrection, strength_at
from hsc.inversion.encoder import resized
from hsc.latent_codecs.feature_slices.model import FeatureCodec, Semantics
from hsc.levels import interpolation
from hsc.research import distributed
from hsc.research.training.correction import CorrectionLoss, PartsConfig
from hsc.research.training.inversion import RenderLoss
from hsc.research.training.joint import last_blocks
from hsc.research.training.rate import random_level


@dataclass(frozen=True)
class FinetuneConfig(PartsConfig):
    """``configs/finetune.yaml``; ``rate`` is that of the correction."""

    fcn_rate: float
    decoder_rate: float
    whole_every: int
    whole_batch: int
    l2: float
    statistics: float
    feature: float
    sizes: tuple[float, ...]
    price_rate: float


class FinetunedNetworks(nn.Module):
    """What is trained together.

    Attributes:
        decoder: as :func:`last_blocks`; empty where the model has no finetuned blocks.
    """

    def __init__(
        self,
        correction: FeatureCorrection,
        fcn: FeatureCodec,
        finetuned: SynthesisNetwork | None,
    ) -> None:
        super().__init__()
        self.correction, self.fcn = correction, fcn
        px = fcn.config.preview_exit_px
        self.decoder = nn.ModuleDict() if finetuned is None else last_blocks(finetuned, px)
        self.requires_grad_(True)


class FinetuneLoss:
    """Windows of files, and every few steps whole pictures of files.

    Args:
        windows: of the same networks; its price is that of both kinds of steps.
        before: FCN as it was, frozen.
        whole: the loss of whole pictures, through the preview exit.
    """

    def __init__(
        self,
        windows: CorrectionLoss,
        before: FeatureCodec,
        whole: RenderLoss,
        config: FinetuneConfig,
    ) -> None:
        self.windows, self.before, self.whole, self.config = windows, before, whole, config

    def __call__(self, n: int, step: int) -> tuple[Tensor, dict[str, float]]:
        """The loss of ``n`` windows, or of ``whole_batch`` pictures, at one level."""
        level = random_level()
        if step % self.config.whole_every:
            return self.windows(n, level)
        return self._of_pictures(self.config.whole_batch, level)

    def _of_pictures(self, n: int, level: float) -> tuple[Tensor, dict[str, float]]:
        codec, device = self.windows.codec, self.windows.device
        faces = self.windows.pool.sample(n, lambda: None)
        pictures = [self.windows.pool.photograph(face) for face in faces]
        w_plus = torch.stack([face.w_plus for face in faces])
        found = torch.stack([face.feature for face in faces]).float()
        features = list(found.split(1))
        known, w_plus_hat, _ = codec.known(w_plus, level)
        if strength_at(level):
            corrector = self.windows.corrector
            for i, picture in enumerate(pictures):
                semantics = Semantics(known.feature[i : i + 1], known.context[i : i + 1])
                compared = corrector.known(picture)
                features[i] = corrector(
                    compared, features[i], w_plus_hat[i : i + 1], level, semantics
                )
        feature = torch.cat(features)  # (n, 512, 32, 32)
        with torch.autocast(device.type, torch.bfloat16):
            feature_hat, bits = codec.fcn(feature, level, known)
        small = resized(torch.cat(pictures), codec.fcn.config.input_px)
        value, parts = self.whole(self.windows.renderer, feature_hat.float(), w_plus_hat, small)
        error = F.smooth_l1_loss(
            codec.fcn.normalised(feature_hat), codec.fcn.normalised(feature), beta=0.5
        )
        cost = self.windows.price(level) * bits.mean() / 8000
        ratio = self._adjust_price(found, known, bits, level)
        figures = {f"{name}_whole": v for name, v in parts.items()}
        figures |= {"f": error.item(), "size_ratio": ratio, "price": self.windows.price(level)}
        return value + cost + self.config.feature * error, figures

    @torch.no_grad()
    def _adjust_price(self, feature: Tensor, known: Semantics, bits: Tensor, level: float) -> float:
        """Compare the bits of pictures with those that they took before: F (n, 512, 32, 32)."""
        with torch.autocast(feature.device.type, torch.bfloat16):
            before = self.before(feature, level, known)[1]
        ratio = distributed.mean(float(bits.sum() / before.sum()))
        low, high, t = interpolation(level)
        aim = (1 - t) * self.config.sizes[low] + t * self.config.sizes[high]
        self.windows.keep_sizes(level, ratio / aim, self.config.price_rate)
        return ratio
