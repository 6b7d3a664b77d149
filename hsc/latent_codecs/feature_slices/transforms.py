"""Analysis and synthesis transforms of the feature layer, conditioned on what S^ predicts.

Each is the sum of a linear transform, initialised as the KLT of the residual, and of a network
whose output is initially zero. Randomly initialised networks alone lost a sixth of F's variance
after hours of training even without rounding; as many coefficients of the KLT lose a fortieth.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.config import SHIPPED, CodecConfig
from hsc.layers import ResidualBlock, zeroed
from hsc.levels import MAX_LEVEL


def level_map(level: float, like: Tensor) -> Tensor:
    """The level as one constant channel in [0, 1]: (B, 1, H, W)."""
    return torch.ones_like(like[:, :1]) * ((level - 1) / (MAX_LEVEL - 1))


class Analysis(nn.Module):
    """g_a: the residual of F, given the prediction F_S, to the latent y.

    ::

        (F - F_S) / std --+--> 2x2 /2, linear ------------------------------------------+
                          +-> 1x1 -> residual block -> 4x4 /2 -> residual block -> 1x1 -+-> y
        F_S / std --------+
        level ------------+
        (512 + 512 + 1) x 32 x 32                                          128 x 16 x 16
    """

    def __init__(self, config: CodecConfig = SHIPPED, width: int = 160) -> None:
        super().__init__()
        features, latents = config.generator.feature_channels, config.latent_channels
        self.linear = nn.Conv2d(features, latents, 2, stride=2)
        self.reduce = nn.Conv2d(2 * features + 1, width, 1)
        self.block1 = ResidualBlock(width)
        self.down = nn.Conv2d(width, width, 4, stride=2, padding=1)
        self.block2 = ResidualBlock(width)
        self.out = zeroed(nn.Conv2d(width, latents, 1))

    def forward(self, residual: Tensor, feature_s: Tensor, level: float) -> Tensor:
        """Args: residual, feature_s (B, 512, 32, 32), normalised. Returns (B, 128, 16, 16)."""
        level_channel = level_map(level, feature_s)
        h = self.reduce(torch.cat([residual, feature_s, level_channel], 1))  # (B, width, 32, 32)
        h = self.down(F.leaky_relu(self.block1(h), 0.2))  # (B, width, 16, 16)
        linear: Tensor = self.linear(residual)  # (B, 128, 16, 16)
        correction: Tensor = self.out(F.leaky_relu(self.block2(h), 0.2))
        return linear + correction


class SynthesisTransform(nn.Module):
    """g_s: the decoded latent, given the prediction F_S, to the residual of F.

    ::

        y^ --+-> 2x2 x2, linear --------------------------------------------------------+
             +-> 3x3 -> residual block -> 1x1 -> shuffle x2 --+                         |
        F_S / std -> 1x1 -------------------------------------+-> 2 residual blocks -> 1x1 -+->
        level ------------------------------------------------+
        128 x 16 x 16                                                    512 x 32 x 32
    """

    def __init__(self, config: CodecConfig = SHIPPED, width: int = 160) -> None:
        super().__init__()
        features, latents = config.generator.feature_channels, config.latent_channels
        self.linear = nn.ConvTranspose2d(latents, features, 2, stride=2)
        self.enter = nn.Conv2d(latents + 1, width, 3, padding=1)
        self.block1 = ResidualBlock(width)
        self.up = nn.Conv2d(width, 4 * width, 1)
        self.semantic = nn.Conv2d(features, width, 1)
        self.block2 = ResidualBlock(width)
        self.block3 = ResidualBlock(width)
        self.out = zeroed(nn.Conv2d(width, features, 1))

    def forward(self, y_hat: Tensor, feature_s: Tensor, level: float) -> Tensor:
        """Args: y_hat (B, 128, 16, 16), feature_s (B, 512, 32, 32). Returns (B, 512, 32, 32)."""
        h = self.block1(self.enter(torch.cat([y_hat, level_map(level, y_hat)], 1)))
        h = F.pixel_shuffle(self.up(F.leaky_relu(h, 0.2)), 2)  # (B, width, 32, 32)
        h = h + self.semantic(feature_s)  # (B, width, 32, 32)
        h = self.block3(self.block2(h))  # (B, width, 32, 32)
        linear: Tensor = self.linear(y_hat)  # (B, 512, 32, 32)
        correction: Tensor = self.out(F.leaky_relu(h, 0.2))
        return linear + correction
