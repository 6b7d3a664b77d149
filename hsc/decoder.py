"""The decoder: what a ``.hsc`` file holds to a picture, nothing else being known."""

from collections.abc import Mapping

import torch
from torch import Tensor

from hsc.bitstream import Container
from hsc.editing.apply import TOUCHED, carry_feature, edit_styles, giving_way, movement
from hsc.networks import Networks

LAYERS = ("scn", "fcn", "scn+fcn")


class Decoder:
    """Bytes of the two layers -> S^, F^ -> picture.

    ::

        scn bytes -> SCN -> S^ --------------------+-- (+ edit) --> styles --+
                            |                      |                         G -> x^
        fcn bytes -> FCN <--+-> F^ -- (carried along with d) ----> feature --+
    """

    def __init__(self, networks: Networks) -> None:
        self.networks = networks

    @torch.no_grad()
    def draw(
        self,
        container: Container,
        layers: str,
        edits: Mapping[str, float],
        keep_details: float = 1.0,
    ) -> Tensor:
        """Decode and draw.

        Args:
            container: unpacked file; without an FCN layer it is drawn from its semantics.
            layers: one of ``LAYERS``.
            edits: amounts by name.
            keep_details: from 0 to 1, how much of F^ to keep under an edit; see
                :func:`hsc.editing.giving_way`.

        Returns:
            (1, 3, 1024, 1024), nominally in [-1, 1].
        """
        n = self.networks
        offset = n.edits.offset(edits).to(n.device)  # (23, 512)
        exact = n.scn.decompress(container.scn, container.level, n.tables)
        w_plus = exact.to(n.device, torch.float32)  # (1, 23, 512)
        feature_s = n.synthesis.feature(w_plus)  # (1, 512, 32, 32)
        feature = feature_s
        if layers != "scn" and container.fcn is not None:
            y_hat = n.slice_coder.decompress(container.fcn, exact, container.level)
            feature = n.fcn.restore(y_hat, feature_s, container.level)
        if offset.any():
            edited = edit_styles(w_plus, offset)
            feature_edited = feature_moved = n.synthesis.feature(edited)
            moving = n.edits.moving(edits)
            if moving != edits:
                moving_offset = n.edits.offset(moving).to(n.device)
                feature_moved = n.synthesis.feature(edit_styles(w_plus, moving_offset))
            std = n.fcn.feature_std
            moved = movement(feature_s, feature_moved, std)
            touched = movement(feature_s, feature_edited, std, TOUCHED)
            gives_way = giving_way(moved, touched, keep_details)
            feature = carry_feature(feature, feature_s, feature_edited, gives_way)
            w_plus = edited
        if layers == "fcn":
            w_plus = n.mapping.w_mean.expand_as(w_plus)
        return n.synthesis.image(feature, w_plus)
