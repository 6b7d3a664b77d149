"""Read-outs of a face by networks, and their agreement between two pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from hsc.domains.ffhq_face import find_faces
from hsc.metrics.identity import SAME_PERSON
from hsc.metrics.identity_faceres import FaceRes
from hsc.metrics.landmarks import point_error
from hsc.vision.attributes import EXPRESSIONS, AgeGender, Expression, frame, load_attributes
from hsc.vision.face_readouts import pose
from hsc.vision.segmentation import PersonSegmentation, overlap
from hsc.weights.model_id import path_or_shipped

if TYPE_CHECKING:
    from hsc.domains.ffhq_face.detect import Box

SAME_PLACE = 0.05
"""Landmark error, in distances of the eyes, that the landmark predictor itself is sure of."""


@dataclass(frozen=True)
class FaceObservation:
    """Read-outs of the largest face of a picture.

    Attributes:
        box, landmarks: in parts of the picture's side; landmarks (68, 2).
        descriptor: dlib's identity, (128,).
        age: in years, estimated.
        expressions: name -> probability, estimated.
        yaw, pitch: how the head is turned, degrees; towards the picture's right, and up.
        faceres: identity by the second recogniser, which nothing was trained on, (1024,); None
            where it was not asked.
    """

    box: Box
    landmarks: NDArray[Any]
    descriptor: NDArray[Any]
    age: float
    expressions: Mapping[str, float]
    yaw: float
    pitch: float
    faceres: NDArray[Any] | None = None

    @property
    def expression(self) -> str:
        """The likeliest one."""
        return max(self.expressions, key=self.expressions.__getitem__)


@dataclass(frozen=True)
class Observation:
    """Read-outs of one square picture; ``face`` is None when none was found."""

    mask: NDArray[Any]  # (256, 256), the probability of a person
    face: FaceObservation | None


@dataclass(frozen=True)
class Agreement:
    """How two pictures' read-outs compare; None where one of them shows no face.

    Attributes:
        identity_l2: distance of dlib's descriptors.
        faceres_l2: distance of the second recogniser's; None also where it was not asked.
        landmark_error: mean distance of the landmarks over that of the eyes.
        mask_overlap: intersection over union of the masks.
        age_change: years.
        same_expression: whether the likeliest expression is the same.
    """

    identity_l2: float | None
    faceres_l2: float | None
    landmark_error: float | None
    mask_overlap: float
    age_change: float | None
    same_expression: bool | None

    @property
    def same_person(self) -> bool | None:
        """Whether dlib's descriptors are as near as those of one person usually are."""
        return None if self.identity_l2 is None else self.identity_l2 < SAME_PERSON


@dataclass(frozen=True)
class Observer:
    """The networks; they run on the CPU."""

    person: PersonSegmentation
    age_gender: AgeGender
    expression: Expression
    faceres: FaceRes

    @classmethod
    def pretrained(cls) -> Observer:
        """With the shipped weights. Raises WeightsError when a file is missing or odd."""
        age_gender, expression = load_attributes(path_or_shipped("attributes"))
        return cls(PersonSegmentation.pretrained(), age_gender, expression, FaceRes.pretrained())

    def observe(self, image: Image.Image) -> Observation:
        """Read a square RGB picture."""
        return Observation(self.person.mask(image), self._face(image))

    @torch.no_grad()
    def _face(self, image: Image.Image) -> FaceObservation | None:
        # loads dlib's network of 22 MB, which nothing else here needs
        from hsc.metrics.identity_dlib import dlib_identity

        faces = find_faces(image)
        if not faces:
            return None
        face = faces[0]
        left, top, right, bottom = face.box
        framed = frame(image, face.landmarks)[None]  # (1, 3, 112, 112)
        age, _ = self.age_gender(framed)
        likely = self.expression(framed)[0].softmax(0)
        turned = pose(face.landmarks)
        return FaceObservation(
            (left / image.width, top / image.width, right / image.width, bottom / image.width),
            face.landmarks / image.width,
            dlib_identity(image, face),
            age.item(),
            dict(zip(EXPRESSIONS, likely.tolist())),
            turned.yaw,
            turned.pitch,
            self.faceres.describe(image),
        )


def compare(original: Observation, other: Observation) -> Agreement:
    """Compare the read-outs of a picture with those of its original."""
    a, b = original.face, other.face
    masks = overlap(original.mask, other.mask)
    if a is None or b is None:
        return Agreement(None, None, None, masks, None, None)
    return Agreement(
        float(np.linalg.norm(a.descriptor - b.descriptor)),
        None
        if a.faceres is None or b.faceres is None
        else float(np.linalg.norm(a.faceres - b.faceres)),
        point_error(a.landmarks, b.landmarks),
        masks,
        b.age - a.age,
        a.expression == b.expression,
    )
