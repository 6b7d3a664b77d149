"""Apply edits to the decoded latents of a file: the semantics w+ and the feature map."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from hsc.editing.motion import motion, warp
from hsc.editing.table import LOOK, MOVE, TURN, EditTable

DETAIL_FALLOFF = {TURN: 0.7, LOOK: 0.06, MOVE: 0.12}
"""Change of a feature vector that motion does not explain, in standard deviations beyond what the
whole map changes by, at which 1/e of the detail there is kept: a head may turn under its own
detail, a mouth that opens may not. A look is in the detail itself: a face that kept it would stay
as old as it was, and an edit strong enough against that would leave the faces that the generator
knows. In the order in which edits are carried out."""
MAX_CONTRAST_GAIN = 1.5
PASSING_FALLOFF = 0.8
"""Size of what passes in a clip, in standard deviations, at which 1/e of the edited features is
left there: a smile and speech add up, and a smile and a shout would be too much."""
CHANGE_FALLOFF = 0.05
"""As ``DETAIL_FALLOFF``, but of any change whatever, where ``keep_details`` is 0."""


def edit_styles(w_plus: Tensor, offset: Tensor) -> Tensor:
    """Add an edit to the semantics.

    Args:
        w_plus: (B, 23, 512) or (23, 512).
        offset: (23, 512) as :meth:`hsc.editing.table.EditTable.offset` gives it.

    Returns:
        The edited w+, exactly ``w_plus`` where the offset is zero.
    """
    return w_plus + offset.to(w_plus)


def detail_weight(has_detail: bool, keep_details: float) -> float:
    """How strongly a file's detail counteracts an edit, from 0 (not at all) to 1.

    Args:
        has_detail: whether its feature map holds more than the semantics predict.
        keep_details: as in :func:`edit_feature`.
    """
    return 1 - _suppression(keep_details) if has_detail else 0.0


def _suppression(keep_details: float) -> float:
    return (1 - keep_details) ** 2


def edit_feature(
    table: EditTable,
    amounts: Mapping[str, float],
    g_f: Callable[[Tensor], Tensor],
    std: Tensor,
    w_plus: Tensor,
    feature_s: Tensor,
    feature_hat: Tensor,
    keep_details: float = 1.0,
    lasting: Tensor | None = None,
) -> Tensor:
    """Let the decoded feature map follow an edit.

    ::

        S^ ---- + turns -----> + moves -----> + the rest        (looks: between these two)
        |        |              |              |
        G_F     G_F            G_F            G_F ----------------------- + -> F_edit
        |        |              |                                         |
        +-motion-+----motion----+                                         |
             |           |                                                |
        F^ - G_F(S^) --> warp --> warp, giving way to what did not move --+

    The detail F^ - G_F(S^), which the semantics do not predict, belongs to places on the face. When
    the head turns, it is warped by the motion between the features G_F before and after. Where
    motion does not explain the change, as where teeth or glasses appear, detail would weaken the
    edit and is reduced. Edits of colour keep all of it: for those alone this is the rule of Li et
    al. 2025 (arXiv 2502.16799). Half of a picture's contrast is such detail: where it is reduced,
    the picture would look washed out, so channels that lost spread are rescaled. The detail that is
    kept still weakens the edit; each edit's measured gain compensates for that.

    In a clip, detail also holds what S^ does not follow: speech, blinks, the gaze. Reducing it
    would hold the face still. So all this applies to the detail that lasts, and the rest is added
    to the edited features, in the place to which they moved.

    Args:
        table, amounts: the edits.
        g_f: G_F, (B, 23, 512) -> (B, C, px, px).
        std: spread of each channel over faces, (C,).
        w_plus: S^ with the fine styles of what is drawn, (B, 23, 512).
        feature_s: G_F(w_plus).
        feature_hat: F^, the decoded feature map, (B, C, px, px).
        keep_details: 1 keeps all detail that does not contradict the edit, 0 none where the edit
            changes something.
        lasting: the detail that lasts over a clip, as ``feature_hat``; None: all of it.

    Returns:
        The edited feature map, exactly ``feature_hat`` when every amount is zero.
    """
    amounts = {name: amount for name, amount in amounts.items() if amount}
    if not amounts:
        return feature_hat
    spread = std[:, None, None]
    weight = detail_weight(feature_hat is not feature_s, keep_details)
    edited = g_f(edit_styles(w_plus, table.offset(amounts, weight)))
    if feature_hat is feature_s:
        return edited
    if lasting is not None:
        steady = feature_s + lasting
        result = edit_feature(table, amounts, g_f, std, w_plus, feature_s, steady, keep_details)
        flow = motion(feature_s / spread, edited / spread)
        passing = warp(feature_hat - steady, flow)
        left = torch.exp(-((local_rms(passing / spread) / PASSING_FALLOFF) ** 2))
        return torch.lerp(warp(feature_hat, flow), result + passing, left)
    detail, before = feature_hat - feature_s, feature_s
    applied: dict[str, float] = {}
    for kind, falloff in DETAIL_FALLOFF.items():
        more = table.of_kind(amounts, kind)
        if more:
            applied |= more
            offset = table.offset(applied, weight)
            after = edited if applied == amounts else g_f(edit_styles(w_plus, offset))
            detail = carry_detail(detail, before / spread, after / spread, falloff)
            before = after
    suppression = _suppression(keep_details)
    if suppression:
        change = local_rms((edited - feature_s) / spread)
        detail = detail * torch.exp(-suppression * (change / CHANGE_FALLOFF) ** 2)
    result = edited + detail
    return restore_contrast(feature_hat, result, weight) if applied else result


def restore_contrast(before: Tensor, after: Tensor, weight: float = 1.0) -> Tensor:
    """Rescale channels whose spread over the map is smaller than before.

    Args:
        before, after: (B, C, px, px).
        weight: how much of it, 0 to 1.

    Returns:
        (B, C, px, px), exactly ``after`` where no channel lost spread.
    """
    mean = after.mean((2, 3), keepdim=True)  # (B, C, 1, 1)
    lost = before.std((2, 3), keepdim=True) / after.std((2, 3), keepdim=True).clamp_min(1e-6)
    return after + (after - mean) * (lost.clamp(1, MAX_CONTRAST_GAIN) ** weight - 1)


def carry_detail(detail: Tensor, before: Tensor, after: Tensor, falloff: float | Tensor) -> Tensor:
    """Warp detail along with a face, and reduce it where something new appears.

    Args:
        detail: (B, C, px, px).
        before, after: the face's features, each channel in standard deviations.
        falloff: see ``DETAIL_FALLOFF``.

    Returns:
        (B, C, px, px), exactly ``detail`` where before and after are the same everywhere.
    """
    flow = motion(before, after)
    unexplained = local_rms(after - warp(before, flow))
    # a small change that is the same everywhere does not contradict the detail
    ordered = unexplained.flatten(1).sort(1).values  # its median: an operator that ONNX has
    everywhere = ordered[:, (ordered.shape[1] - 1) // 2][:, None, None, None]
    unexplained = (unexplained - everywhere).clamp_min(0)
    return warp(detail, flow) * torch.exp(-((unexplained / falloff) ** 2))


def local_rms(change: Tensor) -> Tensor:
    """Root mean square over channels, averaged over 3 x 3 pixels: (B, C, ...) -> (B, 1, ...)."""
    size = F.pad(change.square().mean(1, keepdim=True).sqrt(), (1, 1, 1, 1), mode="replicate")
    return F.avg_pool2d(size, 3, stride=1)
