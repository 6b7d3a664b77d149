"""The initial values of FCN's transforms: the KLT of what it codes.

Source: the Karhunen-Loeve transform of 2 x 2 blocks of F - F_S^, all 512 channels at once. Nothing
here is learned by gradient descent.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from hsc.latent_codecs.feature_slices.model import FeatureCodec
from hsc.research import distributed
from hsc.research.training.feature import CodedLatents

BATCH = 8
STEPS = (7.0, 4.5, 3.4, 2.4, 1.4, 0.7)
"""Quantiser steps of the six levels in standard deviations of F, the same for every coefficient:
about where the sizes that the levels aim at lie."""


@torch.no_grad()
def start_from_klt(
    codec: FeatureCodec, coded: CodedLatents, pictures: int = 800, level: float = 4.0
) -> None:
    """Set the transforms, the gains and the scales of the prior; the networks stay as they are.

    Coefficients are divided by the square root of their standard deviation: the prior's networks
    see numbers of one order of size, and gains undo it.

    Args:
        codec: its ``feature_std`` is known.
        coded: samples of what it is going to code.
        pictures: how many samples the covariance is computed from.
        level: whose S^ the residual is taken from; S^ hardly differs between levels.
    """
    features, latents = codec.config.generator.feature_channels, codec.config.latent_channels
    mean, covariance = _moments(codec, coded, pictures, level)
    variance, basis = torch.linalg.eigh(covariance)  # ascending
    variance = variance.flip(0)[:latents].clamp_min(1e-9)
    basis = basis.flip(1)[:, :latents]  # (2048, 128)
    root = variance.pow(0.25)  # (128,), of the standard deviation
    shape = (latents, features, 2, 2)
    analysis, synthesis = codec.g_a.linear, codec.g_s.linear
    analysis.weight.copy_((basis / root).T.reshape(shape))
    assert analysis.bias is not None and synthesis.bias is not None
    analysis.bias.copy_(-(mean @ basis) / root)
    synthesis.weight.copy_((basis * root).T.reshape(shape))
    synthesis.bias.copy_(mean.view(features, 4).mean(1))
    for row, step in zip(codec.log2_gain, STEPS):
        row.copy_(root.log2() - math.log2(step))
    for now, network in zip(codec.prior.order, codec.prior.networks):
        bias = network.get_parameter("conv3.bias")
        bias[now.width :] = root[now.channels].log2()


def _moments(
    codec: FeatureCodec, coded: CodedLatents, pictures: int, level: float
) -> tuple[Tensor, Tensor]:
    """Mean (2048,) and covariance (2048, 2048) of blocks of (F - F_S^) / std, in float64."""
    size = 4 * codec.config.generator.feature_channels
    total, square, count = torch.zeros(size).double(), torch.zeros(size, size).double(), 0
    for _ in range(distributed.share_of(pictures // BATCH)):
        batch = coded.sample(BATCH, level)
        residual = codec.normalised(batch.feature - batch.feature_s)  # (B, 512, 32, 32)
        blocks = F.pixel_unshuffle(residual, 2).flatten(2).transpose(1, 2).flatten(0, 1)
        total += blocks.sum(0).double().cpu()
        square += (blocks.T @ blocks).double().cpu()
        count += len(blocks)
    distributed.total(total), distributed.total(square)
    count *= distributed.world()
    mean = total / count
    return mean, square / count - torch.outer(mean, mean)
