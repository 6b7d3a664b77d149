"""Mapping network of the generator: Gaussian z to the intermediate latent w.

Source: StyleGAN2 (Karras et al. 2020, arXiv 1912.04958); weights from MobileStyleGAN.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.config import FACE_1024


class Mapping(nn.Module):
    """z -> w.

    ::

        z -> z / rms(z) -> 8 x [Linear 512 -> leaky ReLU 0.2 -> x sqrt 2] -> w

    ``w_mean`` is the mean of w over the prior; truncation moves w towards it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [nn.Linear(FACE_1024.style_dim, FACE_1024.style_dim) for _ in range(8)]
        )
        self.register_buffer("w_mean", torch.zeros(FACE_1024.style_dim))

    def forward(self, z: Tensor, truncation: float = 1.0) -> Tensor:
        """Map latents.

        Args:
            z: (B, 512) standard normal.
            truncation: 1 keeps the prior, 0 gives the mean face.

        Returns:
            w: (B, 512).
        """
        h = z * torch.rsqrt(z.square().mean(dim=1, keepdim=True) + 1e-8)  # (B, 512)
        for layer in self.layers:
            h = F.leaky_relu(layer(h), 0.2) * 2**0.5  # (B, 512)
        return self.w_mean + truncation * (h - self.w_mean)  # (B, 512)
