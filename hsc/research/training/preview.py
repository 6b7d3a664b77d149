"""Stages "preview" and "exit128": the early exits, distilled from the generator's full pictures."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from hsc.generators.base import SynthesisNetwork
from hsc.generators.exits import ExitHead
from hsc.generators.haar import haar
from hsc.images.tensors import to_unit
from hsc.inversion.encoder import InversionEncoder
from hsc.numerics.precision import gradient_autocast, gradient_dtype
from hsc.research.data.faces import SyntheticPairs
from hsc.research.training.coded_pool import FrozenCodec
from hsc.research.training.rate import random_level


@dataclass(frozen=True)
class PreviewConfig:
    """``configs/preview.yaml`` and ``configs/exit128.yaml``."""

    batch: int
    rate: float
    pictures: int
    crop: int
    l1: float


@dataclass(frozen=True)
class ExitPictures:
    """Features at an exit, and the pictures that the whole generator renders from them.

    Attributes:
        features: (N, C, exit, exit) in bfloat16: 8 MB each at 128 px.
        w_plus: (N, 23, 512).
        images: uint8 (N, 3, 2 exit, 2 exit).
    """

    features: Tensor
    w_plus: Tensor
    images: Tensor


Shown = Iterator[tuple[Tensor, Tensor, Tensor]]
"""Batches of features, styles and pictures, as the columns of :class:`ExitPictures`."""


def gathered(batches: Shown, pictures: int) -> ExitPictures:
    """Fill preallocated tensors: a list and its concatenation would take twice the memory."""
    columns: list[Tensor] = []
    filled = 0
    for batch in batches:
        if not columns:
            features, *others = batch
            halved = features.bfloat16()  # float32 would take gigabytes
            columns = [x.new_empty(pictures, *x.shape[1:], device="cpu") for x in (halved, *others)]
        for column, x in zip(columns, batch):
            column[filled : filled + len(x)] = x
        filled += len(batch[0])
    return ExitPictures(*(column[:filled] for column in columns))


@torch.no_grad()
def of_pairs(
    fast: SynthesisNetwork, pairs: SyntheticPairs, pictures: int, exit_px: int, device: torch.device
) -> Shown:
    """Faces of the generator's own; ``fast`` is the generator, see :func:`fast_synthesis`."""
    for start in range(0, min(pictures, len(pairs)), 4):
        part = slice(start, min(start + 4, pictures))
        w_plus = pairs.w_plus[part].float()
        styles = w_plus.to(device, fast.dtype)
        feature = fast.feature(styles).contiguous(memory_format=torch.channels_last)
        feature = fast.run(feature, styles, fast.spec.feature_px, exit_px)
        if 2 * exit_px >= fast.spec.image_px:  # pairs are as the encoder takes them: enlarged
            own = fast.image(feature, styles).float().clamp(-1, 1).cpu()
            yield feature, w_plus, ((own + 1) * 127.5).round().byte()
            continue
        shrunk = F.interpolate(pairs.images[part].float(), size=2 * exit_px, mode="area")
        yield feature, w_plus, shrunk.round().byte()


@torch.no_grad()
def of_photographs(
    fast: SynthesisNetwork,
    encoder: InversionEncoder,
    images: Tensor,
    exit_px: int,
    device: torch.device,
) -> Shown:
    """S and F of photographs: such as the encoder gives and the generator alone never has.

    Args:
        images: uint8 (N, 3, 256, 256).
    """
    for part in images.split(2):
        small = to_unit(part).to(device).contiguous(memory_format=torch.channels_last)
        with gradient_autocast(device):
            inversion = encoder(small, fast)
        styles = inversion.w_plus.to(fast.dtype)
        inner = inversion.feature.to(fast.dtype).contiguous(memory_format=torch.channels_last)
        feature = fast.run(inner, styles, fast.spec.feature_px, exit_px)
        rendered = fast.image(feature, styles).float().clamp(-1, 1)
        shrunk = F.interpolate(rendered, size=2 * exit_px, mode="area")
        yield feature, inversion.w_plus.float(), ((shrunk + 1) * 127.5).round().byte()


@torch.no_grad()
def of_files(
    finetuned: SynthesisNetwork,
    codec: FrozenCodec,
    images: Tensor,
    directions: Tensor,
    exit_px: int,
    device: torch.device,
) -> Shown:
    """What files of photographs render by finetuned blocks, half of them edited.

    Args:
        finetuned: as ``codec.fast``, with finetuned blocks.
        images: uint8 (N, 3, 256, 256).
        directions: (D, 23, 512), edits at the end of their range.
    """
    dtype = finetuned.dtype
    for index, part in enumerate(images.split(1)):
        w_plus, feature = codec(to_unit(part).to(device), random_level(torch.default_generator))
        if index % 2:
            direction = directions[int(torch.randint(len(directions), ()))].to(device)
            edited = w_plus + direction * float(torch.empty(()).uniform_(-1, 1))
            moved = [codec.fast.feature(w.to(dtype)).float() for w in (edited, w_plus)]
            w_plus, feature = edited, feature + moved[0] - moved[1]
        styles = w_plus.to(dtype)
        inner = feature.to(dtype).contiguous(memory_format=torch.channels_last)
        inner = finetuned.run(inner, styles, finetuned.spec.feature_px, exit_px)
        rendered = finetuned.image(inner, styles).float().clamp(-1, 1)
        shrunk = F.interpolate(rendered, size=2 * exit_px, mode="area")
        yield inner, w_plus.float(), ((shrunk + 1) * 127.5).round().byte()


class PreviewLoss:
    """Squared error of random crops, on features computed once."""

    def __init__(
        self, head: ExitHead, shown: ExitPictures, config: PreviewConfig, device: torch.device
    ) -> None:
        self.head, self.config, self.device = head, config, device
        self.features, self.w_plus, self.images = shown.features, shown.w_plus, shown.images

    @torch.no_grad()
    def start_linear(self, pictures: int = 40) -> None:
        """Set the head's linear part by ridge regression to Haar coefficients."""
        x = self.features[:pictures].float().movedim(1, -1).flatten(0, 2)
        x = torch.cat([x, torch.ones(len(x), 1)], 1)
        target = haar(to_unit(self.images[:pictures])).movedim(1, -1).flatten(0, 2)
        gram = (x.T @ x).double() + torch.eye(x.shape[1])
        solution = torch.linalg.solve(gram, (x.T @ target).double()).float()
        self.head.linear.weight.copy_(solution[:-1].T[:, :, None, None])
        assert self.head.linear.bias is not None
        self.head.linear.bias.copy_(solution[-1])

    def __call__(self, n: int) -> tuple[Tensor, dict[str, float]]:
        crop = min(self.config.crop, self.head.exit_px)
        index = torch.randint(len(self.images), (n,))
        rows, columns = torch.randint(0, self.head.exit_px - crop + 1, (2, n))
        feature, target = [], []
        for i, y, x in zip(index.tolist(), rows.tolist(), columns.tolist()):
            feature.append(self.features[i, :, y : y + crop, x : x + crop])
            target.append(self.images[i, :, 2 * y : 2 * (y + crop), 2 * x : 2 * (x + crop)])
        cropped = torch.stack(feature).to(self.device, gradient_dtype(self.device))
        cropped = cropped.contiguous(memory_format=torch.channels_last)
        with gradient_autocast(self.device):
            rendered = self.head(cropped, self.w_plus[index].to(self.device))
        error = rendered.float() - to_unit(torch.stack(target)).to(self.device)
        mse = error.square().mean()
        return mse + self.config.l1 * error.abs().mean(), {
            "psnr": -10 * torch.log10(mse / 4).item()
        }
