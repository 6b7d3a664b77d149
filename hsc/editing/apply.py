"""Carry out an edit on what a file holds: the semantics w+ and the feature map."""

from torch import Tensor


def edit_styles(w_plus: Tensor, offset: Tensor) -> Tensor:
    """Add an edit to the semantics.

    Args:
        w_plus: (B, 23, 512) or (23, 512).
        offset: (23, 512) as :meth:`hsc.editing.table.EditTable.offset` gives it.

    Returns:
        The edited w+, exactly ``w_plus`` where the offset is zero.
    """
    return w_plus + offset.to(w_plus)


def carry_feature(feature_hat: Tensor, feature_s: Tensor, feature_s_edited: Tensor) -> Tensor:
    """Let the decoded feature map follow an edit.

    ::

        F_edit = F^ + (G_F(S^ + d) - G_F(S^))

    What the file knows beyond its semantics, F^ - G_F(S^), stays where it was: right for edits
    of colour and texture, while it weakens an edit and ghosts where geometry moves.

    Args:
        feature_hat: F^, the decoded feature map (B, C, px, px).
        feature_s: G_F(S^), what the decoded semantics predict, of the same shape.
        feature_s_edited: G_F(S^ + d), the same for the edited semantics.

    Returns:
        The edited feature map, exactly ``feature_hat`` when nothing was edited.
    """
    # The bracket first: it is exactly zero without an edit.
    return feature_hat + (feature_s_edited - feature_s)
