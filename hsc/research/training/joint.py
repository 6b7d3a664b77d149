"""Stage "joint": trains FCN, the encoder of F and the last blocks of the decoder together.

An encoder trained alone puts details into F that FCN cannot code. Here the loss of both is that of
the picture decoded from the *file*, at random levels. Each photograph is compared twice: the whole
picture through the 256-px exit, and a window of it at full resolution, rendered by the finetuned
blocks that render files. Every few steps the loss is that of the uncompressed S + F instead, so
that F stays a feature map of the generator.

The blocks up to the exit are held, so the exit stays that of the decoder.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.errors import HscError
from hsc.generators.base import SynthesisNetwork
from hsc.generators.mobilestylegan.synthesis import Synthesis
from hsc.images.tensors import to_unit
from hsc.inversion.encoder import InversionEncoder, resized
from hsc.inversion.self_renderer import SelfRenderer
from hsc.latent_codecs.feature_slices.model import FeatureCodec
from hsc.latent_codecs.styles_klt import SemanticCodec
from hsc.numerics.precision import gradient_autocast
from hsc.research.data.augment import degrade
from hsc.research.data.faces import NativeFaces
from hsc.research.training.decoder import full_size_figures
from hsc.research.training.feature import coded_semantics
from hsc.research.training.inversion import RenderLoss
from hsc.research.training.loop import Checkpoint
from hsc.research.training.mixed import MixedFaces
from hsc.research.training.rate import RatePrice, random_level, size_scale
from hsc.research.training.window_loss import WindowLoss, WindowWeights

WATCHED_LEVELS = (1.0, 3.0, 6.0)


@dataclass(frozen=True)
class JointConfig(WindowWeights):
    """``configs/joint.yaml``."""

    batch: int
    head_rate: float
    feedback_rate: float
    fcn_rate: float
    decoder_rate: float
    l2: float
    statistics: float
    feature: float
    degraded: float
    uncompressed_every: int
    small_every: int
    window: float
    least_px: int
    real_share: float
    watched: int
    evaluate_minutes: float


class JointNetworks(nn.Module):
    """What is trained together: the encoder (but for its semantics), FCN, and the last blocks.

    Attributes:
        decoder: the generator's blocks above the preview exit, and ``to_img``, by their names in
            it; empty without ``finetuned``.
    """

    def __init__(
        self, encoder: InversionEncoder, fcn: FeatureCodec, finetuned: SynthesisNetwork | None
    ) -> None:
        super().__init__()
        self.encoder, self.fcn = encoder, fcn
        px = fcn.config.preview_exit_px
        self.decoder = nn.ModuleDict() if finetuned is None else last_blocks(finetuned, px)
        self.decoder.requires_grad_(True)


def last_blocks(synthesis: SynthesisNetwork, exit_px: int) -> nn.ModuleDict:
    """The generator's blocks above an exit, and ``to_img``, by their names in its file."""
    if not isinstance(synthesis, Synthesis):
        raise HscError(f"expected MobileStyleGAN to finetune, got {type(synthesis).__name__}.")
    above = {str(px): synthesis.blocks[str(px)] for px in synthesis.spec.block_px if px > exit_px}
    return nn.ModuleDict({"blocks": nn.ModuleDict(above), "to_img": synthesis.to_img})


class JointLoss:
    """The price of the bits, and the distance of the decoded picture from the photograph.

    Args:
        scn: frozen; FCN is always trained on decoded semantics.
        fast: the original generator in :func:`gradient_dtype`, channels last.
        finetuned: in float32, what renders files; its last blocks are trained.
        self_renderer: for the encoder's feedback.
        faces: small pictures, compared by ``whole`` alone, through the 256-px exit.
        native: photographs at their own size, compared by ``whole`` and by ``windows``.
    """

    def __init__(
        self,
        networks: JointNetworks,
        scn: SemanticCodec,
        fast: SynthesisNetwork,
        finetuned: SynthesisNetwork,
        self_renderer: SelfRenderer,
        faces: MixedFaces,
        native: NativeFaces,
        whole: RenderLoss,
        windows: WindowLoss,
        config: JointConfig,
        device: torch.device,
    ) -> None:
        self.encoder, self.fcn, self.scn = networks.encoder, networks.fcn, scn
        self.fast, self.finetuned, self.self_renderer = fast, finetuned, self_renderer
        self.faces, self.native, self.whole, self.windows = faces, native, whole, windows
        self.config, self.device = config, device
        self.sizes = networks.fcn.config
        self.price = RatePrice(scale=size_scale(self.sizes))

    def __call__(self, n: int, step: int) -> tuple[Tensor, dict[str, float]]:
        """The loss of ``n`` pictures at one level."""
        c = self.config
        level = None if step % c.uncompressed_every == 0 else random_level()
        suffix = "_free" if level is None else ""
        if step % c.small_every == 1:
            clean = self.faces.sample(n)
            feature, w_plus, cost, figures = self.coded(degrade(clean, c.degraded), level)
            value, parts = self.whole(self.finetuned, feature, w_plus, clean)
            return value + cost, figures | {f"{k}_small{suffix}": v for k, v in parts.items()}
        batch = self.native.sample(n)
        picture = batch.pictures.to(self.device)  # (n, 3, 1024, 1024)
        image = resized(picture, self.sizes.detail_px)
        feature, w_plus, cost, figures = self.coded(image, level)
        small = resized(picture, self.sizes.input_px)
        whole, parts = self.whole(self.finetuned, feature, w_plus, small)
        window, window_parts = self.windows.of_file(
            self.finetuned, feature, w_plus, picture, batch.px
        )
        parts |= {f"{name}_window": figure for name, figure in window_parts.items()}
        value = whole + c.window * window + cost
        return value, figures | {f"{name}{suffix}": v for name, v in parts.items()}

    def coded(
        self, image: Tensor, level: float | None
    ) -> tuple[Tensor, Tensor, Tensor, dict[str, float]]:
        """F^ and S^ of (n, 3, px, px), the price of their bits, and figures to log.

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
        """S and F of (n, 3, px, px); S is frozen."""
        with gradient_autocast(self.device):
            image = image.contiguous(memory_format=torch.channels_last)
            inversion = self.encoder(image, self.fast, self.self_renderer)
        return inversion.w_plus, inversion.feature

    def code(
        self, w_plus: Tensor, feature: Tensor, level: float
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """S^ and F^ of a file, and the ideal bits of FCN and of SCN."""
        known, w_plus_hat, scn_bits = coded_semantics(
            self.scn, self.fast, w_plus, level, self.sizes.context_px
        )
        with gradient_autocast(self.device):
            feature_hat, bits = self.fcn(feature, level, known)
        return w_plus_hat, feature_hat, bits, scn_bits


class JointWatch:
    """Bytes and figures of held-out people at each of ``WATCHED_LEVELS``, at their own size.

    Args:
        checkpoint: of the networks that the loss trains; their moving average is measured.
        images: uint8 (3, px, px), each at its own size.
    """

    def __init__(self, loss: JointLoss, checkpoint: Checkpoint, images: list[Tensor]) -> None:
        self.loss, self.checkpoint, self.images = loss, checkpoint, images

    @torch.no_grad()
    def __call__(self) -> dict[str, float]:
        """Means, named ``held_out_<figure>_level<level>``."""
        return self.checkpoint.means(self.images, self._figures)

    def _figures(self, image: Tensor) -> dict[str, float]:
        """Of one photograph."""
        loss = self.loss
        found: dict[str, float] = {}
        picture = to_unit(image)[None].to(loss.device)
        w_plus, feature = loss.invert(resized(picture, loss.sizes.detail_px))
        for level in WATCHED_LEVELS:
            styles, feature_hat, bits, scn_bits = loss.code(w_plus, feature, level)
            figures = full_size_figures(
                loss.finetuned, loss.windows.lpips, picture, styles, feature_hat
            )
            figures["bytes"] = (bits + scn_bits).mean().item() / 8
            found |= {f"held_out_{name}_level{level:g}": figure for name, figure in figures.items()}
        return found
