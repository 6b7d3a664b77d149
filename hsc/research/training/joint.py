"""Stage "joint": trains FCN and the encoder of F together, through the frozen generator.

An encoder trained alone puts details into F that FCN cannot code. Here the loss of both is that of
the picture decoded from the *file*, at random levels: the whole picture through the 256-px exit, or
a window of it at full resolution. Every few steps the loss is that of the uncompressed S + F
instead, so that F stays a feature map of the generator.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.generators.base import SynthesisNetwork
from hsc.inversion.encoder import InversionEncoder
from hsc.inversion.self_renderer import SelfRenderer
from hsc.latent_codecs.feature_slices.model import FeatureCodec, Semantics
from hsc.latent_codecs.styles_klt import SemanticCodec
from hsc.research.data.augment import degrade
from hsc.research.data.faces import NativeFaces
from hsc.research.training.feature import known_features
from hsc.research.training.inversion import RenderLoss
from hsc.research.training.mixed import MixedFaces
from hsc.research.training.rate import RatePrice, random_level, size_scale
from hsc.research.training.window_loss import WindowLoss

WATCHED_LEVELS = (1, 3, 6)


@dataclass(frozen=True)
class JointConfig:
    """``configs/joint.yaml``."""

    batch: int
    head_rate: float
    feedback_rate: float
    fcn_rate: float
    l2: float
    feature: float
    degraded: float
    uncompressed_every: int
    window_every: int
    detail: float
    least_px: int
    real_share: float


class EncoderAndCodec(nn.Module):
    """What is trained together: the encoder (but for its semantics) and FCN."""

    def __init__(self, encoder: InversionEncoder, fcn: FeatureCodec) -> None:
        super().__init__()
        self.encoder, self.fcn = encoder, fcn


class JointLoss:
    """The price of the bits, and the distance of the decoded picture from the photograph.

    Args:
        scn: frozen; FCN is always trained on decoded semantics.
        fast: the generator in bfloat16, channels last.
        self_renderer: for the encoder's feedback.
        faces: whole pictures, compared by ``whole``, through the 256-px exit.
        native: photographs whose windows are compared by ``windows``, at full resolution.
    """

    def __init__(
        self,
        both: EncoderAndCodec,
        scn: SemanticCodec,
        fast: SynthesisNetwork,
        self_renderer: SelfRenderer,
        faces: MixedFaces,
        native: NativeFaces,
        whole: RenderLoss,
        windows: WindowLoss,
        config: JointConfig,
        device: torch.device,
    ) -> None:
        self.encoder, self.fcn, self.scn = both.encoder, both.fcn, scn
        self.fast, self.self_renderer = fast, self_renderer
        self.faces, self.native, self.whole, self.windows = faces, native, whole, windows
        self.config, self.device = config, device
        self.price = RatePrice(scale=size_scale(both.fcn.config))

    def __call__(self, n: int, step: int) -> tuple[Tensor, dict[str, float]]:
        """The loss of ``n`` pictures at one level: whole pictures, or a window of each."""
        c = self.config
        level = None if step % c.uncompressed_every == 0 else random_level()
        if step % c.window_every == 1:
            batch = self.native.sample(n)
            picture = batch.pictures.to(self.device)
            image = F.interpolate(picture, size=self.encoder.config.input_px, mode="area")
            feature, w_plus, cost, figures = self.coded(image, level)
            value, parts = self.windows.of_file(self.fast, feature, w_plus, picture, batch.px)
            kind = "window"
        else:
            clean = self.faces.sample(n)
            feature, w_plus, cost, figures = self.coded(degrade(clean, c.degraded), level)
            value, parts = self.whole(self.fast, feature, w_plus, clean)
            kind = ""
        kind += "_free" if level is None else ""
        return value + cost, figures | {f"{name}{kind}": v for name, v in parts.items()}

    def coded(
        self, image: Tensor, level: float | None
    ) -> tuple[Tensor, Tensor, Tensor, dict[str, float]]:
        """F^ and S^ of (n, 3, 256, 256), the price of their bits, and figures to log.

        With level None: F and S, uncompressed and free.
        """
        w_plus, original = self.invert(image)
        if level is None:
            return original, w_plus, original.new_zeros(()), {}
        w_plus, feature, bits, scn_bits = self.code(w_plus, original, level)
        cost, figures = self.price.charge(bits, scn_bits, level)
        error = F.smooth_l1_loss(
            self.fcn.normalised(feature), self.fcn.normalised(original), beta=0.5
        )
        return feature, w_plus, cost + self.config.feature * error, figures | {"f": error.item()}

    def invert(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """S and F of (n, 3, 256, 256); S is frozen."""
        with torch.autocast(self.device.type, torch.bfloat16):
            image = image.contiguous(memory_format=torch.channels_last)
            inversion = self.encoder(image, self.fast, self.self_renderer)
        return inversion.w_plus, inversion.feature

    def code(
        self, w_plus: Tensor, feature: Tensor, level: float
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """S^ and F^ of a file, and the ideal bits of FCN and of SCN."""
        with torch.no_grad():
            w_plus_hat, scn_bits = self.scn(w_plus, level)
            context, feature_s = known_features(self.fast, w_plus_hat, self.fcn.config.context_px)
        with torch.autocast(self.device.type, torch.bfloat16):
            feature_hat, bits = self.fcn(feature, level, Semantics(feature_s, context))
        return w_plus_hat, feature_hat, bits, scn_bits

    def rendered(self, image: Tensor) -> dict[str, Tensor]:
        """What files of (B, 3, 256, 256) decode to, for :class:`.watch.Watch`."""
        w_plus, feature = self.invert(image)
        rendered = {"free": self.whole.render(self.fast, feature, w_plus)}
        for level in WATCHED_LEVELS:
            styles, feature_hat, _, _ = self.code(w_plus, feature, level)
            rendered[f"{level}"] = self.whole.render(self.fast, feature_hat, styles)
        return rendered
