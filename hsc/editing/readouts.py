"""What a face looks like, in numbers: pose, mouth, eyes, brows, skin, light, age, expression.

Used to find edits, to calibrate them and to measure their side effects.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from hsc.editing.attributes import AgeGender, Expression, frame
from hsc.faces import detect

ALIGNED_BOX = (0.2, 0.27, 0.8, 0.87)
"""Where the detector finds the face of an aligned crop, in parts of its side."""

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

LUMA = np.array([0.299, 0.587, 0.114])


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


def pose(landmarks: np.ndarray) -> Pose:
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


def geometry(landmarks: np.ndarray) -> dict[str, float]:
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


def colours(image: Image.Image, landmarks: np.ndarray) -> dict[str, float]:
    """Read-outs of the pixels around (68, 2) landmarks.

    Returns:
        ``skin_red``, ``skin_green``, ``skin_blue`` (mean of both cheeks, 0..255); ``light`` (log
        of the cheek at the picture's right over the left one); ``glasses`` (log of the strength of
        horizontal edges across the bridge of the nose, where a frame's bridge would be: skin
        alone gives .6, most glasses more than 1.5).
    """
    pixels = np.asarray(image.convert("RGB"), dtype=np.float64)  # (H, W, 3)
    span = np.linalg.norm(landmarks[45] - landmarks[36])  # of the outer eye corners
    left = _patch(pixels, (landmarks[31] * 1.1 + landmarks[2] * 0.9) / 2, 0.09 * span)
    right = _patch(pixels, (landmarks[35] * 1.1 + landmarks[14] * 0.9) / 2, 0.09 * span)
    left, right = left.mean((0, 1)), right.mean((0, 1))
    skin = (left + right) / 2
    bridge = _patch(pixels, landmarks[[27, 28]].mean(0), 0.12 * span) @ LUMA
    edges = np.abs(np.diff(bridge, axis=0)).mean() / max(1.0, bridge.mean())
    return {
        "skin_red": float(skin[0]),
        "skin_green": float(skin[1]),
        "skin_blue": float(skin[2]),
        "light": float(np.log((right @ LUMA + 1) / (left @ LUMA + 1))),
        "glasses": float(np.log(100 * edges + 0.1)),
    }


def _patch(pixels: np.ndarray, middle: np.ndarray, half: float) -> np.ndarray:
    """A square of at least 3 x 3 pixels around a point, moved inside the picture."""
    half = max(1, round(half))
    x, y = (
        int(np.clip(round(float(at)), half, side - half - 1))
        for at, side in zip(middle, pixels.shape[1::-1])
    )
    return pixels[y - half : y + half + 1, x - half : x + half + 1]


@dataclass(frozen=True)
class Reader:
    """Every read-out of aligned faces."""

    age_gender: AgeGender
    expression: Expression

    @torch.no_grad()
    def read(self, images: Iterable[Image.Image]) -> dict[str, np.ndarray]:
        """Read aligned pictures.

        Returns:
            Name to (N,): those of :func:`geometry` and :func:`colours`, and ``age`` (years),
            ``gender`` (log-odds of a man), ``smile`` (log-odds of happy against neutral).
        """
        rows = [self._row(image) for image in images]
        return {name: np.array([row[name] for row in rows]) for name in rows[0]}

    def _row(self, image: Image.Image) -> dict[str, float]:
        points = aligned_landmarks(image)
        face = frame(image, points)[None]
        age, gender = self.age_gender(face)
        neutral, happy = self.expression(face)[0, :2]
        return geometry(points) | colours(image, points) | {
            "age": age.item(), "gender": gender.item(), "smile": (happy - neutral).item(),
        }  # fmt: skip


def aligned_landmarks(image: Image.Image) -> np.ndarray:
    """Landmarks (68, 2) of an aligned crop: the detector is skipped, the face's place is known."""
    box = tuple(np.array(ALIGNED_BOX) * image.width)
    return detect.landmarks_in(image, box)
