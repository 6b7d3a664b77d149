"""Synthesis network of the generator: w+ styles to a 1024 x 1024 picture.

Source: MobileStyleGAN (Belousov 2021, arXiv 2104.04767), distilled from StyleGAN2-FFHQ.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.config import FACE_1024
from hsc.generators.mobilestylegan.haar import inverse_haar


class Modulation(nn.Module):
    """One style vector to one multiplier per channel: (B, 512) -> (B, C, 1, 1)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.affine = nn.Linear(FACE_1024.style_dim, channels)

    def forward(self, style: Tensor) -> Tensor:
        return self.affine(style)[:, :, None, None]


class StyledConv(nn.Module):
    """Modulated convolution with a fixed noise map.

    ::

        x -> x style -> [depthwise 3x3 -> pointwise | full 3x3] -> + noise -> + bias -> leaky 0.2

    Demodulation and the 1/sqrt(fan-in) constants were folded into the weights on import. The
    noise map is a constant of the checkpoint: the same styles always give the same picture.
    """

    def __init__(self, c_in: int, c_out: int, px: int, depthwise: bool = True) -> None:
        super().__init__()
        self.modulation = Modulation(c_in)
        self.depthwise = (
            nn.Conv2d(c_in, c_in, 3, padding=1, groups=c_in, bias=False) if depthwise else None
        )
        kernel = 1 if depthwise else 3
        self.conv = nn.Conv2d(c_in, c_out, kernel, padding=kernel // 2)
        self.register_buffer("noise", torch.zeros(1, 1, px, px))

    def forward(self, x: Tensor, style: Tensor, corner: tuple[int, int] = (0, 0)) -> Tensor:
        """Args: x (B, C_in, h, w), a whole map or the part of one from ``corner`` on."""
        x = x * self.modulation(style)  # (B, C_in, h, w)
        if self.depthwise is not None:
            x = self.depthwise(x)
        (top, left), (h, w) = corner, x.shape[-2:]
        noise = self.noise[:, :, top : top + h, left : left + w]
        return F.leaky_relu(self.conv(x) + noise, 0.2)  # (B, C_out, h, w)


class Block(nn.Module):
    """Double the resolution: three styles.

    ::

        x -> x style -> inverse Haar -> StyledConv -> StyledConv
    """

    def __init__(self, c_in: int, c_out: int, px: int) -> None:
        super().__init__()
        self.up = Modulation(c_in)
        self.conv1 = StyledConv(c_in // 4, c_out, px)
        self.conv2 = StyledConv(c_out, c_out, px)

    def forward(self, x: Tensor, styles: Tensor, corner: tuple[int, int] = (0, 0)) -> Tensor:
        """Args: x (B, C_in, h, w), styles (B, 3, 512). Returns (B, C_out, 2h, 2w).

        ``corner``: row and column, at twice the resolution, where a part of a map begins.
        """
        x = inverse_haar(x * self.up(styles[:, 0]))  # (B, C_in/4, 2h, 2w)
        x = self.conv1(x, styles[:, 1], corner)  # (B, C_out, 2h, 2w)
        return self.conv2(x, styles[:, 2], corner)  # (B, C_out, 2h, 2w)


class ToImage(nn.Module):
    """512-px features to the 1024-px picture through Haar coefficients; one style."""

    def __init__(self, c_in: int) -> None:
        super().__init__()
        self.modulation = Modulation(c_in)
        self.conv = nn.Conv2d(c_in, 12, 1)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        return inverse_haar(self.conv(x * self.modulation(style)))  # (B, 3, 2H, 2W)


class Synthesis(nn.Module):
    """G: w+ -> picture, with a feature map that can be read and replaced on the way.

    ::

        const 4x4 -> conv1 -> B8 -> B16 -> B32 --F--> B64 -> B128 -> B256 -> B512 -> to_img -> 1024
        style  .       0      1-3   4-6    7-9        10-12  13-15   16-18   19-21     22

    ``feature`` runs the left part, ``image`` the right part; ``forward`` is both.
    """

    def __init__(self) -> None:
        super().__init__()
        self.const = nn.Parameter(torch.zeros(1, FACE_1024.channels[4], 4, 4))
        self.conv1 = StyledConv(FACE_1024.channels[4], FACE_1024.channels[4], 4, depthwise=False)
        self.blocks = nn.ModuleDict(
            {
                str(px): Block(FACE_1024.channels[px // 2], FACE_1024.channels[px], px)
                for px in FACE_1024.block_px
            }
        )
        self.to_img = ToImage(FACE_1024.channels[FACE_1024.block_px[-1]])

    def run(self, x: Tensor, w_plus: Tensor, after_px: int, to_px: int) -> Tensor:
        """Carry an activation at ``after_px`` through the blocks up to ``to_px``.

        Args:
            x: (B, C, after_px, after_px).
            w_plus: (B, 23, 512); only the styles of the blocks that run are read.

        Returns:
            (B, C', to_px, to_px).
        """
        for px in FACE_1024.block_px:
            if after_px < px <= to_px:
                x = self.blocks[str(px)](x, w_plus[:, FACE_1024.styles_of_block(px)])
        return x

    def feature(self, w_plus: Tensor, px: int = FACE_1024.feature_px) -> Tensor:
        """G_F: the activation at ``px`` that the semantics alone predict.

        Args:
            w_plus: (B, >= styles_through(px), 512).

        Returns:
            (B, C, px, px), C = 512 up to 64 px.
        """
        x = self.conv1(self.const.expand(len(w_plus), -1, -1, -1), w_plus[:, 0])  # (B, 512, 4, 4)
        return self.run(x, w_plus, 4, px)

    def image(self, feature: Tensor, w_plus: Tensor) -> Tensor:
        """Draw the picture from a feature map and the styles above it.

        Args:
            feature: (B, C, px, px) at any block's resolution.
            w_plus: (B, 23, 512).

        Returns:
            (B, 3, 1024, 1024), nominally in [-1, 1], not clamped.
        """
        x = self.run(
            feature, w_plus, feature.shape[-1], FACE_1024.block_px[-1]
        )  # (B, 64, 512, 512)
        return self.to_img(x, w_plus[:, -1])  # (B, 3, 1024, 1024)

    def forward(self, w_plus: Tensor) -> Tensor:
        """(B, 23, 512) -> (B, 3, 1024, 1024)."""
        return self.image(self.feature(w_plus), w_plus)
