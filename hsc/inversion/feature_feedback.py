"""The encoder renders F and corrects it by the error of that picture.

Source: the feedback of ReStyle (Alaluf et al. 2021, arXiv 2104.02699), here for the feature map
instead of the styles, and through an early exit of the generator.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from hsc.config import FACE_1024, SHIPPED
from hsc.inversion.error_encoder import error_maps
from hsc.layers import ResidualBlock


class FeatureFeedback(nn.Module):
    """F, the photograph x and the 128-px picture x^ of F -> a better F.

    ::

        F, S -> G at 64 px -> exit 128 px -> x^ -+
        x 256 -> /2 ---------------- x 128 ------+-> 4 (x - x^), x -> unshuffle /4 -> 3x3 -+
        x 256 -> unshuffle /8 -> 1x1 ------------------------------------------------------+
        F / std -> 1x1 --------------------------------------------------------------------+
              -> sum x (1 + a(w)) + b(w) -> residual blocks -> 1x1 -> x std -> + F

    The last layer starts at zero: before training, F comes back as it was.
    """

    def __init__(self, width: int = 256, depth: int = 4) -> None:
        super().__init__()
        self.pixels = nn.Conv2d(3 * 64, width, 1)
        self.error = nn.Conv2d(2 * 3 * 16, width, 3, padding=1)
        self.feature = nn.Conv2d(FACE_1024.feature_channels, width, 1)
        self.style = nn.Linear(FACE_1024.style_dim, 2 * width)
        self.blocks = nn.Sequential(*[ResidualBlock(width) for _ in range(depth)])
        self.out = nn.Conv2d(width, FACE_1024.feature_channels, 1)
        for layer in (self.style, self.out):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, image: Tensor, rendered: Tensor, feature: Tensor, w: Tensor) -> Tensor:
        """What to add to F, in standard deviations of its channels.

        Args:
            image: (B, 3, 256, 256); rendered: (B, 3, 128, 128), of F; both in [-1, 1].
            feature: F / std, (B, 512, 32, 32).
            w: (B, 512), the style of the block above F, standardised.
        """
        h = self.error(error_maps(image, rendered))  # (B, width, 32, 32)
        h = h + self.pixels(F.pixel_unshuffle(image, image.shape[-1] // FACE_1024.feature_px))
        h = h + self.feature(feature)  # (B, width, 32, 32)
        scale, shift = self.style(w)[:, :, None, None].chunk(2, 1)  # (B, width, 1, 1) each
        h = self.blocks(h * (1 + scale) + shift)  # (B, width, 32, 32)
        return self.out(F.leaky_relu(h, 0.2))  # (B, 512, 32, 32)


def style_above(w_plus: Tensor, w_mean: Tensor, w_std: Tensor) -> Tensor:
    """The mean style of the block that follows F, standardised: (B, 512)."""
    styles = w_plus[
        :,
        FACE_1024.styles_through(FACE_1024.feature_px) : FACE_1024.styles_through(
            SHIPPED.feedback_exit_px
        ),
    ]
    return ((styles - w_mean) / w_std).mean(1)
