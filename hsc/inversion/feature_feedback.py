"""The encoder renders F and corrects it by the error of that picture.

Source: the feedback of ReStyle (Alaluf et al. 2021, arXiv 2104.02699), here for the feature map
instead of the styles, and through an early exit of the generator.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from hsc.config import SHIPPED, CodecConfig
from hsc.inversion.error_encoder import error_channels, error_maps
from hsc.layers import ResidualBlock, zeroed


class FeatureFeedback(nn.Module):
    """F, the photograph x and the 128-px picture x^ of F -> a better F.

    ::

        F, S -> G at 64 px -> exit 128 px -> x^ -+
        x 256 -> /2 ---------------- x 128 ------+-> 4 (x - x^), x -> unshuffle /4 -> 3x3 -+
        x 256 -> unshuffle /8 -> 1x1 ------------------------------------------------------+
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
        self.feature = nn.Conv2d(generator.feature_channels, width, 1)
        self.style = zeroed(nn.Linear(generator.style_dim, 2 * width))
        self.blocks = nn.Sequential(*[ResidualBlock(width) for _ in range(depth)])
        self.out = zeroed(nn.Conv2d(width, generator.feature_channels, 1))

    def forward(self, image: Tensor, rendered: Tensor, feature: Tensor, w: Tensor) -> Tensor:
        """What to add to F, in standard deviations of its channels.

        Args:
            image: (B, 3, 256, 256); rendered: (B, 3, 128, 128), of F; both in [-1, 1].
            feature: F / std, (B, 512, 32, 32).
            w: (B, 512), the style of the block above F, standardised.
        """
        h = self.error(error_maps(image, rendered, self.cells))  # (B, width, 32, 32)
        h = h + self.pixels(F.pixel_unshuffle(image, image.shape[-1] // self.cells))
        h = h + self.feature(feature)  # (B, width, 32, 32)
        scale, shift = self.style(w)[:, :, None, None].chunk(2, 1)  # (B, width, 1, 1) each
        h = self.blocks(h * (1 + scale) + shift)  # (B, width, 32, 32)
        correction: Tensor = self.out(F.leaky_relu(h, 0.2))  # (B, 512, 32, 32)
        return correction
