"""Stage "semantic": the SCN transform in closed form.

The Karhunen-Loeve transform of w+ under a metric of how visible each change of a style is: the
change of the channel multipliers that it causes, relative to their spread, weighted by how much
the picture changes when that style is exchanged.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from hsc.errors import HscError
from hsc.generators.base import SynthesisNetwork
from hsc.latent_codecs.gaussian import bits
from hsc.latent_codecs.styles_klt import SemanticCodec
from hsc.metrics.lpips import Lpips
from hsc.numerics.precision import gradient_autocast


@dataclass(frozen=True)
class SemanticConfig:
    """``configs/semantic.yaml``."""

    synthetic_weight: float
    samples: int
    truncation: float


TARGET_BYTES = (30, 42, 54, 70, 92, 124)
"""Mean size of the SCN layer at each named level, but for its fine styles."""


@torch.no_grad()
def style_importance(synthesis: SynthesisNetwork, lpips: Lpips, w: Tensor) -> Tensor:
    """How much the face changes when one style is taken from another, at full resolution.

    Args:
        w: (B, 512) samples of the prior.

    Returns:
        (23,) mean LPIPS plus four times the mean squared error in the middle of the picture.
    """

    spec = synthesis.spec
    edge = spec.image_px // 4

    def draw(styles: Tensor) -> Tensor:
        """The middle of the picture: what it shows, without its surroundings."""
        with gradient_autocast(w.device):
            return synthesis(styles).float()[..., edge:-edge, edge:-edge]

    styles = w[:, None].repeat(1, spec.styles, 1)  # (B, 23, 512)
    original = draw(styles)
    importance = torch.zeros(spec.styles)
    for index in range(spec.styles):
        exchanged = styles.clone()
        exchanged[:, index] = w.roll(1, 0)
        picture = draw(exchanged)
        error = (picture - original).square().mean()
        importance[index] = lpips(picture, original).mean().cpu() + 4 * error.cpu()
    return importance.clamp_min(0.01)


@torch.no_grad()
def fit(
    codec: SemanticCodec,
    w_plus: Tensor,
    weight: Tensor,
    synthesis: SynthesisNetwork,
    importance: Tensor,
) -> None:
    """Set the codec's transform and gains from samples.

    Args:
        codec: filled in place.
        w_plus: (N, 23, 512), S of training faces.
        weight: (N,) how much each sample counts.
        importance: (23,) from :func:`style_importance`.
    """
    weight = (weight / weight.sum()).double()[:, None]
    x = w_plus.double().flatten(1)  # (N, 11776)
    mean = (weight * x).sum(0)
    x, styles = x - mean, synthesis.spec.styles
    views, maps = [], []
    for index, affine in enumerate(synthesis.style_layers()):
        matrix = affine.weight.double().cpu()  # (C, 512)
        raw = x.unflatten(1, (styles, -1))[:, index] @ matrix.T  # (N, C)
        matrix = matrix / (weight * raw.square()).sum().sqrt() * importance[index].sqrt()
        views.append(x.unflatten(1, (styles, -1))[:, index] @ matrix.T)
        maps.append(matrix)
    coordinates = torch.cat(views, 1)  # (N, sum of channels): metric coordinates
    root = weight.sqrt()
    components = codec.g_s.shape[1]
    if len(w_plus) < components:
        raise HscError(
            f"expected at least {components} pictures for as many components of SCN, got "
            f"{len(w_plus)}: add pictures, or latents.synthetic."
        )
    # scaled principal components through the samples' Gram matrix: fewer samples than channels
    values, vectors = torch.linalg.eigh((root * coordinates) @ (root * coordinates).T)
    values = values.flip(0)[:components].clamp_min(1e-12)
    vectors = vectors.flip(1)[:, :components]
    axes = (root * coordinates).T @ vectors / values.sqrt()  # (channels, K), orthonormal
    y = coordinates @ axes / values.sqrt()  # (N, K), unit variance
    codec.g_s.copy_(((weight * x).T @ y).float())
    codec.mean.copy_(mean.float().view_as(codec.mean))
    # analysis in w+ coordinates: the metric's map, then the axes
    parts = (axes / values.sqrt()).split([len(matrix) for matrix in maps])  # (C, K) each
    g_a = torch.cat([matrix.T @ part for matrix, part in zip(maps, parts, strict=True)])
    codec.g_a.copy_(g_a.T.float())
    log2_spread = 0.5 * torch.log2(values).float()
    for row, target in enumerate(TARGET_BYTES):
        codec.log2_gain[row] = (log2_spread - _log2_step(y, weight, log2_spread, target)).clamp(
            -8, 10
        )


def _log2_step(y: Tensor, weight: Tensor, log2_spread: Tensor, target_bytes: float) -> float:
    """The uniform step, in metric coordinates, for ``target_bytes`` a picture on average."""
    low, high = -12.0, 4.0
    for _ in range(24):
        middle = (low + high) / 2
        log2_gain = (log2_spread - middle).clamp(-8, 10)
        symbols = torch.round(y.float() * torch.exp2(log2_gain))
        cost = (bits(symbols, log2_gain.expand_as(symbols)).sum(1) * weight[:, 0]).sum() / 8
        low, high = (middle, high) if cost > target_bytes else (low, middle)
    return (low + high) / 2
