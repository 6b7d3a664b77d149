"""Appearance of a face: skin, beard, make-up, glasses, hair, gaze and colour mood.

No network was available for these, so each is measured from pixels: a beard is darker and rougher
than skin around the mouth, make-up is the contrast of lips and lids to skin, hair is the part of
the person that is not skin and above the jaw. Shadows, hands and hats cause errors; over thousands
of samples they average out, which suffices for a regression.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

PX = 256
"""Side of the picture that everything is measured on."""

MOUTH, LIPS_INSIDE = [*range(48, 60)], [*range(60, 68)]
JAW, CHIN = [*range(17)], [*range(4, 13)]
LEFT_EYE, RIGHT_EYE = [*range(36, 42)], [*range(42, 48)]
WARM = np.array([0.5, 1.0])
"""Of a* and b*: orange is warm, blue is cool, red and yellow and green are between."""


@dataclass(frozen=True)
class FacePixels:
    """A picture prepared for measuring.

    Attributes:
        lab: (256, 256, 3), L* 0..100, a*, b*.
        rough: (256, 256), how much L* differs from its own blur.
        points: (68, 2) landmarks in pixels of it.
        person: (256, 256) bool.
        unit: distance of the outer eye corners along the face's own width, in pixels.
    """

    lab: NDArray[Any]
    rough: NDArray[Any]
    points: NDArray[Any]
    person: NDArray[Any]
    unit: float

    @classmethod
    def prepare(
        cls, image: Image.Image, landmarks: NDArray[Any], person: NDArray[Any]
    ) -> "FacePixels":
        """Args: landmarks (68, 2) in pixels of the image; person (256, 256), a probability."""
        small = image.convert("RGB").resize((PX, PX), Image.Resampling.BOX)
        points = landmarks * (PX / image.width)
        smooth = np.asarray(small.filter(ImageFilter.GaussianBlur(2.5)))
        lab = to_lab(np.asarray(small))
        rough = np.abs(lab[..., 0] - to_lab(smooth)[..., 0])
        height = np.linalg.norm(points[8] - points[27])  # chin to the bridge of the nose
        return cls(lab, rough, points, person > 0.5, float(height * 0.8))

    def inside(self, *polygons: NDArray[Any]) -> NDArray[Any]:
        """(256, 256) bool: within any of some (N, 2) polygons."""
        mask = Image.new("1", (PX, PX))
        draw = ImageDraw.Draw(mask)
        for polygon in polygons:
            draw.polygon([tuple(p) for p in polygon], fill=1)
        return np.array(mask)

    def around(self, point: NDArray[Any], radius: float) -> NDArray[Any]:
        """(256, 256) bool: a disc; radius in face units."""
        y, x = np.mgrid[:PX, :PX]
        squared = (x - point[0]) ** 2 + (y - point[1]) ** 2
        return np.asarray(squared <= max(1.5, radius * self.unit) ** 2)


def to_lab(rgb: NDArray[Any]) -> NDArray[Any]:
    """sRGB bytes (..., 3) to CIE L*a*b* under D65."""
    x = rgb / 255.0
    linear = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    xyz = linear @ np.array(
        [[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]]
    ) / np.array([0.9505, 1.0, 1.0890])  # fmt: skip
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack(
        [
            116 * f[..., 1] - 16,
            500 * (f[..., 0] - f[..., 1]),
            200 * (f[..., 1] - f[..., 2]),
        ],
        -1,
    )


def appearance(
    image: Image.Image, landmarks: NDArray[Any], person: NDArray[Any]
) -> dict[str, float]:
    """Every read-out of this module.

    Args:
        image: square RGB.
        landmarks: (68, 2) in its pixels.
        person: (256, 256), the probability of a person at every pixel.

    Returns:
        ``skin_light``, ``skin_red``, ``skin_yellow`` (CIE L*, a*, b* of cheeks and nose);
        ``light`` (L* of the cheek at the picture's right less that of the other);
        ``beard`` (L* by which skin is lighter than chin and upper lip, roughness counted in);
        ``lips`` (redness and chroma of the lips beyond the skin's); ``lids`` (L* by which skin is
        lighter than the upper lids); ``makeup`` (both in one); ``glasses`` (log of the edges that
        run across the bridge of the nose); ``lenses`` (L* by which skin is lighter than what is
        under the eyes: dark glasses); ``gaze`` (where the dark of the eyes is, in eye widths
        towards the picture's right); ``hair_light``, ``hair_warm`` (L* and warmth of the hair);
        ``hair_length`` (area of hair below the eyes, in squares of the face unit); ``warmth``
        (a* / 2 + b* of the whole picture); ``contrast`` (spread of L* over the whole picture).
    """
    face = FacePixels.prepare(image, landmarks, person)
    skin, sides = _skin(face)
    lips, lids = _lips(face, skin), _lids(face, skin)
    return {
        "skin_light": skin[0],
        "skin_red": skin[1],
        "skin_yellow": skin[2],
        "light": sides,
        "beard": _beard(face, skin),
        "lips": lips,
        "lids": lids,
        "makeup": lips / 8 + lids / 8,
        "glasses": _glasses(face),
        "lenses": _lenses(face, skin),
        "gaze": _gaze(face),
        **_hair(face, skin),
        "warmth": float(face.lab[..., 1:].mean((0, 1)) @ WARM),
        "contrast": float(face.lab[..., 0].std()),
    }


def _mean(face: FacePixels, mask: NDArray[Any]) -> NDArray[Any]:
    return face.lab[mask].mean(0) if mask.any() else np.zeros(3)


def _skin(face: FacePixels) -> tuple[NDArray[Any], float]:
    """L*a*b* of skin, the median of both cheeks and the nose; and right less left in L*."""
    p = face.points
    left = _mean(face, face.around((p[31] * 1.1 + p[2] * 0.9) / 2, 0.09))
    right = _mean(face, face.around((p[35] * 1.1 + p[14] * 0.9) / 2, 0.09))
    nose = _mean(face, face.around(p[29], 0.06))
    return np.median([left, right, nose], axis=0), float(right[0] - left[0])


def _beard(face: FacePixels, skin: NDArray[Any]) -> float:
    p = face.points
    middle = p[8] * 0.5 + p[57] * 0.5
    jaw = middle + (p[CHIN] - middle) * 0.85
    below = face.inside(np.concatenate([p[[48, 59, 58, 57, 56, 55, 54]], jaw[::-1]]))
    below &= ~face.inside(p[MOUTH] + [0, 0.02 * face.unit])
    nose, lip = p[31:36] + [0, 0.04 * face.unit], p[[54, 53, 52, 51, 50, 49, 48]]
    above = face.inside(np.concatenate([nose, lip - [0, 0.02 * face.unit]]))
    darker = [skin[0] - _mean(face, m)[0] for m in (below, above)]
    rough = [face.rough[m].mean() if m.any() else 0.0 for m in (below, above)]
    return float(np.mean(darker) + 4 * np.mean(rough))


def _lips(face: FacePixels, skin: NDArray[Any]) -> float:
    p = face.points
    lips = _mean(face, face.inside(p[MOUTH]) & ~face.inside(p[LIPS_INSIDE]))
    return float(lips[1] - skin[1] + 0.5 * (np.hypot(*lips[1:]) - np.hypot(*skin[1:])))


def _lids(face: FacePixels, skin: NDArray[Any]) -> float:
    p = face.points
    lids = []
    for corner_a, top_a, top_b, corner_b, brow in (
        (36, 37, 38, 39, [18, 19, 20]), (42, 43, 44, 45, [23, 24, 25])
    ):  # fmt: skip
        low = p[[corner_a, top_a, top_b, corner_b]]
        rise = (p[brow].mean(0) - p[[top_a, top_b]].mean(0)) * 0.4
        lids.append(face.inside(np.concatenate([low, low[::-1] + rise])))
    return float(skin[0] - _mean(face, lids[0] | lids[1])[0])


def _glasses(face: FacePixels) -> float:
    """Log of the edges that run along where a frame's bridge would be."""
    p, light = face.points, face.lab[..., 0]
    down = np.abs(np.diff(light, axis=0, append=light[-1:]))
    bridge = face.around(p[[27, 28]].mean(0), 0.12)
    return float(np.log(down[bridge].mean() + 0.3))


def _lenses(face: FacePixels, skin: NDArray[Any]) -> float:
    p = face.points
    eyes = []
    for eye in (LEFT_EYE, RIGHT_EYE):
        under = (p[eye[4]] + p[eye[5]]) / 2 + [0, 0.09 * face.unit]
        eyes.append(face.around(under, 0.06))
    return float(skin[0] - _mean(face, eyes[0] | eyes[1])[0])


def _gaze(face: FacePixels) -> float:
    p, light = face.points, face.lab[..., 0]
    places = []
    for eye in (LEFT_EYE, RIGHT_EYE):
        inside = face.inside(p[eye])
        y, x = np.nonzero(inside)
        if len(x) < 6:
            continue
        dark = np.maximum(0, np.median(light[y, x]) + 5 - light[y, x]) + 1e-3
        corners = p[eye[0]], p[eye[3]]
        along = (corners[1] - corners[0]) / np.square(corners[1] - corners[0]).sum()
        at = (np.stack([x, y], 1) - corners[0]) @ along
        places.append((at * dark).sum() / dark.sum() - 0.5)
    return float(np.mean(places)) if places else 0.0


def _hair(face: FacePixels, skin: NDArray[Any]) -> dict[str, float]:
    p, unit = face.points, face.unit
    y, x = np.mgrid[:PX, :PX]
    up = (p[27] - p[8]) / np.linalg.norm(p[27] - p[8])
    forehead = p[[26, 24, 19, 17]] + up * unit * 0.25
    oval = face.inside(np.concatenate([p[JAW], forehead]))
    unlike = np.sqrt((((face.lab - skin) / [1.2, 0.8, 0.8]) ** 2).sum(-1))
    outside = face.person & ~oval
    top = outside & (y < p[36:48, 1].mean()) & (unlike > 14)
    if top.sum() < 60:
        return {"hair_light": np.nan, "hair_warm": np.nan, "hair_length": 0.0}
    hair = np.median(face.lab[top], axis=0)
    spread = np.clip(face.lab[top].std(0), [6, 3, 4], [14, 6, 8])
    near = np.sqrt((((face.lab - hair) / spread) ** 2).sum(-1)) < 2.5
    below = outside & near & (unlike > 10) & (y > p[36:48, 1].mean() + 0.1 * unit)
    below &= np.abs(x - p[27, 0]) < 1.6 * unit
    return {
        "hair_light": float(hair[0]),
        "hair_warm": float(hair[1:] @ WARM),
        "hair_length": float(below.sum() / unit**2),
    }
