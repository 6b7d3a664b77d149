"""S coded as the paper does: w+ reshaped into a picture, convolved, a factorised entropy model.

Source: Li et al. 2025 (arXiv 2502.16799), from its description; sizes and widths are our own.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.bitstream.rans import MAX_SYMBOL, CdfTables, encode_symbols
from hsc.latent_codecs.base import round_ste
from hsc.latent_codecs.gaussian import bits, scale_index

HEIGHT = 16
"""The 512 numbers of each style as 16 x 32 pixels of a channel."""
LATENT = 24
BATCH = 32
LEARNING_RATE = 2e-3


class ReshapedCodec(nn.Module):
    """Convolutional transform coder of w+.

    ::

        (w+ - mean) / std -> 23 x 16 x 32 -> conv /2 -> conv /2 -> y (24 x 4 x 8)
            -> x gain -> round; each channel a Gaussian of its own
            -> deconv x2 -> deconv x2 -> w+^
    """

    def __init__(self, w_plus: Tensor, width: int = 96) -> None:
        super().__init__()
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", w_plus.mean(0))
        self.register_buffer("std", w_plus.std((0, 1)) + 1e-6)
        styles = w_plus.shape[1]
        self.g_a = nn.Sequential(
            nn.Conv2d(styles, width, 4, 2, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(width, LATENT, 4, 2, 1),
        )  # fmt: skip
        self.g_s = nn.Sequential(
            nn.ConvTranspose2d(LATENT, width, 4, 2, 1), nn.LeakyReLU(0.2),
            nn.ConvTranspose2d(width, styles, 4, 2, 1),
        )  # fmt: skip
        self.log2_scale = nn.Parameter(torch.zeros(LATENT, 1, 1))

    def forward(self, w_plus: Tensor, noisy: bool) -> tuple[Tensor, Tensor, Tensor]:
        """Args: w_plus (B, 23, 512). Returns w+^, symbols (B, 24, 4, 8) and bits (B,)."""
        x = ((w_plus - self.mean) / self.std).unflatten(2, (HEIGHT, -1))
        y = self.g_a(x)
        symbols = round_ste(y)
        rated = y + torch.rand_like(y) - 0.5 if noisy else symbols
        cost = bits(rated, self.log2_scale.expand_as(y)).sum((1, 2, 3))
        w_plus_hat = self.g_s(symbols).flatten(2) * self.std + self.mean
        return w_plus_hat, symbols, cost


def train(
    w_plus: Tensor, target_bytes: float, steps: int, importance: Tensor | None = None
) -> ReshapedCodec:
    """Fit one model for one size: the price of a bit follows the measured size.

    Args:
        w_plus: (N, 23, 512).
        importance: (23,) weight of each style in the error; equal when None.
    """
    torch.manual_seed(0)
    codec = ReshapedCodec(w_plus)
    weight = torch.ones(w_plus.shape[1]) if importance is None else importance / importance.mean()
    optimiser = torch.optim.Adam(codec.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    price = 1e-3
    for step in range(steps):
        batch = w_plus[torch.randint(len(w_plus), (BATCH,))]
        w_plus_hat, _, cost = codec(batch, noisy=step % 2 == 0)
        error = F.mse_loss(w_plus_hat / codec.std, batch / codec.std, reduction="none")
        loss = (error.mean((0, 2)) * weight).mean() + price * cost.mean() / 8
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        price *= (cost.mean().item() / 8 / target_bytes) ** 0.02
        price = min(max(price, 1e-6), 1.0)
    return codec.eval()


@torch.no_grad()
def sizes(codec: ReshapedCodec, w_plus: Tensor, tables: CdfTables) -> tuple[Sequence[int], Tensor]:
    """Real bytes of each w+ (N, 23, 512), and w+^."""
    w_plus_hat, symbols, _ = codec(w_plus, noisy=False)
    scale_indexes = scale_index(codec.log2_scale.double()).expand(symbols.shape[1:])
    symbols = symbols.round().clamp(-MAX_SYMBOL, MAX_SYMBOL).long()
    found = [len(encode_symbols(s.numpy(), scale_indexes.numpy(), tables)) for s in symbols]
    return found, w_plus_hat
