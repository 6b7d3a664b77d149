"""How far a picture is from the photograph: what gradient steps of an encoder make smaller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from hsc.config import CodecConfig
from hsc.generators.base import SynthesisNetwork
from hsc.generators.exits import ExitHead, render_exit
from hsc.images.bandwidth import all_band_limited, bandwidth_px
from hsc.latent_codecs.feature_slices.places import place_weights
from hsc.metrics.identity import FaceIdentity, crop_for_identity
from hsc.metrics.lpips import Lpips
from hsc.numerics.precision import gradient_autocast

LPIPS_WEIGHTS = ((1.0, 0.5, 1.0), (1.0, 1.0), (2.0,))
"""Of LPIPS at the size at which pictures are compared, a half and a quarter of it: the full size,
a half, a quarter."""
COLOUR, PIXELS = 4.0, 0.3
"""Weights of the squared error at a quarter of the size and of the mean absolute error."""
PERSON = 0.25
"""Weight of the distance of descriptors, in pictures of S alone."""
LOOKED_AT = ((3, 14, 3, 13, 1.5), (5, 9, 4, 12, 3.0), (9, 13, 5, 11, 3.0))
"""The face, eyes and mouth, and what a nearer picture is worth there, beside 1 elsewhere."""
FULL, HALF, QUARTER = range(3)
"""At which size pictures are compared."""


@dataclass(frozen=True)
class Person:
    """Whom photographs show.

    Attributes:
        identity: dlib's recogniser, frozen; descriptor: its of the photographs, (B, 128).
    """

    identity: FaceIdentity
    descriptor: Tensor

    @classmethod
    @torch.no_grad()
    def of(cls, pictures: Tensor, identity: FaceIdentity) -> Person:
        """Of photographs (B, 3, H, H)."""
        with gradient_autocast(pictures.device):
            return cls(identity, identity(crop_for_identity(pictures)).float())

    def distance(self, rendered: Tensor) -> Tensor:
        """Of the descriptors of pictures (B, 3, H, H) from the photographs': (B,)."""
        found = self.identity(crop_for_identity(rendered)).float()
        return (found - self.descriptor).norm(dim=1)


@dataclass(frozen=True)
class KnownPictures:
    """Photographs, or windows of them, and what LPIPS sees in them.

    Attributes:
        pyramid: the pictures in [-1, 1], (B, 3, H, H), at a half and at a quarter of the size.
        px: the side that each photograph has itself, see :mod:`hsc.images.bandwidth`.
        features: of LPIPS, at each size.
        person: whom they show, for pictures of S alone; None: nobody looks.
        places: how much each part counts in LPIPS where it is ``looked_at``, (1, 1, 16, 16), one
            in the mean; None: all parts alike, as in windows.
    """

    pyramid: tuple[Tensor, ...]
    px: Sequence[int]
    lpips: Lpips
    features: list[list[Tensor]]
    person: Person | None = None
    places: Tensor | None = None

    @classmethod
    def photograph(cls, picture: Tensor, lpips: Lpips, config: CodecConfig) -> KnownPictures:
        """One, (1, 3, 1024, 1024) in [-1, 1], at the size that it has itself."""
        weights = torch.from_numpy(place_weights(config, LOOKED_AT)).to(picture)
        known = cls.of(picture, [bandwidth_px(picture)], lpips)
        return replace(known, places=(weights / weights.mean())[None, None])

    @classmethod
    @torch.no_grad()
    def of(cls, pictures: Tensor, px: Sequence[int], lpips: Lpips) -> KnownPictures:
        """Computed once for all levels and steps, because it takes as long as rendering."""
        half = F.avg_pool2d(pictures, 2)
        pyramid = pictures, half, F.avg_pool2d(half, 2)
        with gradient_autocast(pictures.device):
            features = [lpips.features(x) for x in pyramid]
        return cls(pyramid, px, lpips, features)

    def distance(self, rendered: Tensor, looked_at: bool = False) -> Tensor:
        """How far pictures are from the photographs, (B,).

        Args:
            rendered: (B, 3, H, H), or a half or a quarter as large.
            looked_at: LPIPS counts more where people look.
        """
        places = self.places if looked_at else None
        size = [known.shape[-1] for known in self.pyramid].index(rendered.shape[-1])
        pyramid = [rendered]
        for _ in self.pyramid[size + 1 :]:
            pyramid.append(F.avg_pool2d(pyramid[-1], 2))
        perceptual = sum(
            weight * self.lpips.distance(self.lpips.features(x), known, places)
            for weight, x, known in zip(
                LPIPS_WEIGHTS[size], pyramid, self.features[size:], strict=True
            )
        )
        colour = (pyramid[-1] - self.pyramid[-1]).square().mean((1, 2, 3))
        pixels = (rendered - self.pyramid[size]).abs().mean((1, 2, 3))
        return perceptual + COLOUR * colour + PIXELS * pixels


@dataclass(frozen=True)
class Drawn:
    """A picture that an encoder may still change, and its photograph.

    Attributes:
        feature: F^, (1, 512, 32, 32); None: the picture of S alone, for which the styles draw it.
        w_plus: S^, (1, 23, 512).
        preview: exit that draws a quarter of the size; None: the whole picture is averaged down.
    """

    renderer: SynthesisNetwork
    known: KnownPictures
    feature: Tensor | None
    w_plus: Tensor
    preview: ExitHead | None = None

    def distance(self, w_plus: Tensor | None = None, size: int = FULL) -> Tensor:
        """How far the picture is from the photograph.

        Args:
            w_plus: styles to draw with, (1, 23, 512); None: :attr:`w_plus`.
            size: FULL, HALF or QUARTER. The gradient at a half takes two thirds of the time, and
                through an exit at a quarter a sixth.
        """
        renderer, known = self.renderer, self.known
        styles = (self.w_plus if w_plus is None else w_plus).to(renderer.dtype)
        with gradient_autocast(styles.device):
            x = renderer.feature(styles) if self.feature is None else self.feature
            x = x.to(renderer.dtype).contiguous(memory_format=torch.channels_last)
            if size == QUARTER and self.preview is not None:
                drawn = render_exit(renderer, self.preview, x, styles).float()
            else:
                drawn = renderer.image(x, styles).float()
            drawn = F.avg_pool2d(drawn, drawn.shape[-1] // known.pyramid[size].shape[-1])
            limited = all_band_limited(drawn, known.px, drawn.shape[-1])
            distance = known.distance(limited).sum()
            if self.feature is None and known.person is not None:
                distance = distance + PERSON * known.person.distance(limited).sum()
            return distance
