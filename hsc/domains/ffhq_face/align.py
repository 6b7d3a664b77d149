"""The crop that FFHQ's faces have: level eyes, the face at a fixed place and size.

The generator was trained on faces in this position only, so photos are cropped so before encoding.
Construction: T. Karras et al., "A Style-Based Generator Architecture for Generative Adversarial
Networks", 2019, appendix A.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from hsc.domains.ffhq_face.detect import Face

FFHQ_PX = 1024
"""Side of FFHQ's own pictures."""
LEFT_EYE = slice(36, 42)
RIGHT_EYE = slice(42, 48)
MOUTH_CORNERS = (48, 54)

# FFHQ's proportions, as parts of the distances between the eyes and from the eyes to the mouth
SIDE_BY_EYES = 4.0
SIDE_BY_MOUTH = 3.6
CENTRE_BELOW_EYES = 0.1

# As parts of the crop's side: what is kept around it for filters, the narrowest padding, and the
# blur that hides the padding's mirrored content.
MARGIN = 0.1
PADDING = 0.3
BLUR = 0.02


@dataclass(frozen=True)
class Square:
    """A turned square in a picture, in pixels from its upper left corner."""

    x: float  # of the centre
    y: float
    side: float
    angle: float  # radians; where the square's right points, clockwise on the screen

    def corners(self) -> npt.NDArray[Any]:
        """(4, 2): upper left, lower left, lower right, upper right."""
        half = self.side / 2
        right = half * np.array([np.cos(self.angle), np.sin(self.angle)])
        down = half * np.array([-np.sin(self.angle), np.cos(self.angle)])
        centre = np.array([self.x, self.y])
        return centre + np.stack([-right - down, -right + down, right + down, right - down])


def crop_face(image: Image.Image, face: Face, px: int = FFHQ_PX) -> Image.Image:
    """Cut a face out of an RGB picture as FFHQ does: px x px, padded where the picture ends."""
    return cut_square(image, face_square(face), px)


def face_square(face: Face) -> Square:
    """The square that FFHQ's construction puts around a face, from its eyes and mouth."""
    points = face.landmarks @ np.array([1, 1j])  # (68,) complex: turning is multiplying
    left_eye, right_eye = points[LEFT_EYE].mean(), points[RIGHT_EYE].mean()
    return square_of(left_eye, right_eye, points[list(MOUTH_CORNERS)].mean())


def square_of(left_eye: complex, right_eye: complex, mouth: complex) -> Square:
    """The square of ``face_square`` from three places x + iy, left and right as in the picture."""
    eyes = (left_eye + right_eye) / 2
    across, down = right_eye - left_eye, mouth - eyes
    # Two estimates of the face's horizontal, each as long as it is trustworthy
    horizontal = across - 1j * down
    side = float(max(SIDE_BY_EYES * abs(across), SIDE_BY_MOUTH * abs(down)))
    centre = eyes + CENTRE_BELOW_EYES * down
    return Square(float(centre.real), float(centre.imag), side, float(np.angle(horizontal)))


def cut_square(image: Image.Image, square: Square, px: int, sharp: bool = False) -> Image.Image:
    """Resample a turned square of an RGB picture to px x px, padded where the picture ends.

    Args:
        sharp: blur the padding alone. FFHQ's pictures are blurred beside it too, which takes an ear
            or the hair of a face at the picture's border along.
    """
    # Small faces are enlarged straight away; for large ones, twice the size and then halved, so
    # that nothing aliases.
    render = px if square.side <= px else 2 * px
    shrink = min(1.0, render / square.side)
    margin = MARGIN * square.side
    corners = square.corners()
    low = np.floor(corners.min(axis=0) - margin)
    high = np.ceil(corners.max(axis=0) + margin)
    size = np.array(image.size, dtype=float)

    # 1. the part of the picture around the square, shrunk
    x0, y0 = np.minimum(np.maximum(low, 0), size - 1)
    x1, y1 = np.maximum(np.minimum(high, size), (x0 + 1, y0 + 1))
    patch_size = (max(1, round((x1 - x0) * shrink)), max(1, round((y1 - y0) * shrink)))
    patch = image.resize(patch_size, Image.Resampling.LANCZOS, box=(x0, y0, x1, y1))
    scale = np.array(patch_size) / (x1 - x0, y1 - y0)
    corners = (corners - (x0, y0)) * scale

    # 2. padding outside the picture, mirrored and blurred
    side = square.side * shrink
    before = np.maximum(0, np.ceil(-corners.min(axis=0)))
    after = np.maximum(0, np.ceil(corners.max(axis=0) - patch_size))
    if max(before.max(), after.max()) > 0:
        least = round(PADDING * side)
        before = np.maximum(before + MARGIN * side, least).astype(int)
        after = np.maximum(after + MARGIN * side, least).astype(int)
        patch = _padded(patch, tuple(before), tuple(after), BLUR * side, sharp)
        corners = corners + before

    # 3. rotation: (column, row) of the result -> place in the patch
    origin, down, right = corners[0], corners[1] - corners[0], corners[3] - corners[0]
    a, d = right / render
    b, e = down / render
    coefficients = (a, b, origin[0], d, e, origin[1])

    def turned(band: Image.Image) -> npt.NDArray[Any]:
        # as floats, because Pillow's 8-bit transform rounds down and would darken the picture
        large = band.convert("F").transform(
            (render, render), Image.Transform.AFFINE, coefficients, Image.Resampling.BICUBIC
        )
        return np.asarray(large.resize((px, px), Image.Resampling.LANCZOS))

    with ThreadPoolExecutor(3) as pool:  # Pillow lets other threads run meanwhile
        bands = list(pool.map(turned, patch.split()))
    return _rounded(np.stack(bands, axis=-1))


def _padded(
    image: Image.Image,
    before: tuple[int, int],
    after: tuple[int, int],
    blur: float,
    sharp: bool,
) -> Image.Image:
    """Mirror a picture outwards; blur from its edge on, and fade to its median colour.

    Args:
        before: pixels to add at the left and the top.
        after: pixels to add at the right and the bottom.
        blur: radius in pixels.
        sharp: leave the picture itself as it is; else it is blurred over a third of the padding.
    """
    (left, top), (right, bottom) = before, after
    pixels = np.pad(np.asarray(image), ((top, bottom), (left, right), (0, 0)), mode="reflect")
    blurred = Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(blur))
    height, width = pixels.shape[:2]
    x, y = np.arange(width), np.arange(height)
    # 1 at the outer edge, 0 where the picture begins, negative inside
    depth = (
        1
        - np.minimum(
            np.minimum(x / left, x[::-1] / right)[None, :],
            np.minimum(y / top, y[::-1] / bottom)[:, None],
        ).astype(np.float32)[..., None]
    )  # (height, width, 1)
    soft = np.clip(3 * depth + (0 if sharp else 1), 0, 1)
    result = pixels + (np.asarray(blurred, dtype=np.float32) - pixels) * soft
    median = np.median(pixels, axis=(0, 1)).astype(np.float32)
    result += (median - result) * np.clip(depth, 0, 1)
    return _rounded(result)


def _rounded(pixels: npt.NDArray[Any]) -> Image.Image:
    """Float pixels (height, width, 3) on the scale of 255 -> RGB picture."""
    return Image.fromarray(np.clip(pixels + 0.5, 0, 255).astype(np.uint8))
