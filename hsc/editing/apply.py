"""Carry out an edit on what a file holds: the semantics w+ and the feature map."""

import torch
from torch import Tensor
from torch.nn import functional as F


def edit_styles(w_plus: Tensor, offset: Tensor) -> Tensor:
    """Add an edit to the semantics.

    Args:
        w_plus: (B, 23, 512) or (23, 512).
        offset: (23, 512) as :meth:`hsc.editing.table.EditTable.offset` gives it.

    Returns:
        The edited w+, exactly ``w_plus`` where the offset is zero.
    """
    return w_plus + offset.to(w_plus)


MOVED, TOUCHED = 0.25, 0.05
"""Change of a feature vector, in standard deviations, at which 1/e of its own detail is kept:
where geometry moves, and where an edit does anything at all."""


def movement(
    feature_s: Tensor, feature_s_moved: Tensor, std: Tensor, change: float = MOVED
) -> Tensor:
    """Where an edit moves things.

    Args:
        feature_s: G_F(S^), (B, C, px, px).
        feature_s_moved: G_F(S^ + d) for those parts of the edit that count.
        std: spread of each channel over faces, (C,).
        change: how much of it, in standard deviations, makes detail give way to 1/e.

    Returns:
        (B, 1, px, px) from 0, still, towards 1: 1 - exp(-(|change| / change)^2), smoothed.
    """
    size = ((feature_s_moved - feature_s) / std[:, None, None]).square().mean(1, keepdim=True)
    size = F.pad(size.sqrt(), (1, 1, 1, 1), mode="replicate")
    return 1 - torch.exp(-((F.avg_pool2d(size, 3, stride=1) / change) ** 2))


def giving_way(moved: Tensor, touched: Tensor, keep_details: float) -> Tensor:
    """How much of a file's own detail gives way, from a person's wish to keep it.

    Args:
        moved: where geometry moves, (B, 1, px, px) from :func:`movement`.
        touched: where the edit does anything, the same of all its parts with ``TOUCHED``.
        keep_details: 1 keeps all that does not stand in the edit's way, 0 redraws from the
            semantics whatever the edit touches.

    Returns:
        (B, 1, px, px), exactly zero where both are.
    """
    return torch.lerp(torch.maximum(moved, touched), moved, float(keep_details))


def carry_feature(
    feature_hat: Tensor, feature_s: Tensor, feature_s_edited: Tensor, moved: Tensor
) -> Tensor:
    """Let the decoded feature map follow an edit.

    ::

        F_edit = G_F(S^ + d) + (1 - moved) * (F^ - G_F(S^))

    What the file knows beyond its semantics, F^ - G_F(S^), belongs to where it was seen. Where
    nothing moves it is kept whole; at a mouth that opens or an ear that turns away it would
    weaken the edit and leave a ghost, and gives way. With ``moved`` = 0 this is the rule of Li et
    al. 2025 (arXiv 2502.16799).

    Args:
        feature_hat: F^, the decoded feature map (B, C, px, px).
        feature_s: G_F(S^), what the decoded semantics predict, of the same shape.
        feature_s_edited: G_F(S^ + d), the same for the edited semantics.
        moved: (B, 1, px, px) from :func:`movement`.

    Returns:
        The edited feature map, exactly ``feature_hat`` when nothing was edited.
    """
    # Each term is exactly zero without an edit.
    return feature_hat + (feature_s_edited - feature_s) - moved * (feature_hat - feature_s)
