"""Edits for any domain: the directions in which w varies most.

Source: GANSpace (Harkonen et al. 2020, arXiv 2004.02546). What a direction does has no name here:
whoever looks at it may give it one.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from hsc.config import GeneratorSpec
from hsc.editing.table import MOVE, PRINCIPAL_GROUP, Edit, EditTable, on_styles
from hsc.generators.base import MappingNetwork


@dataclass(frozen=True)
class PrincipalConfig:
    """``configs/principal.yaml``."""

    directions: int
    samples: int
    reach: float


@torch.no_grad()
def principal_table(
    mapping: MappingNetwork, spec: GeneratorSpec, config: PrincipalConfig
) -> tuple[EditTable, Tensor]:
    """A table of edits along principal directions, a standard deviation each for 1.

    Returns:
        The table, and the share of the variance of w that each direction explains.
    """
    z = torch.randn(config.samples, spec.style_dim, generator=torch.Generator().manual_seed(0))
    w = mapping(z.to(mapping.w_mean)).double().cpu()  # (N, style_dim)
    centred = w - w.mean(0)
    variance, vectors = torch.linalg.eigh(centred.T @ centred / len(w))  # rising
    variance, vectors = variance.flip(0), vectors.flip(1)
    edits, directions = [], {}
    for number in range(min(config.directions, spec.style_dim)):
        vector = vectors[:, number]
        vector = vector * vector[vector.abs().argmax()].sign()  # the sign is arbitrary
        share = float(variance[number] / variance.sum())
        edit = Edit(
            f"pc{number + 1}", f"Principal {number + 1}", "standard deviations",
            -config.reach, config.reach, 0.1,
            f"The direction with {share:.0%} of the variance of w.",
            styles=(0, spec.styles - 1), kind=MOVE, group=PRINCIPAL_GROUP,
        )  # fmt: skip
        edits.append(edit)
        step = (vector * variance[number].sqrt()).float()
        directions[edit.name] = on_styles(step, edit.styles, spec.w_plus_shape)
    table = EditTable(tuple(edits), directions, shape=spec.w_plus_shape)
    return table, (variance / variance.sum())[: len(edits)]
