"""Stage "enhancement": the basis of FCN's enhancement slice, and its entropy model.

The basis: principal components of the gradients of files of level 5 with respect to F, and of what
steps along them change, orthogonal to the linear analysis of the base slices, in closed form. Then
photographs are coded at levels above 5, and the scales of the slice are trained on the symbols of
their files.
Everything else is held: files up to level 5 stay as they are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.bitstream import unpack
from hsc.codec import Codec
from hsc.inversion.correction import limited_gradient
from hsc.inversion.distance import Drawn
from hsc.inversion.enhancement import MOMENTUM
from hsc.latent_codecs.feature_slices.enhancement import ABOVE
from hsc.latent_codecs.feature_slices.model import FeatureCodec, Semantics
from hsc.latent_codecs.gaussian import bits
from hsc.levels import MAX_LEVEL
from hsc.research import distributed

BEGIN_STEPS = (2.8, 2.8, 2.8, 2.8, 1.1, 0.9)
"""Quantiser steps of the slice at levels 1 to 6, in standard deviations of F: below level 5 hardly
a symbol is left."""
BEGIN_SPREAD = 0.2
"""Of its values, likewise, before training: the root mean square over its channels."""
DESCENT_STEPS, DESCENT_RATE = 4, 0.03
"""Gradient steps whose changes the basis is made of, and their rate in standard deviations of F for
a typical gradient. They are those of an encoder (:mod:`hsc.inversion.enhancement`), on all of F."""
BIAS_RATE = 20.0
"""Of the scales' last biases, times that of other weights: how often a channel is used at all."""
TOP_SHARE = 0.5
"""Of the files, those of level 6."""


@dataclass(frozen=True)
class EnhancementConfig:
    """``configs/enhancement.yaml``."""

    least_px: int
    basis_pictures: int
    files: int
    batch: int
    rate: float
    training_steps: int


def crops(paths: list[Path], least_px: int, image_px: int) -> Iterator[Image.Image]:
    """Aligned photographs of at least so many pixels, in a random order, enlarged where needed."""
    order = torch.randperm(len(paths), generator=torch.Generator().manual_seed(0)).tolist()
    for index in order:
        picture = Image.open(paths[index]).convert("RGB")
        if picture.width == picture.height and picture.width >= least_px:
            yield picture.resize((image_px, image_px), Image.Resampling.LANCZOS)


def random_upper_level() -> float:
    """A level that has the slice."""
    if torch.rand(()) < TOP_SHARE:
        return float(MAX_LEVEL)
    return round(float(torch.empty(()).uniform_(ABOVE + 0.02, MAX_LEVEL)), 2)


def initialise(fcn: FeatureCodec, covariance: Tensor) -> None:
    """Set the basis and the gains, and the scales before training.

    Args:
        covariance: of blocks of what pictures lack, (2048, 2048).
    """
    slice_ = fcn.enhancement
    assert slice_ is not None
    analysis = fcn.g_a.linear.weight.detach().flatten(1).T.cpu()
    base = torch.linalg.qr(analysis)[0]  # (2048, 128)
    complement = torch.eye(len(base)) - base @ base.T
    energy, basis = torch.linalg.eigh(complement @ covariance @ complement)
    energy, basis = energy.flip(0)[: slice_.channels], basis.flip(1)[:, : slice_.channels]
    spread = BEGIN_SPREAD * (energy / energy.mean()).clamp_min(1e-3).sqrt()
    with torch.no_grad():
        slice_.basis.copy_(basis.T.reshape(slice_.basis.shape))
        slice_.log2_gain.copy_(-torch.tensor(BEGIN_STEPS).log2()[:, None])
        slice_.scales.get_parameter("conv3.weight").zero_()
        slice_.scales.get_parameter("conv3.bias").copy_(spread.log2())


def covariance_of_changes(codec: Codec, pictures: Iterator[Image.Image], count: int) -> Tensor:
    """Of 2 x 2 blocks of what would bring files of ``count`` pictures nearer, (2048, 2048)."""
    size = 4 * codec.networks.config.generator.feature_channels
    total = torch.zeros(size, size)
    for _, picture in zip(range(distributed.share_of(count)), pictures):
        for change in _descent(codec, picture):
            blocks = F.pixel_unshuffle(change, 2)[0].flatten(1)
            total += (blocks @ blocks.T / blocks.square().sum()).cpu()
    return distributed.total(total)


def _descent(codec: Codec, picture: Image.Image) -> tuple[Tensor, Tensor]:
    """The gradient of a file of level 5 with respect to F, and what gradient steps change there:
    (1, 512, 32, 32) each, in standard deviations."""
    encoder, fcn = codec.encoder, codec.networks.fcn
    found = codec.analyse(picture)
    assert found.crop is not None
    known = encoder.known_picture(found.crop)
    opened = codec.open(codec.compress(found, ABOVE))
    std = fcn.feature_std[:, None, None]

    def gradient_at(change: Tensor) -> Tensor:
        change = change.clone().requires_grad_()
        with torch.enable_grad():
            feature = opened.feature + std * change
            drawn = Drawn(encoder.refiner.renderer, known, feature, opened.w_plus)
            (gradient,) = torch.autograd.grad(drawn.distance(), change)
        return gradient

    change = torch.zeros_like(opened.feature)
    first = gradient_at(change)
    typical, moved = first.square().mean().sqrt(), torch.zeros_like(change)
    for step in range(DESCENT_STEPS):
        gradient = gradient_at(change) if step else first
        moved = MOMENTUM * moved + limited_gradient(gradient / typical)
        change = change - DESCENT_RATE * moved
    return first, change


@torch.no_grad()
def code_files(codec: Codec, pictures: Iterator[Image.Image], count: int, folder: Path) -> None:
    """Code photographs, and keep what the entropy model is given and what it codes.

    Files that are there stay: a run that was stopped goes on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    n = codec.networks
    for number, picture in zip(range(distributed.share_of(count)), pictures):
        path = folder / f"{distributed.rank()}_{number:04d}.safetensors"
        if path.exists():
            continue
        container = unpack(codec.compress(codec.analyse(picture), random_upper_level()))
        w_plus_hat = n.scn.decompress(container.scn, container.level)
        context = n.context.feature(w_plus_hat)
        y_hat, _ = n.fcn.coder.decompress(container.fcn or b"", context, container.level)
        level = torch.tensor(container.level)
        save_file({"context": context.half(), "y_hat": y_hat.float(), "level": level}, path)


def scale_groups(scales: nn.Module, rate: float) -> list[dict[str, Any]]:
    """Parameter groups of the slice's entropy model."""
    parameters = dict(scales.named_parameters())
    bias = parameters.pop("conv3.bias")
    return [
        {"params": list(parameters.values()), "lr": rate},
        {"params": [bias], "lr": BIAS_RATE * rate},
    ]


class ScalesLoss:
    """The bits of the slice's symbols in files.

    Args:
        paths: files of :func:`code_files`; every tenth is held out.
    """

    def __init__(self, fcn: FeatureCodec, paths: list[Path], device: torch.device) -> None:
        self.fcn, self.device = fcn, device
        samples = [load_file(path) for path in paths]
        self.held_out = samples[::10]
        self.samples = [s for i, s in enumerate(samples) if i % 10] or samples

    def __call__(self, n: int) -> tuple[Tensor, dict[str, float]]:
        """Kilobytes of ``n`` files' slices, and the same to log."""
        chosen = torch.randint(len(self.samples), (n,)).tolist()
        loss = torch.stack([self._kilobytes(self.samples[i]) for i in chosen]).mean()
        return loss, {"kilobytes": loss.item()}

    @torch.no_grad()
    def watch(self) -> dict[str, float]:
        """Kilobytes of the held-out files' slices."""
        found = [self._kilobytes(sample).item() for sample in self.held_out]
        return {"held_out_kilobytes": sum(found) / len(found)}

    def _kilobytes(self, sample: dict[str, Tensor]) -> Tensor:
        slice_, channels = self.fcn.enhancement, self.fcn.config.latent_channels
        assert slice_ is not None
        level = float(sample["level"])
        y_hat = sample["y_hat"].to(self.device)
        context = sample["context"].to(self.device).float()
        base, more = y_hat[:, :channels], y_hat[:, channels:]
        semantics = Semantics(base[:, :0], context)
        log2_scale = self.fcn.enhancement_scale(base, round(level, 2), semantics)
        symbols = (more * torch.exp2(slice_.log2_gain_of(round(level, 2)))[:, None, None]).round()
        return bits(symbols, log2_scale).sum() / 8000
