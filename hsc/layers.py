"""Layers shared by the encoder and the feature codec."""

from typing import TypeVar

from torch import Tensor, nn
from torch.nn import functional as F

Layer = TypeVar("Layer", bound=nn.Module)


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


def zeroed(layer: Layer) -> Layer:
    """The layer with its parameters set to zero: a network that ends in it starts with output 0."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer
