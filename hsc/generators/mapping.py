"""Mapping network of StyleGAN2 and MobileStyleGAN: Gaussian z to the intermediate latent w.

Source: StyleGAN2 (Karras et al. 2020, arXiv 1912.04958).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.config import SHIPPED, GeneratorSpec
from hsc.generators.base import MappingNetwork

LAYERS = 8


class Mapping(MappingNetwork):
    """z -> w.

    ::

        z -> z / rms(z) -> 8 x [Linear 512 -> leaky ReLU 0.2 -> x sqrt 2] -> w

    ``w_mean`` is the mean of w over the prior; truncation moves w towards it.
    """

    def __init__(self, spec: GeneratorSpec = SHIPPED.generator) -> None:
        super().__init__()
        dim = spec.style_dim
        self.layers = nn.ModuleList([nn.Linear(dim, dim) for _ in range(LAYERS)])
        self.register_buffer("w_mean", torch.zeros(dim))

    def forward(self, z: Tensor, truncation: float = 1.0) -> Tensor:
        """As :meth:`MappingNetwork.forward`."""
        h = z * torch.rsqrt(z.square().mean(dim=1, keepdim=True) + 1e-8)  # (B, 512)
        for layer in self.layers:
            h = F.leaky_relu(layer(h), 0.2) * 2**0.5  # (B, 512)
        return self.w_mean + truncation * (h - self.w_mean)  # (B, 512)
