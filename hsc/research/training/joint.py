"""Stage "joint": FCN, and what finds F in a picture, through the frozen generator.

An encoder that is trained for itself puts into F what FCN then fails to carry. Here both see the
picture that the *file* draws, at levels drawn at random: whole through the 256-px exit, and a
window of it at full resolution. Every few steps the uncompressed S + F is looked at too, so that
F stays what it is named.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.generators.mobilestylegan.synthesis import Synthesis
from hsc.inversion.encoder import INPUT_PX, InversionEncoder
from hsc.inversion.self_renderer import SelfRenderer
from hsc.latent_codecs.feature_slices.model import FeatureCodec, Semantics
from hsc.latent_codecs.styles_klt import SemanticCodec
from hsc.research.data.augment import degrade
from hsc.research.training.feature import known_features
from hsc.research.training.inversion import RenderLoss
from hsc.research.training.mixed import MixedFaces
from hsc.research.training.rate import RatePrice, draw_level
from hsc.research.training.texture import SharpFaces
from hsc.research.training.window_loss import WindowLoss

UNCOMPRESSED_EVERY = 5
WINDOW_EVERY = 4
WATCHED_LEVELS = (1, 3, 6)


class EncoderAndCodec(nn.Module):
    """What is trained together: the encoder (but for its semantics) and FCN."""

    def __init__(self, encoder: InversionEncoder, fcn: FeatureCodec) -> None:
        super().__init__()
        self.encoder, self.fcn = encoder, fcn


@dataclass(frozen=True)
class JointLosses:
    """What the pictures are looked at with.

    Attributes:
        seen: whole pictures, through the 256-px exit.
        window: a part of them, at full resolution.
    """

    seen: RenderLoss
    window: WindowLoss


class JointLoss:
    """Bits, and the picture after the generator against the photograph.

    Args:
        scn: frozen; FCN is always trained on decoded semantics.
        fast: the generator in bfloat16, channels last; ``self_renderer``: what the encoder looks with.
        sharp: photographs for the windows.
    """

    def __init__(
        self,
        both: EncoderAndCodec,
        scn: SemanticCodec,
        fast: Synthesis,
        self_renderer: SelfRenderer,
        faces: MixedFaces,
        sharp: SharpFaces,
        judges: JointLosses,
        device: torch.device,
    ) -> None:
        self.encoder, self.fcn, self.scn = both.encoder, both.fcn, scn
        self.fast, self.self_renderer = fast, self_renderer
        self.faces, self.sharp, self.judges = faces, sharp, judges
        self.device, self.price = device, RatePrice()

    def __call__(self, n: int, step: int) -> tuple[Tensor, dict[str, float]]:
        """The loss of ``n`` pictures at one level."""
        window = step % WINDOW_EVERY == 1
        picture = self.sharp.sample(n).to(self.device) if window else self.faces.sample(n)
        clean = F.interpolate(picture, size=INPUT_PX, mode="area") if window else picture
        image = degrade(clean, 0.0 if window else 0.15)
        level = None if step % UNCOMPRESSED_EVERY == 0 else draw_level()
        w_plus, feature = self.find(image)
        cost, figures = 0.0, {}
        if level is not None:
            found = feature
            w_plus, feature, bits, scn_bits = self.code(w_plus, feature, level)
            cost, figures = self.price.charge(bits, scn_bits, level)
            error = F.smooth_l1_loss(
                self.fcn.normalised(feature), self.fcn.normalised(found), beta=0.5
            )
            cost, figures = cost + 0.2 * error, figures | {"f": error.item()}
        kind = ("window" if window else "") + ("_free" if level is None else "")
        if window:
            value, parts = self.judges.window(feature, w_plus, picture)
        else:
            value, parts = self.judges.seen(self.fast, feature, w_plus, clean)
        return value + cost, figures | {f"{name}{kind}": v for name, v in parts.items()}

    def find(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """S, held, and F of (n, 3, 256, 256)."""
        with torch.autocast(self.device.type, torch.bfloat16):
            image = image.contiguous(memory_format=torch.channels_last)
            found = self.encoder(image, self.fast, self.self_renderer)
        return found.w_plus, found.feature

    def code(
        self, w_plus: Tensor, feature: Tensor, level: float
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """S^ and F^ of a file, and the ideal bits of FCN and of SCN."""
        with torch.no_grad():
            w_plus_hat, scn_bits = self.scn(w_plus, level)
            context, feature_s = known_features(self.fast, w_plus_hat)
        with torch.autocast(self.device.type, torch.bfloat16):
            feature_hat, bits = self.fcn(feature, level, Semantics(feature_s, context))
        return w_plus_hat, feature_hat, bits, scn_bits

    def drawn(self, image: Tensor) -> dict[str, Tensor]:
        """What files of (B, 3, 256, 256) draw, for :class:`hsc.research.training.watch.Watch`."""
        w_plus, feature = self.find(image)
        drawn = {"free": self.judges.seen.render(self.fast, feature, w_plus)}
        for level in WATCHED_LEVELS:
            styles, feature_hat, _, _ = self.code(w_plus, feature, level)
            drawn[f"{level}"] = self.judges.seen.render(self.fast, feature_hat, styles)
        return drawn
