"""Stage "identity": trains the style feedback, so that S alone renders the right person.

Everything before the feedback is frozen: a step needs no gradient through the trunk, and the inputs
of the feature head stay the same. Half of the steps render through the 128-px exit, which is cheap
and sufficient for identity. The others render half as many pictures through the 256-px exit:
colour is hardly visible at 128 px, and without them lips came out painted.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from hsc.generators.base import SynthesisNetwork
from hsc.inversion.encoder import InversionEncoder, pool
from hsc.inversion.self_renderer import SelfRenderer
from hsc.numerics.precision import gradient_autocast
from hsc.research.data.augment import degrade
from hsc.research.training.inversion import RenderLoss
from hsc.research.training.mixed import MixedFaces


@dataclass(frozen=True)
class IdentityConfig:
    """``configs/identity.yaml``."""

    batch: int
    difference_rate: float
    rate: float
    l2: float
    lpips: float
    identity: float
    residual: float
    degraded: float
    statistics: int
    real_share: float
    evaluate_minutes: float


class IdentityLoss:
    """Compares the picture that S alone renders with the photograph.

    ::

        photograph -> trunk, head, exit128 (frozen) -> style feedback (trained) -> S -> G -> loss

    Args:
        fast: the generator in :func:`gradient_dtype`, channels last.
        small, large: the exits at 128 and 256 px, and the losses of what they render.
    """

    def __init__(
        self,
        encoder: InversionEncoder,
        fast: SynthesisNetwork,
        self_renderer: SelfRenderer,
        faces: MixedFaces,
        small: RenderLoss,
        large: RenderLoss,
        config: IdentityConfig,
    ) -> None:
        self.encoder, self.fast, self.self_renderer, self.faces = (
            encoder,
            fast,
            self_renderer,
            faces,
        )
        self.small, self.large, self.config = small, large, config

    def semantics(self, image: Tensor) -> Tensor:
        """S of (B, 3, 256, 256), with gradients to the style feedback: (B, 23, 512)."""
        with gradient_autocast(image.device):
            image = image.contiguous(memory_format=torch.channels_last)
            with torch.no_grad():
                pyramid = self.encoder.backbone(image)
            return self.encoder.semantics(image, pyramid, self.fast, self.self_renderer)

    def __call__(self, n: int, step: int) -> tuple[Tensor, dict[str, float]]:
        """The loss of ``n`` pictures at 128 px, or of half as many at 256 px."""
        large = step % 2 == 1
        clean = self.faces.sample(max(1, n // 2) if large else n)
        w_plus = self.semantics(degrade(clean, self.config.degraded))
        exit_loss = self.large if large else self.small
        value, parts = exit_loss(self.fast, self._feature(w_plus), w_plus, clean)
        parts = {name + ("_large" if large else ""): figure for name, figure in parts.items()}
        spread = (w_plus - w_plus.mean(1, keepdim=True)) / self.encoder.semantic_head.w_std
        residual = spread.square().mean()
        return value + self.config.residual * residual, parts | {"residual": residual.item()}

    def rendered(self, image: Tensor) -> dict[str, Tensor]:
        """What S alone renders of (B, 3, 256, 256), for :class:`.watch.Watch`."""
        w_plus = self.semantics(image)
        return {"s": self.large.render(self.fast, self._feature(w_plus), w_plus)}

    def _feature(self, w_plus: Tensor) -> Tensor:
        return self.fast.feature(w_plus.to(self.fast.dtype))  # (B, 512, 32, 32)


@torch.no_grad()
def measure_pyramid(encoder: InversionEncoder, faces: MixedFaces, pictures: int) -> None:
    """Set the statistics by which the style feedback standardises pooled pyramids."""
    pooled = pool(encoder.backbone(faces.sample(pictures)))
    encoder.style_feedback.pooled_mean.copy_(pooled.mean(0))
    encoder.style_feedback.pooled_std.copy_(pooled.std(0).clamp_min(1e-3))
