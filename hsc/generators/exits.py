"""Early exits of a generator: a small picture from an activation on the way to the large one.

The published export of MobileStyleGAN has only the 1024-px output. These heads were distilled from
it (``python -m hsc train preview`` and ``train exit128``): they replace the most expensive
blocks in live previews, in the encoder's feedback and in training losses.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from hsc.config import SHIPPED, GeneratorSpec
from hsc.generators.base import Renderer
from hsc.generators.haar import inverse_haar


class ExitHead(nn.Module):
    """Features at the exit and the styles above them -> a picture of twice the size.

    ::

        feature -> 1x1 -> x (1 + style) -> [3x3 -> leaky]x2 -> 1x1 -> + -> inverse Haar -> picture
             |                                                        ^
             +-------------------- 1x1 (linear part) -----------------+

    The linear part alone is a regression to Haar coefficients; the other branch approximates what
    the two skipped blocks add. Dense 3x3 convolutions at 128 px cost less on a CPU than depthwise
    ones at 256 px.

    Args:
        exit_px: resolution of the features it takes.
        spec: sizes of the generator.
    """

    def __init__(
        self,
        exit_px: int = SHIPPED.preview_exit_px,
        spec: GeneratorSpec = SHIPPED.generator,
        width: int = 64,
    ) -> None:
        super().__init__()
        self.exit_px, self.spec = exit_px, spec
        self.linear = nn.Conv2d(spec.channels[exit_px], 12, 1)
        self.reduce = nn.Conv2d(spec.channels[exit_px], width, 1)
        self.style = nn.Linear(spec.style_dim, width)
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.out = nn.Conv2d(width, 12, 1)
        nn.init.zeros_(self.style.weight)
        nn.init.zeros_(self.style.bias)
        nn.init.zeros_(self.out.weight)

    def forward(self, feature: Tensor, w_plus: Tensor) -> Tensor:
        """Args: feature (B, C, H, W), w_plus (B, 23, 512). Returns (B, 3, 2H, 2W)."""
        style = self.style(
            w_plus[:, self.spec.styles_through(self.exit_px) :].mean(1)
        )  # (B, width)
        h = self.reduce(feature) * (1 + style[:, :, None, None])  # (B, width, H, W)
        h = F.leaky_relu(self.conv1(F.leaky_relu(h, 0.2)), 0.2)  # (B, width, H, W)
        h = F.leaky_relu(self.conv2(h), 0.2)  # (B, width, H, W)
        return inverse_haar(self.linear(feature) + self.out(h))  # (B, 3, 2H, 2W)


def render_exit(synthesis: Renderer, head: ExitHead, feature: Tensor, w_plus: Tensor) -> Tensor:
    """A small picture of a feature map.

    Args:
        feature: (B, C, px, px) at any resolution up to the exit's.
        w_plus: (B, styles, style_dim).

    Returns:
        (B, 3, 2 exit_px, 2 exit_px), nominally in [-1, 1]: 256 px from the preview exit.
    """
    exit_feature = synthesis.run(feature, w_plus, feature.shape[-1], head.exit_px)
    return head(exit_feature, w_plus)
