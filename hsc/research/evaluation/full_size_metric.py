"""The distance of a picture from a photograph at the photograph's own size, eyes and mouth apart.

A picture of 1024 px is brought down to the photograph's size; no photograph is enlarged. Eyes and
mouth, which people look at first, are compared in windows of their own, and skin as colour.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from hsc.domains.ffhq_face import Face, find_faces
from hsc.images.tensors import to_tensor
from hsc.metrics.dists import Dists
from hsc.metrics.evaluator import SMALL_PX, Metric
from hsc.metrics.identity_dlib import dlib_identity
from hsc.metrics.identity_faceres import FaceRes
from hsc.metrics.landmarks import LEFT_EYE, RIGHT_EYE
from hsc.metrics.lpips import Lpips
from hsc.metrics.picture import psnr
from hsc.vision.appearance import PX as SKIN_PX
from hsc.vision.appearance import FacePixels

EYE_PX, MOUTH_PX = 192, 256
MOUTH = slice(48, 68)
PATCH = 0.09
"""Radius of a patch of skin, in units of :class:`hsc.vision.appearance.FacePixels`."""
COVERED = 20.0
"""CIELAB from which a forehead is unlike the cheeks: hair or a hat, and left out."""

FIGURES = (
    Metric("lpips_1024", "LPIPS@1024", 3),
    Metric("lpips_eyes", "eyes", 3),
    Metric("lpips_mouth", "mouth", 3),
    Metric("lpips_256", "LPIPS@256", 3),
    Metric("dists_256", "DISTS@256", 3),
    Metric("psnr_256", "PSNR@256", 2),
    Metric("psnr_1024", "PSNR@1024", 2),
    Metric("identity_dlib", "dlib L2", 3),
    Metric("identity_faceres", "faceres L2", 3),
    Metric("skin", "skin", 2),
    Metric("skin_p90", "skin p90", 2),
)


@dataclass(frozen=True)
class Reference:
    """A photograph to compare pictures with, and what is computed only once of it."""

    image: Image.Image
    large: Tensor  # (1, 3, px, px)
    small: Tensor  # (1, 3, 256, 256)
    lpips_large: list[Tensor]
    lpips_small: list[Tensor]
    dists_small: list[Tensor]
    face: Face | None
    dlib: np.ndarray | None
    faceres: np.ndarray

    @property
    def windows(self) -> dict[str, list[tuple[int, int, int, int]]]:
        """Boxes of the eyes and of the mouth; none where no face was found."""
        if self.face is None:
            return {"lpips_eyes": [], "lpips_mouth": []}
        points = self.face.landmarks
        px = self.image.width
        return {
            "lpips_eyes": [
                box_around(points[eye].mean(0), EYE_PX, px) for eye in (RIGHT_EYE, LEFT_EYE)
            ],
            "lpips_mouth": [box_around(points[MOUTH].mean(0), MOUTH_PX, px)],
        }


class FullSizeEvaluator:
    """Compares pictures of 1024 px with photographs of 900 px or more.

    Args:
        device: where LPIPS, DISTS and faceres run; dlib runs on the CPU.
        dists, faceres: weight files; without them they are fetched into the user's cache.

    Raises:
        WeightsError: the weights of a metric are missing.
    """

    def __init__(
        self,
        device: torch.device,
        dists: Path | None = None,
        faceres: Path | None = None,
    ) -> None:
        self.device = device
        self.lpips = Lpips.pretrained().to(device)
        self.dists = Dists.pretrained(dists).to(device)
        self.faceres = FaceRes.pretrained(faceres).to(device)

    @torch.no_grad()
    def reference(self, image: Image.Image) -> Reference:
        """Prepare a photograph."""
        large = to_tensor(image, self.device)
        small = shrink(large)
        faces = find_faces(image)
        face = faces[0] if faces else None
        return Reference(
            image,
            large,
            small,
            self.lpips.features(large),
            self.lpips.features(small),
            self.dists.features(small),
            face,
            dlib_identity(image, face) if face else None,
            self.faceres.describe(image),
        )

    @torch.no_grad()
    def compare(self, reference: Reference, picture: Image.Image) -> dict[str, float]:
        """Every figure but percentiles; nan for those of a face where none was found.

        Args:
            picture: RGB, 1024 x 1024.
        """
        own = picture.resize(reference.image.size, Image.Resampling.LANCZOS)
        large = to_tensor(own, self.device)
        small = shrink(large)
        figures = {
            "lpips_1024": self._lpips(reference.lpips_large, large),
            "lpips_256": self._lpips(reference.lpips_small, small),
            "dists_256": self.dists.distance(
                reference.dists_small, self.dists.features(small)
            ).item(),
            "psnr_256": psnr(reference.small, small).item(),
            "psnr_1024": psnr(reference.large, large).item(),
        }
        for key, boxes in reference.windows.items():
            pairs = [(_cut(reference.large, box), _cut(large, box)) for box in boxes]
            distances = [self.lpips(*pair).item() for pair in pairs]
            figures[key] = sum(distances) / len(distances) if distances else math.nan
        return figures | self._identities(reference, own) | skin_difference(reference, own)

    def _lpips(self, features: list[Tensor], picture: Tensor) -> float:
        return self.lpips.distance(features, self.lpips.features(picture)).item()

    def _identities(self, reference: Reference, picture: Image.Image) -> dict[str, float]:
        dlib = math.nan
        if reference.face is not None:
            faces = find_faces(picture)
            found = dlib_identity(picture, faces[0] if faces else reference.face)
            dlib = float(np.linalg.norm(found - reference.dlib))
        faceres = float(np.linalg.norm(self.faceres.describe(picture) - reference.faceres))
        return {"identity_dlib": dlib, "identity_faceres": faceres}


def shrink(images: Tensor) -> Tensor:
    """Average a square picture of any size down: (B, C, px, px) -> (B, C, 256, 256)."""
    return F.interpolate(images, size=SMALL_PX, mode="area")


def box_around(centre: np.ndarray, side: int, px: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a square about a point, moved into the picture."""
    left, top = (int(min(max(round(float(v)) - side // 2, 0), px - side)) for v in centre)
    return left, top, left + side, top + side


def _cut(picture: Tensor, box: tuple[int, int, int, int]) -> Tensor:
    left, top, right, bottom = box
    return picture[..., top:bottom, left:right]


def skin_difference(reference: Reference, picture: Image.Image) -> dict[str, float]:
    """CIELAB difference of cheeks and forehead, its three parts (L*, a*, b* gained), and the
    photograph's own L* there; nan without a face.

    Args:
        picture: of the photograph's size.
    """
    keys = ("skin", "skin_l", "skin_a", "skin_b", "skin_lightness")
    if reference.face is None:
        return dict.fromkeys(keys, math.nan)
    before = skin_patches(reference.image, reference.face.landmarks)
    after = skin_patches(picture, reference.face.landmarks)
    cheeks = before[:2].mean(0)
    count = 3 if np.linalg.norm(before[2] - cheeks) < COVERED else 2
    gained = (after - before)[:count]  # (2 or 3, 3)
    values = (np.linalg.norm(gained, axis=1).mean(), *gained.mean(0), cheeks[0])
    return dict(zip(keys, map(float, values), strict=True))


def skin_patches(image: Image.Image, landmarks: np.ndarray) -> np.ndarray:
    """Mean CIELAB of both cheeks and the forehead, (3, 3); landmarks (68, 2) in its pixels."""
    face = FacePixels.prepare(image, landmarks, np.ones((SKIN_PX, SKIN_PX)))
    p = face.points
    up = (p[27] - p[8]) / np.linalg.norm(p[27] - p[8])
    cheeks = [(p[nose] * 1.1 + p[jaw] * 0.9) / 2 for nose, jaw in ((31, 2), (35, 14))]
    forehead = p[[21, 22]].mean(0) + up * face.unit * 0.25
    patches = [face.around(centre, PATCH) for centre in (*cheeks, forehead)]
    return np.array([face.lab[patch].mean(0) for patch in patches])
