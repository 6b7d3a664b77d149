"""Feedback for the inversion encoder: it renders what it has so far and corrects it by the error.

Source: the feedback of ReStyle (Alaluf et al. 2021, arXiv 2104.02699), done once. Here it goes
through an early exit of the generator. :class:`StyleFeedback` corrects S and is also given the
descriptors of a face recogniser, since identity depends on differences that ImageNet features
hardly represent. :class:`FeatureFeedback` corrects the feature map F.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.config import SHIPPED, CodecConfig, GeneratorSpec
from hsc.inversion.backbone import PYRAMID_CHANNELS
from hsc.layers import ResidualBlock, zeroed
from hsc.metrics.identity import DESCRIPTOR_DIM

ERROR_SCALE = 4.0
"""Errors are smaller than pixel values; this factor brings both to the same scale."""
DETAIL_CHANNELS = 128
"""Of the map that the detail stem makes of the picture at 512 px."""
DESCRIPTOR_SCALE = 6.0
"""Descriptor entries are about .1; this factor brings them to the scale of the other inputs."""


def error_channels(config: CodecConfig) -> int:
    """Channels of :func:`error_maps`."""
    return 2 * 3 * (2 * config.feedback_exit_px // config.generator.feature_px) ** 2


def style_above_feature(
    w_plus: Tensor, w_mean: Tensor, w_std: Tensor, generator: GeneratorSpec
) -> Tensor:
    """The mean style of the block above F, standardised: (B, 512) of (B, 23, 512)."""
    first = generator.styles_through(generator.feature_px)
    above = w_plus[:, first : generator.styles_through(2 * generator.feature_px)]
    return ((above - w_mean) / w_std).mean(1)


def error_maps(image: Tensor, rendered: Tensor, cells: int) -> Tensor:
    """4 (x - x^) and x at 128 px, space to depth: (B, 96, cells, cells).

    Args:
        image: the photograph x, (B, 3, 256, 256) in [-1, 1].
        rendered: the generator's picture x^ of it, (B, 3, 128, 128).
        cells: side of the result, the resolution of F.
    """
    px = rendered.shape[-1]
    small = F.avg_pool2d(image, image.shape[-1] // px)  # (B, 3, 128, 128)
    maps = torch.cat([ERROR_SCALE * (small - rendered.to(image.dtype)), small], 1)
    return F.pixel_unshuffle(maps, px // cells)


class ErrorEncoder(nn.Module):
    """Compares what S renders with the photograph, at each position of the picture.

    ::

        4 (x - x_S), x at 32 cells -> 3x3 -> leaky -> 3x3 /2 -+-> leaky -> 3x3 /2 -+-> leaky -> 1x1
        pyramid, stride 16 -> 1x1 ----------------------------+                    |    -> flatten
        pyramid, stride 32 -> 1x1 -------------------------------------------------+    -> Linear

    A pyramid pooled to 3 x 3 cannot show that an eye is two pixels too low; these maps can. The
    last layer is initialised to zero: before training there is no correction.

    Args:
        out: length of the result.
        config: sizes of the compared pictures and of F.
    """

    def __init__(
        self,
        out: int,
        config: CodecConfig = SHIPPED,
        widths: tuple[int, int, int] = (128, 192, 256),
    ) -> None:
        super().__init__()
        self.cells = config.generator.feature_px
        first, second, third = widths
        narrow = third // 8
        self.places = nn.Conv2d(error_channels(config), first, 3, padding=1)
        self.parts = nn.Conv2d(first, second, 3, stride=2, padding=1)
        self.parts_known = nn.Conv2d(PYRAMID_CHANNELS[3], second, 1)
        self.face = nn.Conv2d(second, third, 3, stride=2, padding=1)
        self.face_known = nn.Conv2d(PYRAMID_CHANNELS[4], third, 1)
        self.narrow = nn.Conv2d(third, narrow, 1)
        self.out = nn.Linear(narrow * (self.cells // 4) ** 2, out)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, image: Tensor, rendered: Tensor, pyramid: list[Tensor]) -> Tensor:
        """(B, out) of (B, 3, 256, 256), (B, 3, 128, 128) and the photograph's pyramid."""
        maps = error_maps(image, rendered, self.cells)  # (B, 96, 32, 32)
        h = F.leaky_relu(self.places(maps), 0.2)  # (B, 128, 32, 32)
        h = F.leaky_relu(self.parts(h) + self.parts_known(pyramid[3]), 0.2)  # (B, 192, 16, 16)
        h = F.leaky_relu(self.face(h) + self.face_known(pyramid[4]), 0.2)  # (B, 256, 8, 8)
        vector: Tensor = self.out(F.leaky_relu(self.narrow(h), 0.2).flatten(1))  # (B, out)
        return vector


class StyleFeedback(nn.Module):
    """S, and how the photograph differs from what S renders -> a better S.

    ::

        photograph -> descriptor d ---------------------+
        S -> G to a 128-px exit -> descriptor d' -------+-> d, d - d' -> Linear -----+
        photograph, 128-px picture, pyramid -> error encoder ------------------------+
        photograph -> pooled pyramid -> Linear -> leaky -> Linear -------------------+
        mean of the corrected styles, standardised -> Linear ------------------------+
             -> sum -> leaky -> Linear -> leaky -+-> one change for all -----+
                                                 +-> 13 x rank-32 residual --+-> + S

    The last layers are initialised to zero: before training, S is returned unchanged.

    Args:
        pooled: length of a pooled pyramid.
        config: sizes of w+ and of the compared pictures.

    Attributes:
        styles: how many leading styles are corrected: those below the exit that renders the
            128-px picture; it hardly depends on later ones.
    """

    def __init__(
        self,
        pooled: int,
        config: CodecConfig = SHIPPED,
        width: int = 768,
        narrow: int = 256,
        rank: int = 32,
    ) -> None:
        super().__init__()
        style_dim = config.generator.style_dim
        self.styles = config.generator.styles_through(config.feedback_exit_px)
        self.descriptors = nn.Linear(2 * DESCRIPTOR_DIM, width) if config.identity else None
        self.seen = nn.Linear(pooled, narrow)
        self.pyramid = nn.Linear(narrow, width, bias=False)
        self.difference = ErrorEncoder(width, config)
        self.style = nn.Linear(style_dim, width)
        self.hidden = nn.Linear(width, width)
        self.base = zeroed(nn.Linear(width, style_dim))
        self.coefficients = zeroed(nn.Linear(width, self.styles * rank))
        self.basis = nn.Parameter(torch.randn(self.styles, rank, style_dim) / rank**0.5)
        self.pooled_mean: Tensor
        self.pooled_std: Tensor
        self.register_buffer("pooled_mean", torch.zeros(pooled))
        self.register_buffer("pooled_std", torch.ones(pooled))

    def forward(
        self,
        w: Tensor,
        photo_descriptor: Tensor,
        own_descriptor: Tensor,
        pooled: Tensor,
        error: Tensor,
    ) -> Tensor:
        """What to add to S, in standard deviations of w.

        Args:
            w: (B, 512), the mean of the corrected styles, standardised.
            photo_descriptor, own_descriptor: (B, 128), of the photograph and of what S renders.
            pooled: (B, pooled), of the photograph.
            error: (B, width), from :attr:`difference`.

        Returns:
            (B, styles, 512), to be added to the leading styles.
        """
        pooled = (pooled - self.pooled_mean) / self.pooled_std  # (B, pooled)
        h = self.style(w)  # (B, width)
        if self.descriptors is not None:
            change = photo_descriptor - own_descriptor  # (B, 128)
            who = DESCRIPTOR_SCALE * torch.cat([photo_descriptor, change], 1)  # (B, 256)
            h = self.descriptors(who) + h
        h = h + error
        h = h + self.pyramid(F.leaky_relu(self.seen(pooled), 0.2))
        h = F.leaky_relu(self.hidden(F.leaky_relu(h, 0.2)), 0.2)  # (B, width)
        c = self.coefficients(h).unflatten(1, (self.styles, -1))  # (B, 13, rank)
        residual = torch.einsum("bsr,srd->bsd", c, self.basis.to(c.dtype))  # (B, 13, 512)
        correction: Tensor = self.base(h)[:, None] + residual
        return correction


class FeatureFeedback(nn.Module):
    """F, the photograph x and the 128-px picture x^ of F -> a better F.

    ::

        F, S -> G at 64 px -> exit 128 px -> x^ -+
        x 256 -> /2 ---------------- x 128 ------+-> 4 (x - x^), x -> unshuffle /4 -> 3x3 -+
        x 256 -> unshuffle /8 -> 1x1 ------------------------------------------------------+
        detail -> 1x1 ---------------------------------------------------------------------+
        F / std -> 1x1 --------------------------------------------------------------------+
              -> sum x (1 + a(w)) + b(w) -> residual blocks -> 1x1 -> x std -> + F

    The last layer is initialised to zero: before training, F is returned unchanged.

    Args:
        config: sizes of the picture, of the rendered picture and of F.
    """

    def __init__(self, config: CodecConfig = SHIPPED, width: int = 256, depth: int = 4) -> None:
        super().__init__()
        generator = config.generator
        self.cells = generator.feature_px
        self.pixels = nn.Conv2d(3 * (config.input_px // self.cells) ** 2, width, 1)
        self.error = nn.Conv2d(error_channels(config), width, 3, padding=1)
        self.detail = zeroed(nn.Conv2d(DETAIL_CHANNELS, width, 1))
        self.feature = nn.Conv2d(generator.feature_channels, width, 1)
        self.style = zeroed(nn.Linear(generator.style_dim, 2 * width))
        self.blocks = nn.Sequential(*[ResidualBlock(width) for _ in range(depth)])
        self.out = zeroed(nn.Conv2d(width, generator.feature_channels, 1))

    def forward(
        self, image: Tensor, rendered: Tensor, feature: Tensor, w: Tensor, detail: Tensor
    ) -> Tensor:
        """What to add to F, in standard deviations of its channels.

        Args:
            image: (B, 3, 256, 256); rendered: (B, 3, 128, 128), of F; both in [-1, 1].
            feature: F / std, (B, 512, 32, 32).
            w: (B, 512), the style of the block above F, standardised.
            detail: (B, 128, 32, 32), of the photograph at 512 px.
        """
        h = self.error(error_maps(image, rendered, self.cells))  # (B, width, 32, 32)
        h = h + self.pixels(F.pixel_unshuffle(image, image.shape[-1] // self.cells))
        h = h + self.feature(feature) + self.detail(detail)  # (B, width, 32, 32)
        scale, shift = self.style(w)[:, :, None, None].chunk(2, 1)  # (B, width, 1, 1) each
        h = self.blocks(h * (1 + scale) + shift)  # (B, width, 32, 32)
        correction: Tensor = self.out(F.leaky_relu(h, 0.2))  # (B, 512, 32, 32)
        return correction
