"""Every figure of one decoded picture: perceptual metrics and machine read-outs."""

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from hsc.images.tensors import to_tensor
from hsc.metrics.dino import Dino
from hsc.metrics.evaluator import METRICS, Evaluator, Metric, Scored
from hsc.metrics.identity_dlib import dlib_identity
from hsc.metrics.picture import ms_ssim
from hsc.vision.agreement import Observation, Observer, compare

PERCEPTUAL = (
    *METRICS,
    Metric("ms_ssim", "MS-SSIM", 3),
    Metric("dino_similarity", "DINOv2 similarity", 3),
)
PICTURE_FIGURES = ("psnr_256", "lpips_256", "lpips_1024", "dists_256")
LESS_IS_BETTER = {"lpips_256", "lpips_1024", "dists_256", "identity_l2", "landmark_error"}


@dataclass(frozen=True)
class Reference:
    """An original and its features, computed once."""

    image: Tensor  # (1, 3, 1024, 1024)
    original: Scored
    observation: Observation
    dino: Tensor  # (384,)


@dataclass(frozen=True)
class Measured:
    """Figures of a picture, and the features that are compared across pictures.

    Attributes:
        features: ``identity`` (128,), all nan when no face was found, and ``dino`` (384,).
    """

    figures: dict[str, Any]
    features: dict[str, np.ndarray]


class Measures:
    """All networks that measure.

    Raises:
        WeightsError: those of one are missing.
    """

    def __init__(
        self, device: torch.device, dists: Path | None = None, dino: Path | None = None
    ) -> None:
        self.device = device
        self.evaluator = Evaluator(device, dists)
        self.dino = Dino.pretrained(dino).to(device)
        self.observer = Observer.pretrained()

    @torch.no_grad()
    def reference(self, image: Image.Image) -> Reference:
        """Prepare an original."""
        tensor = to_tensor(image, self.device)
        observation = self.observer.observe(image)
        return Reference(tensor, self.evaluator.original(image), observation, self._dino(tensor))

    @torch.no_grad()
    def measure(self, reference: Reference, image: Image.Image) -> Measured:
        """Every figure of a picture of 1024 x 1024 against its original."""
        tensor = to_tensor(image, self.device)
        dino = self._dino(tensor)
        started = time.perf_counter()
        observation = self.observer.observe(image)
        observing = time.perf_counter() - started
        figures = self.evaluator.compare(reference.original, image, PICTURE_FIGURES)
        figures["ms_ssim"] = ms_ssim(reference.image, tensor)
        figures["dino_similarity"] = torch.cosine_similarity(reference.dino, dino, 0).item()
        figures |= self.vision(reference, observation) | {"look_seconds": observing}
        if observation.face is None and reference.original.face is not None:
            # judged in the original's frame, as in the reports of `validate`
            found = dlib_identity(image, reference.original.face)
            figures["identity_l2"] = float(np.linalg.norm(found - reference.original.identity))
        return Measured(figures, features(observation) | {"dino": dino.cpu().numpy()})

    def vision(self, reference: Reference, observation: Observation) -> dict[str, Any]:
        """Agreement of read-outs with the original; nan where a face is missing."""
        agreement = compare(reference.observation, observation)
        turned = math.nan
        if observation.face is not None and reference.observation.face is not None:
            turned = abs(observation.face.yaw - reference.observation.face.yaw)
        return {
            "face_found": observation.face is not None,
            "identity_l2": _or_nan(agreement.identity_l2),
            "landmark_error": _or_nan(agreement.landmark_error),
            "mask_overlap": agreement.mask_overlap,
            "age_error": abs(_or_nan(agreement.age_change)),
            "same_expression": _or_nan(agreement.same_expression),
            "yaw_error": turned,
        }

    def _dino(self, tensor: Tensor) -> Tensor:
        return self.dino(tensor)[0]


def features(observation: Observation) -> dict[str, np.ndarray]:
    """Features that are compared across pictures: the descriptor of the face, (128,)."""
    face = observation.face
    return {"identity": np.full(128, np.nan) if face is None else np.asarray(face.descriptor)}


def _or_nan(value: float | bool | None) -> float:
    return math.nan if value is None else float(value)
