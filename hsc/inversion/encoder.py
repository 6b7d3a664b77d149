"""GIE, the general inversion encoder: a face to core semantics S and middle-level feature F.

Source: the role and the S/F split are those of Li et al. 2025 (arXiv 2502.16799); the network is
our own.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.config import FACE_1024, SHIPPED
from hsc.generators.base import SynthesisNetwork
from hsc.inversion.backbone import PYRAMID_CHANNELS, Backbone
from hsc.inversion.feature_feedback import FeatureFeedback, style_above
from hsc.inversion.self_renderer import SelfRenderer
from hsc.inversion.style_feedback import SHAPING, StyleFeedback
from hsc.layers import ResidualBlock
from hsc.types import Inversion

INPUT_PX = SHIPPED.input_px
FEEDBACK_STEPS = 1
"""Corrections of F: a second one gains .002 in LPIPS and takes 55 ms."""
POOLED = 9 * sum(PYRAMID_CHANNELS[1:])
"""Numbers in the pooled pyramid."""


def pool(pyramid: list[Tensor]) -> Tensor:
    """All maps but the first, each averaged to 3 x 3: (B, POOLED)."""
    return torch.cat([F.adaptive_avg_pool2d(p, 3).flatten(1) for p in pyramid[1:]], 1)


class SemanticHead(nn.Module):
    """Pyramid -> S = w+.

    ::

        pyramid -> pool 3x3 each -> concat -> Linear -> leaky -+-> w (one for all layers)
                                                               +-> 23 x rank-64 residual
        w+ = w_mean + truncation * w_std * (w + residual + offset)

    One w with a small residual a layer keeps S close to the generator's own W space, where
    directions stay editable and bits stay few. ``truncation`` is 1 but for the last style, which
    colours the picture above the exits that training losses use: it drifts in training, and
    truncation towards the mean takes that back (``hsc.research.training.truncation``). ``offset``
    is the same for every face: how photographs differ in texture and colour from what the
    generator renders by itself (``hsc.research.training.texture``).
    """

    def __init__(self, hidden: int = 1024, rank: int = 64) -> None:
        super().__init__()
        self.hidden = nn.Linear(POOLED, hidden)
        self.base = nn.Linear(hidden, FACE_1024.style_dim)
        self.coefficients = nn.Linear(hidden, FACE_1024.styles * rank)
        self.basis = nn.Parameter(
            torch.randn(FACE_1024.styles, rank, FACE_1024.style_dim) / rank**0.5
        )
        self.offset = nn.Parameter(torch.zeros(FACE_1024.w_plus_shape))
        nn.init.zeros_(self.coefficients.weight)
        nn.init.zeros_(self.coefficients.bias)
        self.w_mean: Tensor
        self.w_std: Tensor
        self.truncation: Tensor
        self.register_buffer("w_mean", torch.zeros(FACE_1024.style_dim))
        self.register_buffer("w_std", torch.ones(FACE_1024.style_dim))
        self.register_buffer("truncation", torch.ones(FACE_1024.styles))

    def forward(self, pooled: Tensor) -> Tensor:
        """Args: pooled (B, POOLED), from :func:`pool`. Returns S, (B, 23, 512)."""
        h = F.leaky_relu(self.hidden(pooled), 0.2)  # (B, hidden)
        c = self.coefficients(h).unflatten(1, (FACE_1024.styles, -1))  # (B, 23, rank)
        residual = torch.einsum("bsr,srd->bsd", c, self.basis.to(c.dtype))  # (B, 23, 512)
        w = self.base(h)[:, None] + residual + self.offset.to(c.dtype)  # (B, 23, 512)
        return self.w_mean + self.truncation[:, None] * self.w_std * w.float()  # (B, 23, 512)


class FeatureHead(nn.Module):
    """Pyramid, picture and F_S -> F.

    ::

        picture /8 (unshuffled), strides 2 and 4 (unshuffled), 8, 16 and 32 (upsampled)
             -> 1x1 each --+
        F_S / std -> 1x1 --+--> sum -> residual blocks -> 1x1 -> x std -> + F_S = F

    Space-to-depth keeps the fine detail that pooling would drop; the last layer starts at zero,
    so training starts from F = F_S.
    """

    def __init__(self, width: int = 128, depth: int = 4) -> None:
        super().__init__()
        strides = (2, 4, 8, 16, 32)
        channels = [3 * 64] + [c * max(1, 8 // s) ** 2 for c, s in zip(PYRAMID_CHANNELS, strides)]
        self.laterals = nn.ModuleList([nn.Conv2d(c, width, 1) for c in channels])
        self.semantic = nn.Conv2d(FACE_1024.feature_channels, width, 1)
        self.blocks = nn.Sequential(*[ResidualBlock(width) for _ in range(depth)])
        self.out = nn.Conv2d(width, FACE_1024.feature_channels, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        self.feature_std: Tensor
        self.register_buffer("feature_std", torch.ones(FACE_1024.feature_channels))

    def forward(self, image: Tensor, pyramid: list[Tensor], feature_s: Tensor) -> Tensor:
        std = self.feature_std[:, None, None]
        h = self.semantic(feature_s / std)  # (B, width, 32, 32)
        for lateral, x in zip(self.laterals, [image, *pyramid]):
            px = x.shape[-1]
            if px > FACE_1024.feature_px:
                x = lateral(F.pixel_unshuffle(x, px // FACE_1024.feature_px))
            else:
                x = lateral(x)
                if px < FACE_1024.feature_px:
                    x = F.interpolate(x.float(), size=FACE_1024.feature_px, mode="bilinear").to(
                        x.dtype
                    )
            h = h + x  # (B, width, 32, 32)
        correction = self.out(F.leaky_relu(self.blocks(h), 0.2))  # (B, 512, 32, 32)
        return feature_s + std * correction.float()


class InversionEncoder(nn.Module):
    """GIE.

    ::

        x 256 -> backbone -> pyramid -> semantic head -> S -> G to a 128-px exit -> x_S
                                |                        |
                                |    x, x_S -> style feedback -> + -> S
                                |                                     |
                                |                              G_F(S) = F_S
                                +-> feature head <--------------------+
                                         |
                                         F -> G to a 128-px exit -> x_F  <-+
                                         |                                 |
                        x, x_F -> feature feedback -> + -> F --------------+
    """

    def __init__(self) -> None:
        super().__init__()
        self.backbone = Backbone()
        self.semantic_head = SemanticHead()
        self.style_feedback = StyleFeedback(POOLED)
        self.feature_head = FeatureHead()
        self.feature_feedback = FeatureFeedback()

    def forward(
        self,
        image: Tensor,
        synthesis: SynthesisNetwork,
        self_renderer: SelfRenderer | None = None,
        feature_s_grad: bool = False,
    ) -> Inversion:
        """Invert aligned faces.

        Args:
            image: (B, 3, 256, 256) in [-1, 1].
            synthesis: the generator; its features at 32 px enter the feature head.
            self_renderer: renders what the encoder has so far; without it there is no feedback.
            feature_s_grad: let gradients reach S through F_S.
        """
        pyramid = self.backbone(image)
        w_plus = self.semantics(image, pyramid, synthesis, self_renderer)  # (B, 23, 512)
        with torch.set_grad_enabled(feature_s_grad and torch.is_grad_enabled()):
            feature_s = synthesis.feature(w_plus).float()  # (B, 512, 32, 32)
        feature = self.feature_head(image, pyramid, feature_s)  # (B, 512, 32, 32)
        if self_renderer is not None:
            for _ in range(FEEDBACK_STEPS):
                x_f = self_renderer.render(synthesis, feature, w_plus)  # (B, 3, 128, 128)
                feature = self._correct_feature(image, x_f, feature, w_plus)
        return Inversion(w_plus, feature, feature_s)

    def semantics(
        self,
        image: Tensor,
        pyramid: list[Tensor],
        synthesis: SynthesisNetwork,
        self_renderer: SelfRenderer | None,
    ) -> Tensor:
        """S of (B, 3, 256, 256) and its pyramid, after style feedback: (B, 23, 512)."""
        pooled = pool(pyramid)
        w_plus = self.semantic_head(pooled)  # (B, 23, 512)
        if self_renderer is None:
            return w_plus
        with torch.no_grad():
            x_s = self_renderer.render(synthesis, synthesis.feature(w_plus), w_plus)
            # who is in the photograph and who is in x_S, (B, 128) each
            photo_descriptor, own_descriptor = map(self_renderer.describe, (image, x_s))
        head, feedback = self.semantic_head, self.style_feedback
        shaping, others = w_plus[:, :SHAPING], w_plus[:, SHAPING:]
        w = ((shaping - head.w_mean) / head.w_std).mean(1)  # (B, 512)
        error = feedback.difference(image, x_s, pyramid)  # (B, width)
        correction = feedback(w, photo_descriptor, own_descriptor, pooled, error)  # (B, 13, 512)
        return torch.cat([shaping + head.w_std * correction.float(), others], 1)

    def _correct_feature(
        self, image: Tensor, x_f: Tensor, feature: Tensor, w_plus: Tensor
    ) -> Tensor:
        """F after one feedback step, given its picture at 128 px: (B, 512, 32, 32)."""
        head, std = self.semantic_head, self.feature_head.feature_std[:, None, None]
        style = style_above(w_plus, head.w_mean, head.w_std)  # (B, 512)
        correction = self.feature_feedback(image, x_f.to(image.dtype), feature / std, style)
        return feature + std * correction.float()
