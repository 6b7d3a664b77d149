"""Faces made of several files: morphs, style mixes and averages, feature maps included."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from hsc.decoder import Opened
from hsc.editing import between
from hsc.editing.apply import carry_detail
from hsc.networks import Networks

GIVES_WAY = 1.0
"""Change that motion does not explain, in standard deviations, at which 1/e of detail is kept."""


class Blender:
    """Opened files -> a face to draw, preview or edit like any opened file.

    ::

        S_a, S_b --> between them --> S --> G_F(S) ------------------------------ + -> F
                                            |                                     |
        F_a - G_F(S_a) -- carried along by the motion from G_F(S_a) --- x lead ---+

    Detail of two people is never added up, for it would look exposed twice: the face that has most
    say lends its own, by its lead over the next. Half-way, and in an average, nobody leads, and
    the face is the semantics' own.
    """

    def __init__(self, networks: Networks) -> None:
        self.networks = networks

    @torch.no_grad()
    def morph(self, a: Opened, b: Opened, t: float) -> Opened:
        """A part of the way from one face to another: exactly ``a`` at 0 and ``b`` at 1.

        Raises:
            HscError: ``t`` is outside of 0 to 1.
        """
        w_plus = between.interpolate(a.w_plus, b.w_plus, t)
        if t in (0, 1):
            return b if t else a
        return self._face(w_plus, {0: 1 - t, 1: t}, [a, b])

    @torch.no_grad()
    def mix(self, a: Opened, b: Opened, layers: str | Iterable[str], t: float = 1.0) -> Opened:
        """The face ``a`` with some layers of ``b``: ``coarse``, ``middle``, ``fine``.

        Detail of the feature map is features and hair: it comes with the middle layer.

        Args:
            t: how far on the way from ``a`` to that.

        Raises:
            HscError: an unknown layer, or ``t`` is outside of 0 to 1.
        """
        layers = {layers} if isinstance(layers, str) else set(layers)
        w_plus = between.interpolate(a.w_plus, between.mix(a.w_plus, b.w_plus, layers), t)
        if not t:
            return a
        return self._face(w_plus, {0: 1 - t, 1: t} if "middle" in layers else {0: 1.0}, [a, b])

    @torch.no_grad()
    def average(self, faces: Sequence[Opened]) -> Opened:
        """The mean of any number of faces. Raises HscError for none."""
        w_plus = between.average([face.w_plus for face in faces])
        return self._face(w_plus, dict.fromkeys(range(len(faces)), 1 / len(faces)), faces)

    def _face(self, w_plus: Tensor, weights: dict[int, float], faces: Sequence[Opened]) -> Opened:
        """Draw the features of (1, 23, 512), and add what detail the leading face lends."""
        n = self.networks
        feature_s = n.synthesis.feature(w_plus)
        first, *others = sorted(weights, key=weights.__getitem__, reverse=True)
        lead = weights[first] - max((weights[other] for other in others), default=0.0)
        face = faces[first]
        feature = feature_s
        if lead and face.feature is not face.feature_s:
            spread = n.fcn.feature_std[:, None, None]
            before, after = face.feature_s / spread, feature_s / spread
            own = carry_detail(face.feature - face.feature_s, before, after, GIVES_WAY)
            feature = feature_s + lead * own
        return Opened(w_plus, feature_s, feature, faces[0].layers)
