"""Read-outs directly from the semantics, without decoding a picture.

A linear map from S^ to what networks would read from the picture: landmarks, identity, age,
expression and the mask of the person. Fitted on faces that the generator rendered
(``python -m hsc train probe``), whose styles are known exactly.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.config import SHIPPED, GeneratorSpec
from hsc.vision.agreement import FaceObservation, Observation
from hsc.vision.attributes import EXPRESSIONS
from hsc.vision.face_readouts import pose
from hsc.vision.segmentation import MASK_PX
from hsc.weights.loading import ASSETS, load_into

COARSE_PX = 32
MASK_AXES = 24
PARTS = {
    "landmarks": 2 * 68, "descriptor": 128, "age": 1, "expressions": len(EXPRESSIONS),
    "mask": MASK_AXES,
}  # fmt: skip
"""Read-outs in the order of the map's rows, and how many rows each has."""
OUTPUTS = sum(PARTS.values())


def style_groups(spec: GeneratorSpec) -> tuple[slice, slice, slice]:
    """Styles that are averaged before they are looked at: coarse, middle and fine."""
    coarse, middle = spec.styles_through(8), spec.styles_through(spec.feature_px)
    return slice(0, coarse), slice(coarse, middle), slice(middle, spec.styles)


def grouped(w_plus: Tensor, spec: GeneratorSpec = SHIPPED.generator) -> Tensor:
    """(B, 23, 512) -> the mean of each group of styles, (B, 1536)."""
    return torch.cat([w_plus[:, part].mean(1) for part in style_groups(spec)], 1)


class SemanticProbe(nn.Module):
    """S^ -> read-outs of the picture.

    ::

        w+ (23 x 512) -> mean of three groups (1536) -> Linear -> landmarks, descriptor, age,
                                                                  expressions, 24 axes of the mask
    """

    mask_mean: Tensor
    mask_axes: Tensor

    def __init__(self, spec: GeneratorSpec = SHIPPED.generator) -> None:
        super().__init__()
        self.spec = spec
        self.linear = nn.Linear(len(style_groups(spec)) * spec.style_dim, OUTPUTS)
        self.mask_mean: Tensor
        self.mask_axes: Tensor
        self.register_buffer("mask_mean", torch.zeros(COARSE_PX**2))
        self.register_buffer("mask_axes", torch.zeros(MASK_AXES, COARSE_PX**2))

    @classmethod
    def pretrained(cls, path: str | Path = ASSETS / "probe.safetensors") -> "SemanticProbe":
        """The shipped weights, frozen. Raises WeightsError when the file is missing or odd."""
        return load_into(cls(), Path(path))

    @torch.no_grad()
    def forward(self, w_plus: Tensor) -> dict[str, Tensor]:
        """Args: w_plus (B, 23, 512). Returns the rows of each of ``PARTS``, (B, rows)."""
        rows = self.linear(grouped(w_plus, self.spec))  # (B, OUTPUTS)
        return dict(zip(PARTS, rows.split(tuple(PARTS.values()), 1)))

    def observe(self, w_plus: Tensor) -> Observation:
        """Read-outs of the picture of one w+, (1, 23, 512)."""
        parts = {name: rows[0] for name, rows in self(w_plus.float()).items()}
        landmarks = parts["landmarks"].reshape(68, 2).numpy()
        turned = pose(landmarks)
        mask = (self.mask_mean + parts["mask"] @ self.mask_axes).clamp(0, 1)
        mask = F.interpolate(
            mask.reshape(1, 1, COARSE_PX, COARSE_PX), size=MASK_PX, mode="bilinear"
        )
        face = FaceObservation(
            (*landmarks.min(0), *landmarks.max(0)),
            landmarks,
            parts["descriptor"].double().numpy(),
            parts["age"].item(),
            dict(zip(EXPRESSIONS, parts["expressions"].softmax(0).tolist())),
            turned.yaw,
            turned.pitch,
        )
        return Observation(mask[0, 0].numpy().astype(np.float32), face)
