"""GIE, the general inversion encoder: a face to core semantics S and middle-level feature F.

Source: the role and the S/F split are those of Li et al. 2025 (arXiv 2502.16799); the network is
our own.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.config import SHIPPED, CodecConfig, GeneratorSpec
from hsc.generators.base import SynthesisNetwork
from hsc.inversion.backbone import PYRAMID_CHANNELS, Backbone
from hsc.inversion.feedback import (
    DETAIL_CHANNELS,
    FeatureFeedback,
    StyleFeedback,
    style_above_feature,
)
from hsc.inversion.self_renderer import SelfRenderer
from hsc.layers import ResidualBlock, zeroed
from hsc.types import Inversion

INPUT_PX = SHIPPED.input_px
FEEDBACK_STEPS = 1
"""Corrections of F: a second one gains .002 in LPIPS and takes 55 ms."""
POOLED = 9 * sum(PYRAMID_CHANNELS[1:])
"""Length of the pooled pyramid."""


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
    directions stay editable and bits stay few. ``truncation`` is 1 for all but the last style,
    which sets the colours of the picture above the exits that training losses use. It drifts in
    training; truncation towards the mean corrects that (``hsc.research.training.truncation``).
    ``offset`` is the same for every face: the difference in texture and colour between photographs
    and the generator's own pictures (``hsc.research.training.texture``).
    """

    def __init__(
        self, generator: GeneratorSpec = SHIPPED.generator, hidden: int = 1024, rank: int = 64
    ) -> None:
        super().__init__()
        self.styles, style_dim = generator.styles, generator.style_dim
        self.hidden = nn.Linear(POOLED, hidden)
        self.base = nn.Linear(hidden, style_dim)
        self.coefficients = zeroed(nn.Linear(hidden, self.styles * rank))
        self.basis = nn.Parameter(torch.randn(self.styles, rank, style_dim) / rank**0.5)
        self.offset = nn.Parameter(torch.zeros(generator.w_plus_shape))
        self.w_mean: Tensor
        self.w_std: Tensor
        self.truncation: Tensor
        self.register_buffer("w_mean", torch.zeros(style_dim))
        self.register_buffer("w_std", torch.ones(style_dim))
        self.register_buffer("truncation", torch.ones(self.styles))

    def forward(self, pooled: Tensor) -> Tensor:
        """Args: pooled (B, POOLED), from :func:`pool`. Returns S, (B, 23, 512)."""
        h = F.leaky_relu(self.hidden(pooled), 0.2)  # (B, hidden)
        c = self.coefficients(h).unflatten(1, (self.styles, -1))  # (B, 23, rank)
        residual = torch.einsum("bsr,srd->bsd", c, self.basis.to(c.dtype))  # (B, 23, 512)
        w = self.base(h)[:, None] + residual + self.offset.to(c.dtype)  # (B, 23, 512)
        w_plus: Tensor = self.w_mean + self.truncation[:, None] * self.w_std * w.float()
        return w_plus  # (B, 23, 512)


def resized(image: Tensor, px: int) -> Tensor:
    """(B, 3, H, H) at another size: by area where it becomes smaller, else by interpolation."""
    if image.shape[-1] == px:
        return image
    if image.shape[-1] > px:
        return F.interpolate(image, size=px, mode="area")
    return F.interpolate(image, size=px, mode="bilinear", align_corners=False)


class DetailStem(nn.Module):
    """The picture at 512 px -> a map at F's resolution.

    ::

        picture 512 -> unshuffle /4 -> 3x3 /2 -> leaky -> 3x3 /2 -> leaky -> (B, 128, 32, 32)

    The backbone sees 256 px, at which irises, teeth and pores are no more than a few pixels.
    """

    def __init__(self, config: CodecConfig = SHIPPED, width: int = DETAIL_CHANNELS) -> None:
        super().__init__()
        self.shuffle = config.detail_px // (4 * config.generator.feature_px)
        self.conv1 = nn.Conv2d(3 * self.shuffle**2, width // 2, 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(width // 2, width, 3, stride=2, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, 512, 512) in [-1, 1] -> (B, 128, 32, 32)."""
        h = F.pixel_unshuffle(image, self.shuffle)  # (B, 48, 128, 128)
        h = F.leaky_relu(self.conv1(h), 0.2)  # (B, 64, 64, 64)
        return F.leaky_relu(self.conv2(h), 0.2)


class FeatureHead(nn.Module):
    """Pyramid, picture and F_S -> F.

    ::

        picture /8 (unshuffled), strides 2 and 4 (unshuffled), 8, 16 and 32 (upsampled)
             -> 1x1 each --+
        detail -> 1x1 -----+
        F_S / std -> 1x1 --+--> sum -> residual blocks -> 1x1 -> x std -> + F_S = F

    Space-to-depth keeps the fine detail that pooling would drop. The last layer is initialised to
    zero, so training starts from F = F_S.
    """

    def __init__(self, config: CodecConfig = SHIPPED, width: int = 128, depth: int = 4) -> None:
        super().__init__()
        self.px, feature_channels = config.generator.feature_px, config.generator.feature_channels
        stride = config.input_px // self.px  # of F
        channels = [3 * stride**2] + [
            c * max(1, stride // s) ** 2 for c, s in zip(PYRAMID_CHANNELS, (2, 4, 8, 16, 32))
        ]
        self.laterals = nn.ModuleList([nn.Conv2d(c, width, 1) for c in channels])
        self.detail = zeroed(nn.Conv2d(DETAIL_CHANNELS, width, 1))
        self.semantic = nn.Conv2d(feature_channels, width, 1)
        self.blocks = nn.Sequential(*[ResidualBlock(width) for _ in range(depth)])
        self.out = zeroed(nn.Conv2d(width, feature_channels, 1))
        self.feature_std: Tensor
        self.register_buffer("feature_std", torch.ones(feature_channels))

    def forward(
        self, image: Tensor, pyramid: list[Tensor], feature_s: Tensor, detail: Tensor
    ) -> Tensor:
        std = self.feature_std[:, None, None]
        h = self.semantic(feature_s / std) + self.detail(detail)  # (B, width, 32, 32)
        for lateral, x in zip(self.laterals, [image, *pyramid]):
            px = x.shape[-1]
            if px > self.px:
                x = lateral(F.pixel_unshuffle(x, px // self.px))
            else:
                x = lateral(x)
                if px < self.px:
                    x = F.interpolate(x.float(), size=self.px, mode="bilinear").to(x.dtype)
            h = h + x  # (B, width, 32, 32)
        correction: Tensor = self.out(F.leaky_relu(self.blocks(h), 0.2))  # (B, 512, 32, 32)
        return feature_s + std * correction.float()


class InversionEncoder(nn.Module):
    """GIE.

    ::

        x 512 -> detail stem -> detail (to feature head and feature feedback)
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

    Args:
        config: sizes of the picture, of w+, of F and of the exit that feedback renders through.
    """

    def __init__(self, config: CodecConfig = SHIPPED) -> None:
        super().__init__()
        self.config = config
        self.backbone = Backbone()
        self.semantic_head = SemanticHead(config.generator)
        self.style_feedback = StyleFeedback(POOLED, config)
        self.detail_stem = DetailStem(config)
        self.feature_head = FeatureHead(config)
        self.feature_feedback = FeatureFeedback(config)

    def forward(
        self,
        image: Tensor,
        synthesis: SynthesisNetwork,
        self_renderer: SelfRenderer | None = None,
        feature_s_grad: bool = False,
    ) -> Inversion:
        """Invert aligned faces.

        Args:
            image: (B, 3, 512, 512) in [-1, 1]; a smaller one is enlarged for the detail stem.
            synthesis: the generator; its features at 32 px enter the feature head.
            self_renderer: renders intermediate latents; without it there is no feedback.
            feature_s_grad: let gradients reach S through F_S.
        """
        detail = self.detail_stem(resized(image, self.config.detail_px))  # (B, 128, 32, 32)
        image = resized(image, self.config.input_px)  # (B, 3, 256, 256)
        pyramid = self.backbone(image)
        w_plus = self.semantics(image, pyramid, synthesis, self_renderer)  # (B, 23, 512)
        with torch.set_grad_enabled(feature_s_grad and torch.is_grad_enabled()):
            feature_s = synthesis.feature(w_plus).float()  # (B, 512, 32, 32)
        feature = self.feature_head(image, pyramid, feature_s, detail)  # (B, 512, 32, 32)
        if self_renderer is not None:
            for _ in range(FEEDBACK_STEPS):
                x_f = self_renderer.render(synthesis, feature, w_plus)  # (B, 3, 128, 128)
                feature = self._correct_feature(image, x_f, feature, w_plus, detail)
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
        w_plus: Tensor = self.semantic_head(pooled)  # (B, 23, 512)
        if self_renderer is None:
            return w_plus
        with torch.no_grad():
            x_s = self_renderer.render(synthesis, synthesis.feature(w_plus), w_plus)
            # identity descriptors of the photograph and of x_S, (B, 128) each
            photo_descriptor, own_descriptor = map(self_renderer.describe, (image, x_s))
        head, feedback = self.semantic_head, self.style_feedback
        corrected, others = w_plus[:, : feedback.styles], w_plus[:, feedback.styles :]
        w = ((corrected - head.w_mean) / head.w_std).mean(1)  # (B, 512)
        error = feedback.difference(image, x_s, pyramid)  # (B, width)
        correction = feedback(w, photo_descriptor, own_descriptor, pooled, error)  # (B, 13, 512)
        return torch.cat([corrected + head.w_std * correction.float(), others], 1)

    def _correct_feature(
        self, image: Tensor, x_f: Tensor, feature: Tensor, w_plus: Tensor, detail: Tensor
    ) -> Tensor:
        """F after one feedback step, given its picture at 128 px: (B, 512, 32, 32)."""
        head, std = self.semantic_head, self.feature_head.feature_std[:, None, None]
        style = style_above_feature(w_plus, head.w_mean, head.w_std, self.config.generator)
        x_f = x_f.to(image.dtype)
        correction = self.feature_feedback(image, x_f, feature / std, style, detail)
        corrected: Tensor = feature + std * correction.float()
        return corrected
