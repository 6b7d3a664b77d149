"""Numeric read-outs of a face: pose, mouth, eyes, brows, age, expression, appearance.

Used to find edits, to calibrate them and to measure their side effects.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from hsc.domains.ffhq_face import detect
from hsc.vision.appearance import appearance
from hsc.vision.attributes import AgeGender, Expression, frame, load_attributes
from hsc.vision.segmentation import PersonSegmentation
from hsc.weights.model_id import path_or_shipped

ALIGNED_BOX = (0.2, 0.27, 0.8, 0.87)
"""Where the detector finds the face of an aligned crop, in parts of its side."""

GROWN_UP = 20.0
"""Years below which what changes with age is growth: ten years more are another face."""
DARK_LENSES = 22.0
"""L* by which skin is lighter than what is under the eyes, from which on glasses are dark."""

# Landmarks that an expression hardly moves, on an average adult's head: millimetres to the
# picture's right, down, and towards the viewer, from the middle between the outer eye corners.
RIGID_POINTS = {
    27: (0, -2, 20),
    28: (0, 9, 27),
    29: (0, 20, 35),
    30: (0, 31, 43),
    31: (-14, 41, 22),
    32: (-7, 43, 27),
    33: (0, 45, 29),
    34: (7, 43, 27),
    35: (14, 41, 22),
    36: (-45, 0, 0),
    39: (-18, 2, 6),
    42: (18, 2, 6),
    45: (45, 0, 0),
}
_RIGID = np.array(list(RIGID_POINTS))
_SHAPE = np.array(list(RIGID_POINTS.values()), dtype=float)
_SHAPE -= _SHAPE.mean(0)


@dataclass(frozen=True)
class Pose:
    """How a head is turned, in degrees.

    Attributes:
        yaw: positive towards the picture's right.
        pitch: positive when the face looks up.
        roll: positive clockwise.
        scale: pixels per millimetre.
    """

    yaw: float
    pitch: float
    roll: float
    scale: float


def pose(landmarks: NDArray[Any]) -> Pose:
    """Fit an average head to (68, 2) landmarks under scaled orthographic projection."""
    points = landmarks[_RIGID]
    affine = np.linalg.lstsq(_SHAPE, points - points.mean(0), rcond=None)[0].T  # (2, 3)
    u, s, vt = np.linalg.svd(affine, full_matrices=False)
    right, down = u @ vt  # the nearest pair of rotation rows
    towards = np.cross(right, down)
    return Pose(
        yaw=float(np.degrees(np.arctan2(right[2], towards[2]))),
        pitch=float(-np.degrees(np.arcsin(np.clip(down[2], -1, 1)))),
        roll=float(np.degrees(np.arctan2(down[0], down[1]) * -1)),
        scale=float(s.mean()),
    )


def geometry(landmarks: NDArray[Any]) -> dict[str, float]:
    """Read-outs of (68, 2) landmarks alone.

    Returns:
        ``yaw``, ``pitch`` (degrees, see :class:`Pose`); ``mouth_open`` (gap of the inner lips),
        ``mouth_width``, ``mouth_corners`` (how far above the mouth's middle), ``brow`` (height
        above the eyes): millimetres on an average head; ``eyes_open`` (height over width).
    """
    head = pose(landmarks)
    turn = np.radians(head.roll)
    upright = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    p = (landmarks - landmarks.mean(0)) @ upright.T / head.scale
    x, y = p[:, 0], p[:, 1]
    narrowed = np.cos(np.radians(head.yaw))
    lids = y[[41, 40, 47, 46]] - y[[37, 38, 43, 44]]
    eye_width = np.abs(x[[39, 45]] - x[[36, 42]]).mean()
    return {
        "yaw": head.yaw,
        "pitch": head.pitch,
        "mouth_open": float((y[[67, 66, 65]] - y[[61, 62, 63]]).mean()),
        "mouth_width": float((x[54] - x[48]) / narrowed),
        "mouth_corners": float(y[[51, 57]].mean() - y[[48, 54]].mean()),
        "eyes_open": float(lids.mean() / eye_width),
        "brow": float(y[36:48].mean() - y[17:27].mean()),
    }


@dataclass(frozen=True)
class FaceReader:
    """Every read-out of aligned faces."""

    age_gender: AgeGender
    expression: Expression
    person: PersonSegmentation

    @classmethod
    def load(cls) -> "FaceReader":
        """With the shipped weights."""
        return cls(*load_attributes(path_or_shipped("attributes")), PersonSegmentation.pretrained())

    @torch.no_grad()
    def read(self, images: Iterable[Image.Image]) -> dict[str, NDArray[Any]]:
        """Read aligned pictures.

        Returns:
            Name to (N,): those of :func:`geometry` and of
            :func:`hsc.vision.appearance.appearance`, and ``age`` (years), ``gender`` (log-odds of
            a man), ``smile`` (log-odds of happy against neutral).
        """
        rows = [self._row(image) for image in images]
        return {name: np.array([row[name] for row in rows]) for name in rows[0]}

    def _row(self, image: Image.Image) -> dict[str, float]:
        points = aligned_landmarks(image)
        face = frame(image, points)[None]
        age, gender = self.age_gender(face)
        neutral, happy = self.expression(face)[0, :2]
        row = geometry(points) | appearance(image, points, self.person.mask(image))
        return row | {
            "age": age.item(), "gender": gender.item(), "smile": (happy - neutral).item(),
        }  # fmt: skip


def where_valid(readouts: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The same with NaN where a number does not measure what its name says.

    A dark area around a woman's mouth is not a beard, a man's reddish lips are not make-up, dark
    glasses hide the eyes, and a child's growth is not ageing. Such values would distort a
    regression over all faces.
    """
    man, dark = readouts["gender"] > 0, readouts["lenses"] > DARK_LENSES
    unfit = {
        "beard": ~man,
        **dict.fromkeys(("lips", "lids", "makeup"), man | dark),
        **dict.fromkeys(("glasses", "eyes_open", "gaze"), dark),
        "age": readouts["age"] < GROWN_UP,
    }
    return {
        name: np.where(unfit[name], np.nan, values) if name in unfit else values
        for name, values in readouts.items()
    }


def aligned_landmarks(image: Image.Image) -> NDArray[Any]:
    """Landmarks (68, 2) of an aligned crop: the detector is skipped, the face's place is known."""
    box = tuple(np.array(ALIGNED_BOX) * image.width)
    return detect.landmarks_in(image, box)
