"""Draw decoded faces into their photograph: colours matched at the seam, then a soft edge.

What is computed of a face has the size of its square (1024 pixels a side); the photograph is
written to in strips, so memory does not grow with the number of faces nor with their size.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from hsc.domains.ffhq_face.align import Square
from hsc.photograph.background import bounds
from hsc.photograph.mask import PX, Mask, feather
from hsc.photograph.placement import from_crop, to_crop
from hsc.photograph.tone import Tone

STRIP = 256
"""Rows of the photograph that are written at once."""
REACH = 14.0
"""Standard deviation, in pixels of the mask, over which colours at the seam are averaged."""
HOLD = 0.04
"""Seam in a neighbourhood below which its correction fades: the middle of a face has none."""
MOST = 48.0
"""Of 255, by which colours are corrected at most."""


def matched(
    face: Image.Image,
    tone: Tone,
    mask: Mask,
    person: Mask,
    background: Image.Image,
    square: Square,
    size: tuple[int, int],
) -> NDArray[np.float32]:
    """A decoded face in the colours that the photograph has at the seam.

    The seam's colours beside the person and those on it (neck, clothes, long hair) are matched one
    by one, so that a brighter wall does not brighten the hair before it.

    Args:
        face: decoded, px x px.
        mask, person: (256, 256), of ``hsc.photograph.mask``.
        background: decoded, at any size.
        size: width and height of the photograph.

    Returns:
        (px, px, 3) on the scale of 255, not clipped.
    """
    pixels = tone.apply(np.asarray(face, np.float32))
    small = _resized(pixels, PX)
    scale = background.width / size[0], background.height / size[1]
    around = warped(background, from_crop(square, PX, scale), (PX, PX))
    inside = _inside(square, size)
    difference = np.clip(around - small, -MOST, MOST)
    seam = feather(mask) * inside
    correction = np.zeros_like(small)
    for part in (person, 1 - person):
        weight = seam * part
        near = _blurred(weight)
        of_part = _blurred(difference * weight[..., None]) / (near + HOLD)[..., None]
        correction += of_part * part[..., None]
    return pixels + _resized(correction, face.width)


def draw(canvas: Image.Image, pixels: NDArray[np.float32], mask: Mask, square: Square) -> None:
    """Draw a face into a photograph, in place.

    Args:
        canvas: RGB, the photograph's own size.
        pixels: (px, px, 3) on the scale of 255.
        mask: (256, 256).
    """
    px = min(pixels.shape[0], max(8, round(square.side)))
    bands = [Image.fromarray(band) for band in np.moveaxis(_resized(pixels, px), -1, 0)]
    alpha = Image.fromarray(mask)
    left, top, right, bottom = bounds(square, 1.0, canvas.size)
    for y in range(top, bottom, STRIP):
        size = right - left, min(STRIP, bottom - y)
        if size[0] <= 0:
            return
        part = _strip(alpha, to_crop(square, mask.shape[0]), (left, y), size)[..., None]
        if not part.any():
            continue
        ours = np.stack(
            [_strip(band, to_crop(square, px), (left, y), size, cubic=True) for band in bands], -1
        )
        box = (left, y, left + size[0], y + size[1])
        before = np.asarray(canvas.crop(box), np.float32)
        after = before + (ours - before) * np.clip(part, 0, 1)
        canvas.paste(Image.fromarray(np.clip(after + 0.5, 0, 255).astype(np.uint8)), box)


def _strip(
    band: Image.Image,
    coefficients: tuple[float, ...],
    corner: tuple[int, int],
    size: tuple[int, int],
    cubic: bool = False,
) -> NDArray[np.float32]:
    """A part of a picture that an affine map draws: (height, width)."""
    a, b, c, d, e, f = coefficients
    x, y = corner
    moved = (a, b, c + a * x + b * y, d, e, f + d * x + e * y)
    how = Image.Resampling.BICUBIC if cubic else Image.Resampling.BILINEAR
    return np.asarray(band.transform(size, Image.Transform.AFFINE, moved, how), np.float32)


def warped(
    picture: Image.Image, coefficients: tuple[float, ...], size: tuple[int, int]
) -> NDArray[np.float32]:
    """A picture through an affine map: (height, width, 3); 0 outside of it."""
    # what is much finer than the result's pixels would alias
    step = float(np.hypot(coefficients[0], coefficients[3]))
    if step > 1.5:
        picture = picture.filter(ImageFilter.BoxBlur((step - 1) / 2))
    bands = [
        np.asarray(
            band.convert("F").transform(
                size, Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR
            )
        )
        for band in picture.split()
    ]
    return np.stack(bands, -1)


def _inside(square: Square, size: tuple[int, int]) -> Mask:
    """Which pixels of a square are in the photograph: (256, 256), 0 or 1."""
    a, b, c, d, e, f = from_crop(square, PX)
    line = np.arange(PX, dtype=np.float32) + 0.5
    x = a * line[None, :] + b * line[:, None] + c
    y = d * line[None, :] + e * line[:, None] + f
    return ((x >= 1) & (x < size[0] - 1) & (y >= 1) & (y < size[1] - 1)).astype(np.float32)


def _blurred(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """A Gaussian of ``REACH`` over (256, 256) or (256, 256, bands); nothing is around it."""
    kernel = _kernel()
    return np.asarray(np.einsum("ij,jk...,lk->il...", kernel, x, kernel, optimize=True))


@cache
def _kernel() -> NDArray[np.float32]:
    """What every pixel of a line takes of every other: (256, 256)."""
    line = np.arange(PX)
    bell = np.exp(-0.5 * ((line[:, None] - line[None, :]) / REACH) ** 2)
    return np.asarray(bell / (REACH * np.sqrt(2 * np.pi)), np.float32)


def _resized(x: NDArray[np.float32], px: int) -> NDArray[np.float32]:
    """(N, N, 3) to (px, px, 3)."""
    if x.shape[0] == px:
        return x
    how = Image.Resampling.BICUBIC if px > x.shape[0] else Image.Resampling.LANCZOS
    bands = [
        np.asarray(Image.fromarray(np.ascontiguousarray(band)).resize((px, px), how))
        for band in np.moveaxis(x, -1, 0)
    ]
    return np.stack(bands, -1)
