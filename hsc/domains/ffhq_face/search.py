"""Look again where HOG finds nothing sure: the picture turned, then a second detector.

::

    picture -> HOG, upright ------------- sure --------------------> faces, as find_faces
      HOG, turned by 90, 270, 180 ------- sure --------------------> faces of that turn
      MTCNN, upright -------------------- sure, landmarks confirm -> faces
      MTCNN, turned --------------------- the best turn -----------> faces of that turn
      or HOG's weak find

HOG is asked first at every turn, because it never sees a face that is not upright, while MTCNN
takes one turned face in nine for an upright one. A photo with faces that HOG is sure of costs
nothing more than before.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from hsc.domains.ffhq_face.align import square_of
from hsc.domains.ffhq_face.detect import (
    SEARCH_SIDES,
    Box,
    Face,
    Points,
    find_scored_faces,
    landmarks_in,
)

if TYPE_CHECKING:  # they bring PyTorch, which most photos do without
    from hsc.domains.ffhq_face.mtcnn import Detection, Mtcnn

TURNS = (90, 270, 180)
"""Degrees, counterclockwise, by which a picture without faces is turned to look again."""
TRANSPOSE = {
    90: Image.Transpose.ROTATE_90,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_270,
}
LONG_SIDE, LONG_SIDE_EVERY = 1024, 2048
"""Long sides at which MTCNN looks; the second one where every face counts."""
SMALLEST = 20.0
"""Side in pixels of the smallest faces at that size."""
# Scores of MTCNN. 92 upright faces all had .98, their turned copies in one case of nine.
CERTAIN = 0.999
SURE = 0.98
LIKELY = 0.9
# Landmarks are trusted where none of the eyes and mouth corners is further than this from MTCNN's,
# as a part of the crop's side: .045 is the 99th percentile on 91 faces that HOG finds too.
ASTRAY = 0.08
MAX_ROLL = 50.0
"""Degrees that a face may lean in a picture that is upright."""
LEVEL = 12.0
"""Degrees up to which dlib's predictor needs no turning of the picture."""
MOST_LEVELLED = 1400
"""Most pixels of a side of the patch in which a leaning face is brought level."""
# dlib's average box against the crop that the five points give, measured on the same faces
BOX_BELOW, BOX_SIDE = 0.09, 0.577
DARK, LIT = 64, 200
"""A picture whose brightest hundredth is below the one is lit up so that it is at the other."""
SAME = 0.3
"""Overlap (intersection over union) from which two boxes are one face."""

EYES, MOUTH = (slice(36, 42), slice(42, 48)), (48, 54)

# Mean of the 68 points of those faces, level, about their centroid, in units of their root mean
# square distance from it. It stands in where the predictor goes astray.
MEAN_SHAPE = np.array(
    [
        (-1.331, -0.653), (-1.317, -0.306), (-1.282, 0.039), (-1.212, 0.380), (-1.078, 0.696),
        (-0.867, 0.970), (-0.605, 1.200), (-0.317, 1.384), (0.011, 1.438), (0.341, 1.382),
        (0.632, 1.199), (0.897, 0.969), (1.106, 0.692), (1.234, 0.372), (1.295, 0.028),
        (1.323, -0.321), (1.330, -0.671), (-1.078, -0.896), (-0.922, -1.059), (-0.688, -1.116),
        (-0.445, -1.088), (-0.218, -1.000), (0.186, -1.002), (0.415, -1.089), (0.661, -1.116),
        (0.897, -1.059), (1.056, -0.897), (-0.010, -0.738), (-0.010, -0.519), (-0.009, -0.302),
        (-0.008, -0.075), (-0.280, 0.079), (-0.147, 0.126), (-0.002, 0.166), (0.140, 0.123),
        (0.272, 0.076), (-0.802, -0.692), (-0.663, -0.778), (-0.495, -0.777), (-0.344, -0.666),
        (-0.502, -0.639), (-0.670, -0.639), (0.328, -0.668), (0.477, -0.780), (0.645, -0.782),
        (0.789, -0.698), (0.654, -0.645), (0.486, -0.644), (-0.531, 0.498), (-0.335, 0.423),
        (-0.138, 0.383), (0.003, 0.414), (0.144, 0.381), (0.344, 0.416), (0.545, 0.486),
        (0.354, 0.679), (0.162, 0.766), (0.009, 0.785), (-0.142, 0.770), (-0.336, 0.687),
        (-0.453, 0.508), (-0.138, 0.487), (0.004, 0.501), (0.147, 0.484), (0.466, 0.498),
        (0.152, 0.604), (0.006, 0.623), (-0.139, 0.607)
    ]
)  # fmt: skip


def search_faces(image: Image.Image) -> list[Face]:
    """Find the faces of an RGB picture, the largest first; an empty list when none.

    Faces that HOG is sure of are those of ``find_faces``. Otherwise weaker ones and turned ones
    are looked for; their landmarks are in the picture as it was given.
    """
    image = _lit(image if image.mode == "RGB" else image.convert("RGB"))
    faces, sure = find_scored_faces(image)
    if sure:
        return faces
    turned = {turn: image.transpose(TRANSPOSE[turn]) for turn in TURNS}
    for turn, picture in turned.items():
        there, sure = find_scored_faces(picture, SEARCH_SIDES[:1])
        if sure:
            return _turned_back(there, turn, image.size)
    best_turn, found = 0, _second_look(image, LONG_SIDE)
    if confirmed := [face for score, face, trusted in found if score >= SURE and trusted]:
        others = [face for score, face, _ in found if score >= SURE]
        return _largest_first(_merged(confirmed, others))
    if any(overlap(face.box, weak.box) > SAME for face in faces for _, weak, _ in found):
        return faces  # two weak finds of one face
    for turn, picture in turned.items():
        again = _second_look(picture, LONG_SIDE)
        if _rank(again) > _rank(found):
            best_turn, found = turn, again
    likely = [face for score, face, trusted in found if trusted or score >= SURE]
    return _turned_back(likely, best_turn, image.size) or faces


def search_every_face(image: Image.Image) -> list[Face]:
    """As ``search_faces``, but both detectors always look, for all faces of a group picture.

    It takes some seconds more. Small, turned away and covered faces join those that HOG finds.
    """
    image = _lit(image if image.mode == "RGB" else image.convert("RGB"))
    faces = search_faces(image)
    again = [
        face
        for score, face, trusted in _second_look(image, LONG_SIDE_EVERY)
        if score >= CERTAIN or (trusted and score >= SURE)
    ]
    return _largest_first(_merged(faces, again))


def _lit(image: Image.Image) -> Image.Image:
    """A picture taken in the dark with its levels spread: landmarks compare levels of pixels."""
    small = np.asarray(image.resize((64, 64), Image.Resampling.BOX))
    brightest = max(1.0, float(np.percentile(small, 99)))
    if brightest >= DARK:
        return image
    factor = LIT / brightest
    return image.point([min(255, round(level * factor)) for level in range(256)] * 3)


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(0.0, width) * max(0.0, height)
    areas = sum((right - left) * (bottom - top) for left, top, right, bottom in (one, other))
    return shared / (areas - shared)


def _rank(found: Sequence[tuple[float, Face, bool]]) -> tuple[bool, float]:
    """How likely a turn is the right one, from MTCNN's finds in it."""
    return max(((trusted, score) for score, _, trusted in found), default=(False, 0.0))


def _largest_first(faces: Sequence[Face]) -> list[Face]:
    return sorted(faces, key=lambda face: -face.area)


def _merged(faces: Sequence[Face], more: Sequence[Face]) -> list[Face]:
    """Faces, and those of `more` that are none of them."""
    merged = list(faces)
    for face in more:
        if all(overlap(face.box, known.box) <= SAME for known in merged):
            merged.append(face)
    return merged


def _second_look(image: Image.Image, long_side: int) -> list[tuple[float, Face, bool]]:
    """MTCNN's faces: score, face, and whether dlib's landmarks agree with MTCNN's points."""
    scale = min(1.0, long_side / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    small = image if scale == 1 else image.resize(size, Image.Resampling.LANCZOS)
    grow = np.array(image.size) / size
    found = []
    for detection in _mtcnn().find(small, SMALLEST, LIKELY):
        face, trusted = _face_of(image, detection, grow)
        if face is not None:
            found.append((detection.score, face, trusted))
    return found


def _face_of(
    image: Image.Image, detection: Detection, grow: npt.NDArray[Any]
) -> tuple[Face | None, bool]:
    """A detection as a face with 68 landmarks, and whether the predictor's were trusted.

    None where the points lean too far for a face of an upright picture.
    """
    points = detection.points * grow  # (5, 2)
    middle, side, roll = _square_of(points)
    if abs(roll) > MAX_ROLL or side < 1:
        return None, False
    landmarks = _predicted(image, middle, side, roll)
    seen = np.stack([*(landmarks[eye].mean(axis=0) for eye in EYES), *landmarks[list(MOUTH)]])
    off = np.abs(seen - points[[0, 1, 3, 4]]).max() / side
    trusted = bool(off <= ASTRAY)
    if not trusted:
        landmarks = _mean_shape_at(points)
    half = side * BOX_SIDE / 2
    x, y = middle + _down(roll) * side * BOX_BELOW
    return Face((x - half, y - half, x + half, y + half), landmarks), trusted


def _square_of(points: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], float, float]:
    """Middle (2,), side and roll in degrees of the crop that the five points (5, 2) give."""
    left_eye, right_eye, _, *mouth = points @ np.array([1, 1j])
    square = square_of(left_eye, right_eye, sum(mouth) / 2)
    return np.array([square.x, square.y]), square.side, float(np.degrees(square.angle))


def _down(roll: float) -> npt.NDArray[Any]:
    """The direction (2,) of a face's down, for a face that leans by `roll` degrees."""
    angle = np.radians(roll)
    return np.array([-np.sin(angle), np.cos(angle)])


def _predicted(image: Image.Image, middle: npt.NDArray[Any], side: float, roll: float) -> Points:
    """dlib's 68 points of the face in a square, looked for with the face upright."""
    half = side * BOX_SIDE / 2
    if abs(roll) <= LEVEL:
        x, y = middle + _down(roll) * side * BOX_BELOW
        return landmarks_in(image, (x - half, y - half, x + half, y + half))
    # a patch with the face level: (column, row) of the patch -> place in the picture
    scale = max(1.0, 1.6 * side / MOST_LEVELLED)  # pixels of the picture a pixel of the patch
    px = round(1.6 * side / scale)
    down = _down(roll) * scale
    right = np.array([down[1], -down[0]])
    origin = middle - (right + down) * px / 2
    coefficients = (right[0], down[0], origin[0], right[1], down[1], origin[1])
    patch = image.transform(
        (px, px), Image.Transform.AFFINE, coefficients, Image.Resampling.BICUBIC
    )
    x, y, half = px / 2, px / 2 + side / scale * BOX_BELOW, half / scale
    level = landmarks_in(patch, (x - half, y - half, x + half, y + half))
    return origin + level[:, :1] * right + level[:, 1:] * down


def _mean_shape_at(points: npt.NDArray[Any]) -> Points:
    """The mean face's 68 points, moved so that eyes, nose and mouth are at five points (5, 2)."""
    mean = MEAN_SHAPE
    five = np.stack([*(mean[eye].mean(axis=0) for eye in EYES), mean[30], *mean[list(MOUTH)]])
    known = np.column_stack([five, np.ones(5)])  # (5, 3)
    affine, *_ = np.linalg.lstsq(known, points, rcond=None)  # (3, 2)
    return np.asarray(np.column_stack([mean, np.ones(68)]) @ affine)


def _turned_back(faces: Sequence[Face], turn: int, size: tuple[int, int]) -> list[Face]:
    """Faces of a picture that was turned by `turn` degrees, in the picture as it was.

    Args:
        size: width and height of the picture as it was.

    Returns:
        The faces, the largest first.
    """
    width, height = size

    def back(points: npt.NDArray[Any]) -> npt.NDArray[Any]:
        x, y = points[:, 0], points[:, 1]
        if turn == 90:
            return np.column_stack([width - y, x])
        if turn == 270:
            return np.column_stack([y, height - x])
        return np.column_stack([width - x, height - y]) if turn else points

    found = []
    for face in faces:
        corners = back(np.array(face.box).reshape(2, 2))
        box = (*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist())
        found.append(Face(box, back(face.landmarks)))
    return _largest_first(found)


@lru_cache(maxsize=1)
def _mtcnn() -> Mtcnn:
    from hsc.domains.ffhq_face.mtcnn import Mtcnn

    return Mtcnn.pretrained()
