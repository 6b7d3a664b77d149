"""The photograph without its faces: smoothed where they are, and coded within a budget.

What lies under the faces is never seen, so it is filled from around them, ever more smoothly
further in, and costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hsc.domains.ffhq_face.align import Square
from hsc.photograph import still
from hsc.photograph.mask import Mask
from hsc.photograph.placement import to_crop

MAX_PIXELS = 4_000_000
"""Of the background as it is coded: a larger one is enlarged after decoding."""
COVERED = (0.90, 0.99)
"""Parts that faces have of a pixel, between which it is filled."""
BITS_PER_PIXEL = (0.6, 0.25, 0.1)
"""Of budgets, at the sizes that are tried, the smallest first."""
MIN_PX = 16
ALIKE_PX = 640
"""Longer side at which the pictures of several sizes are compared."""

Encode = Callable[[Image.Image, int], bytes]
Decode = Callable[[bytes], Image.Image]


@dataclass(frozen=True)
class Fitted:
    """A picture coded within a budget.

    Attributes:
        data: the largest file that was found, or the smallest there is where none fits.
        picture: the decoded picture at the size at which it was coded.
        quality: the codec's own setting.
    """

    data: bytes
    picture: Image.Image
    quality: int


def working_size(size: tuple[int, int], pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """A size of the same shape of so many pixels at most."""
    scale = min(1.0, (pixels / (size[0] * size[1])) ** 0.5)
    return max(MIN_PX, round(size[0] * scale)), max(MIN_PX, round(size[1] * scale))


def covered(
    size: tuple[int, int], scale: float, placed: Iterable[tuple[Square, Mask]]
) -> NDArray[np.float32]:
    """How much of each pixel is drawn by faces.

    Args:
        size: width and height of the result.
        scale: that, as a part of the photograph's.
        placed: squares in pixels of the photograph, with their masks.

    Returns:
        (height, width), 0 to 1.
    """
    total = np.zeros((size[1], size[0]), np.float32)
    for square, mask in placed:
        left, top, right, bottom = bounds(square, scale, size)
        if left >= right or top >= bottom:
            continue
        a, b, c, d, e, f = to_crop(square, mask.shape[0], scale)
        moved = (a, b, c + a * left + b * top, d, e, f + d * left + e * top)
        part = Image.fromarray(mask).transform(
            (right - left, bottom - top), Image.Transform.AFFINE, moved, Image.Resampling.BILINEAR
        )
        total[top:bottom, left:right] += np.asarray(part)
    return np.clip(total, 0, 1)


def bounds(square: Square, scale: float, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of a square in a picture of another size; empty outside of it."""
    corners = square.corners() * scale
    low, high = np.floor(corners.min(0)).astype(int), np.ceil(corners.max(0)).astype(int)
    left, top = np.clip(low, 0, size)
    right, bottom = np.clip(high, 0, size)
    return int(left), int(top), int(right), int(bottom)


def without_faces(
    image: Image.Image, placed: Sequence[tuple[Square, Mask]], pixels: int = MAX_PIXELS
) -> Image.Image:
    """A photograph, no larger than ``pixels``, whose faces are filled from around them."""
    size = working_size(image.size, pixels)
    small = image if size == image.size else image.resize(size, Image.Resampling.LANCZOS)
    if not placed:
        return small
    part = covered(size, size[0] / image.width, placed)
    low, high = COVERED
    known = np.asarray(1 - np.clip((part - low) / (high - low), 0, 1), np.float32)
    return Image.fromarray(fill(np.asarray(small, np.float32), known))


def fill(pixels: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Replace what is not known by means over what is, taken ever wider.

    Args:
        pixels: (height, width, 3) on the scale of 255.
        known: (height, width), 1 where a pixel stays, 0 where it is replaced.
    """
    weight = known[..., None]
    levels = [(pixels * weight, weight)]
    while min(levels[-1][0].shape[:2]) > 1:
        levels.append(tuple(_halved(each) for each in levels[-1]))  # type: ignore[arg-type]
    total, weights = levels.pop()
    result = total / np.maximum(weights, 1e-6)
    for total, weights in reversed(levels):
        wide = _enlarged(result, total.shape[:2])
        share = np.clip(weights, 0, 1)
        own = total / np.maximum(weights, 1e-6)
        result = wide + (own - wide) * share
    return np.clip(result + 0.5, 0, 255).astype(np.uint8)


def fit_background(picture: Image.Image, budget: int) -> Fitted:
    """A background within a budget of bytes, at the size that suits it best."""
    still.check_available()
    size = picture.size
    return fit(picture, budget, still.encode, lambda data: still.decode(data, size), range(101))


def fit(
    picture: Image.Image,
    budget: int,
    encode: Encode,
    decode: Decode,
    qualities: range,
    bits_per_pixel: Sequence[float] = BITS_PER_PIXEL,
) -> Fitted:
    """Code a picture of any shape within a budget, at the best of several sizes.

    The best has the least mean squared error of those that fit; sizes are tried from small to
    large until one is worse.
    """
    alike = working_size(picture.size, ALIKE_PX**2)
    target = np.asarray(picture.resize(alike, Image.Resampling.BOX), np.float32)
    sizes = list(
        dict.fromkeys(
            working_size(picture.size, max(MIN_PX**2, round(8 * budget / bits)))
            for bits in bits_per_pixel
        )
    )
    best: tuple[float, Fitted] | None = None
    for size in sizes:
        small = picture if size == picture.size else picture.resize(size, Image.Resampling.LANCZOS)
        found = _largest(small, budget, encode, decode, qualities)
        shown = found.picture.resize(alike, Image.Resampling.BICUBIC)
        error = float(np.mean((np.asarray(shown, np.float32) - target) ** 2))
        if best is not None and (error >= best[0] or len(found.data) > budget):
            break
        best = error, found
    assert best is not None  # there is one size at least
    return best[1]


def _largest(
    picture: Image.Image, budget: int, encode: Encode, decode: Decode, qualities: range
) -> Fitted:
    """The largest file within a budget at a picture's own size; else its smallest."""
    file = cache(lambda index: encode(picture, qualities[index]))
    low, high = 0, len(qualities) - 1
    while low < high:  # low is what is taken where nothing fits
        middle = (low + high + 1) // 2
        if len(file(middle)) > budget:
            high = middle - 1
        else:
            low = middle
    data = file(low)
    return Fitted(data, decode(data), qualities[low])


def _halved(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of 2 x 2 pixels; an odd last row or column counts alone."""
    height, width = x.shape[:2]
    x = np.pad(x, ((0, height % 2), (0, width % 2), (0, 0)))  # of weight 0
    return (x[::2, ::2] + x[1::2, ::2] + x[::2, 1::2] + x[1::2, 1::2]) / 4


def _enlarged(x: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    size = (shape[1], shape[0])
    bands = [
        np.asarray(Image.fromarray(x[..., band]).resize(size, Image.Resampling.BILINEAR))
        for band in range(x.shape[2])
    ]
    return np.stack(bands, -1)
