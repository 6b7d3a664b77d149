"""The distance of a picture from its original, by every metric that is reported or shown."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from hsc.domains.ffhq_face import Face, find_faces
from hsc.images.tensors import to_tensor
from hsc.metrics.dists import Dists
from hsc.metrics.identity_dlib import dlib_identity
from hsc.metrics.identity_faceres import FaceRes
from hsc.metrics.landmarks import point_error
from hsc.metrics.lpips import Lpips
from hsc.metrics.picture import psnr, shrink

SMALL_PX = 256


@dataclass(frozen=True)
class Metric:
    """A reported figure: its key in reports, its label and its number of decimals."""

    key: str
    label: str
    digits: int


METRICS = (
    Metric("psnr_256", "PSNR@256 (dB)", 2),
    Metric("lpips_256", "LPIPS@256", 3),
    Metric("lpips_1024", "LPIPS@1024", 3),
    Metric("dists_256", "DISTS@256", 3),
    Metric("identity_l2", "identity L2", 3),
    Metric("landmark_error", "landmark error", 3),
)
FIGURES = tuple(metric.key for metric in METRICS)
METRIC_NOTE = (
    "Means over pictures. LPIPS: AlexNet, version 0.1. Identity: Euclidean distance of dlib's "
    "ResNet descriptors, under .6 usually the same person; where no face is found in a "
    "reconstruction, the original's frame is used. Landmark error: 68 points, over the distance "
    "of the eyes; only where a face is found in both pictures. 256 px: averaged down. Training "
    "looks at LPIPS and at these descriptors, and the encoder sees the descriptor of its own "
    "picture: DISTS and landmarks are the judges that nobody learnt to please."
)


class Evaluator:
    """Compares pictures of 1024 x 1024 with their originals.

    Args:
        device: where LPIPS, DISTS and the second recogniser run; dlib runs on the CPU.
        dists: the weights of DISTS, those in the user's cache unless given.
        figures: keys of ``COMPARE`` that will be asked for; networks of others are not loaded.

    Raises:
        WeightsError: the weights of a metric are missing.
    """

    def __init__(
        self,
        device: torch.device | str = "cpu",
        dists: Path | None = None,
        figures: Sequence[str] = FIGURES,
    ) -> None:
        self.device, self.figures = torch.device(device), tuple(figures)
        if not {"lpips_256", "lpips_1024"}.isdisjoint(figures):
            self.lpips = Lpips.pretrained().to(device)
        if "dists_256" in figures:
            self.dists = Dists.pretrained(dists).to(device)
        if "identity_faceres" in figures:
            self.faceres = FaceRes.pretrained().to(device)

    def original(self, image: Image.Image) -> "Scored":
        """Prepare an original; its features are computed once for all comparisons."""
        return Scored(image, self)

    @torch.no_grad()
    def compare(
        self, original: "Scored", image: Image.Image, figures: Sequence[str] | None = None
    ) -> dict[str, float]:
        """The distances of a picture from its original.

        Args:
            figures: keys of ``COMPARE``, all that the evaluator was made for unless given.

        Returns:
            Each figure by its key; nan where the faces allow none.
        """
        picture = Scored(image, self)
        return {key: COMPARE[key](original, picture) for key in figures or self.figures}


class Scored:
    """A picture as the metrics see it; each part is computed once, when a figure first needs it."""

    def __init__(self, image: Image.Image, evaluator: Evaluator) -> None:
        self.image, self.evaluator = image, evaluator

    @property
    def large(self) -> Tensor:
        """(1, 3, 1024, 1024) in [-1, 1]; not cached, because it is large and computed quickly."""
        return to_tensor(self.image, self.evaluator.device)

    @cached_property
    def small(self) -> Tensor:
        """(1, 3, 256, 256), averaged down."""
        return shrink(self.large, SMALL_PX)

    @cached_property
    def lpips_large(self) -> list[Tensor]:
        return self.evaluator.lpips.features(self.large)

    @cached_property
    def lpips_small(self) -> list[Tensor]:
        return self.evaluator.lpips.features(self.small)

    @cached_property
    def dists_small(self) -> list[Tensor]:
        return self.evaluator.dists.features(self.small)

    @cached_property
    def face(self) -> Face | None:
        """The largest one; None where none is found."""
        faces = find_faces(self.image)
        return faces[0] if faces else None

    @cached_property
    def identity(self) -> NDArray[Any] | None:
        """dlib's descriptor of the face, (128,)."""
        return dlib_identity(self.image, self.face) if self.face else None

    @cached_property
    def faceres(self) -> NDArray[Any]:
        """The second recogniser's descriptor of the middle of the picture, (1024,)."""
        return self.evaluator.faceres.describe(self.image)


def _lpips(a: Scored, b: Scored, features: Callable[[Scored], list[Tensor]]) -> float:
    return a.evaluator.lpips.distance(features(a), features(b)).item()


def _identity(a: Scored, b: Scored) -> float:
    if a.face is None or a.identity is None:
        return math.nan
    found = dlib_identity(b.image, b.face or a.face)
    return float(np.linalg.norm(found - a.identity))


def _faceres(a: Scored, b: Scored) -> float:
    if a.face is None:  # it describes whatever is in the middle of a picture
        return math.nan
    return float(np.linalg.norm(b.faceres - a.faceres))


def _landmarks(a: Scored, b: Scored) -> float:
    if a.face is None or b.face is None:
        return math.nan
    return point_error(a.face.landmarks, b.face.landmarks)


COMPARE: Mapping[str, Callable[[Scored, Scored], float]] = {
    "psnr_256": lambda a, b: psnr(a.small, b.small).item(),
    "lpips_256": lambda a, b: _lpips(a, b, lambda picture: picture.lpips_small),
    "lpips_1024": lambda a, b: _lpips(a, b, lambda picture: picture.lpips_large),
    "dists_256": lambda a, b: a.evaluator.dists.distance(a.dists_small, b.dists_small).item(),
    "identity_l2": _identity,
    "identity_faceres": _faceres,
    "landmark_error": _landmarks,
}
"""Key of a metric -> its figure, of an original and another picture. ``identity_faceres`` is not in
``METRICS``: the page shows it, and ``hsc validate full-size`` reports it at the photograph's own
size."""
