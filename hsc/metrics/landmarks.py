"""Facial geometry: the error of the 68 landmarks."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hsc.domains.ffhq_face import find_faces

LEFT_EYE = slice(36, 42)
RIGHT_EYE = slice(42, 48)


def landmarks(image: Image.Image) -> NDArray[Any] | None:
    """The 68 landmarks of the largest face, (68, 2) in fractions of the picture's width and height.

    None when no face is found.
    """
    faces = find_faces(image)
    return faces[0].landmarks / np.array(image.size) if faces else None


def point_error(reference: NDArray[Any], points: NDArray[Any]) -> float:
    """Mean distance of two sets of landmarks over the distance of the reference's eye centres.

    Args:
        reference: (68, 2).
        points: (68, 2) in the same, square coordinates.
    """
    eyes = reference[LEFT_EYE].mean(0) - reference[RIGHT_EYE].mean(0)
    return float(np.linalg.norm(points - reference, axis=1).mean() / np.linalg.norm(eyes))


def landmark_error(reference: Image.Image, image: Image.Image) -> float:
    """Landmark error of ``image``, normalised by the reference's inter-ocular distance.

    The pictures show the same square crop and may differ in size. The landmark predictor itself is
    accurate to about .05.

    Returns:
        The error, 0 for equal pictures; nan when a face is found in only one or in neither.
    """
    before, after = landmarks(reference), landmarks(image)
    if before is None or after is None:
        return float("nan")
    return point_error(before, after)
