"""How far a picture is from its original, by every metric that is reported."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from hsc.domains.ffhq_face import Face, find_faces
from hsc.images.tensors import to_tensor
from hsc.metrics.dists import WEIGHTS as DISTS_WEIGHTS
from hsc.metrics.dists import Dists
from hsc.metrics.identity_dlib import dlib_identity
from hsc.metrics.landmarks import point_error
from hsc.metrics.lpips import Lpips
from hsc.metrics.picture import psnr, shrink

SMALL_PX = 256


@dataclass(frozen=True)
class Metric:
    """A reported figure: its key in reports, its label, how many decimals it is good for."""

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
METRIC_NOTE = (
    "Means over pictures. LPIPS: AlexNet, version 0.1. Identity: Euclidean distance of dlib's "
    "ResNet descriptors, under .6 usually the same person; where no face is found in a "
    "reconstruction, the original's frame is used. Landmark error: 68 points, over the distance "
    "of the eyes; only where a face is found in both pictures. 256 px: averaged down. Training "
    "looks at LPIPS and at these descriptors, and the encoder sees the descriptor of its own "
    "picture: DISTS and landmarks are the judges that nobody learnt to please."
)


@dataclass(frozen=True)
class Original:
    """A picture to compare others with, and what is computed only once of it."""

    small: Tensor  # (1, 3, 256, 256)
    lpips_large: list[Tensor]
    lpips_small: list[Tensor]
    dists_small: list[Tensor]
    face: Face | None
    identity: np.ndarray | None


class Evaluator:
    """Compares pictures of 1024 x 1024 with their originals.

    Args:
        device: where LPIPS and DISTS run; dlib runs on the CPU.
        dists: the weights of DISTS.

    Raises:
        WeightsError: the weights of a metric are missing.
    """

    def __init__(self, device: torch.device, dists: Path = DISTS_WEIGHTS) -> None:
        self.device = device
        self.dists = Dists.pretrained(dists).to(device)
        self.lpips = Lpips.pretrained().to(device)

    @torch.no_grad()
    def original(self, image: Image.Image) -> Original:
        """Prepare an original."""
        large = to_tensor(image, self.device)
        small = shrink(large, SMALL_PX)
        face = _largest_face(image)
        return Original(
            small,
            self.lpips.features(large),
            self.lpips.features(small),
            self.dists.features(small),
            face,
            dlib_identity(image, face) if face else None,
        )

    @torch.no_grad()
    def perceptual(self, original: Original, image: Image.Image) -> dict[str, float]:
        """The figures of ``METRICS`` that look at the whole picture."""
        large = to_tensor(image, self.device)  # (1, 3, 1024, 1024)
        small = shrink(large, SMALL_PX)
        lpips, dists = self.lpips, self.dists
        return {
            "psnr_256": psnr(original.small, small).item(),
            "lpips_256": lpips.distance(original.lpips_small, lpips.features(small)).item(),
            "lpips_1024": lpips.distance(original.lpips_large, lpips.features(large)).item(),
            "dists_256": dists.distance(original.dists_small, dists.features(small)).item(),
        }

    def compare(self, original: Original, image: Image.Image) -> dict[str, float]:
        """Every figure of ``METRICS``; nan where the faces allow none."""
        identity = landmarks = math.nan
        if original.face is not None:
            face = _largest_face(image)
            found = dlib_identity(image, face or original.face)
            identity = float(np.linalg.norm(found - original.identity))
            if face is not None:
                landmarks = point_error(original.face.landmarks, face.landmarks)
        return self.perceptual(original, image) | {
            "identity_l2": identity, "landmark_error": landmarks,
        }  # fmt: skip


def _largest_face(image: Image.Image) -> Face | None:
    faces = find_faces(image)
    return faces[0] if faces else None
