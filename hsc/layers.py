"""Layers that the networks of the encoder and of the feature codec share."""

from torch import Tensor, nn
from torch.nn import functional as F


class ResidualBlock(nn.Module):
    """x + conv3x3(leaky(conv3x3(leaky(x))))."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Tensor) -> Tensor:
        residual: Tensor = self.conv2(F.leaky_relu(self.conv1(F.leaky_relu(x, 0.2)), 0.2))
        return x + residual


def zeroed(conv: nn.Conv2d) -> nn.Conv2d:
    """The layer with zero weights: a network that ends in it starts as nothing."""
    for parameter in conv.parameters():
        nn.init.zeros_(parameter)
    return conv
