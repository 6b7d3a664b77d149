"""Stages "preview" and "glance": the early exits, distilled from the generator's full pictures."""

import torch
from torch import Tensor
from torch.nn import functional as F

from hsc.generator.haar import haar
from hsc.generator.preview import PreviewHead
from hsc.generator.synthesis import FEATURE_PX, Synthesis
from hsc.training.faces import SyntheticPairs, to_unit

CROP = 56
"""Side of the crops of features that a step takes."""


class PreviewLoss:
    """Squared error of random crops, on features computed once.

    Args:
        fast: the generator in bfloat16.
        pictures: how many pairs to keep features of: 8 MB each.
    """

    @torch.no_grad()
    def __init__(
        self,
        head: PreviewHead,
        fast: Synthesis,
        pairs: SyntheticPairs,
        pictures: int,
        device: torch.device,
    ) -> None:
        self.head, self.device = head, device
        self.images, self.w_plus = pairs.images[:pictures], pairs.w_plus[:pictures].float()
        features = []
        for part in self.w_plus.split(4):
            styles = part.to(device).bfloat16()
            feature = fast.feature(styles).contiguous(memory_format=torch.channels_last)
            features.append(fast.run(feature, styles, FEATURE_PX, head.exit_px).cpu())
        self.features = torch.cat(features)  # (N, C, exit, exit)
        shrunk = F.interpolate(self.images.float(), size=2 * head.exit_px, mode="area")
        self.images = shrunk.round().byte()

    @torch.no_grad()
    def start_linear(self, pictures: int = 40) -> None:
        """Set the head's linear part by ridge regression to Haar coefficients."""
        x = self.features[:pictures].float().movedim(1, -1).flatten(0, 2)
        x = torch.cat([x, torch.ones(len(x), 1)], 1)
        target = haar(to_unit(self.images[:pictures])).movedim(1, -1).flatten(0, 2)
        gram = (x.T @ x).double() + torch.eye(x.shape[1])
        solution = torch.linalg.solve(gram, (x.T @ target).double()).float()
        self.head.linear.weight.copy_(solution[:-1].T[:, :, None, None])
        self.head.linear.bias.copy_(solution[-1])

    def __call__(self, n: int) -> tuple[Tensor, dict[str, float]]:
        index = torch.randint(len(self.images), (n,))
        rows, columns = torch.randint(0, self.head.exit_px - CROP + 1, (2, n))
        feature, target = [], []
        for i, y, x in zip(index.tolist(), rows.tolist(), columns.tolist()):
            feature.append(self.features[i, :, y : y + CROP, x : x + CROP])
            target.append(self.images[i, :, 2 * y : 2 * (y + CROP), 2 * x : 2 * (x + CROP)])
        cropped = torch.stack(feature).to(self.device).contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16):
            drawn = self.head(cropped, self.w_plus[index].to(self.device))
        error = drawn.float() - to_unit(torch.stack(target)).to(self.device)
        mse = error.square().mean()
        return mse + 0.05 * error.abs().mean(), {"psnr": -10 * torch.log10(mse / 4).item()}
