"""A group photograph of people who do not exist: generated faces before a drawn background."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from hsc.domains.ffhq_face.align import Square
from hsc.photograph import mask
from hsc.photograph.paste import draw


def background(size: tuple[int, int], seed: int = 0) -> Image.Image:
    """A wall in evening light with some blurred furniture."""
    random = np.random.default_rng(seed)
    width, height = size
    ramp = np.linspace(0, 1, width)[None, :, None] * np.array([30, 10, -20])
    wall = np.clip(np.full((height, width, 3), (150, 140, 130)) + ramp, 0, 255)
    picture = Image.fromarray(wall.astype(np.uint8))
    pen = ImageDraw.Draw(picture)
    for _ in range(24):
        x, y = random.integers(0, width), random.integers(0, height)
        w, h = random.integers(width // 30, width // 6, 2)
        pen.rectangle((x, y, x + w, y + h), fill=tuple(random.integers(60, 200, 3).tolist()))
    return picture.filter(ImageFilter.GaussianBlur(width / 150))


def group(
    faces: Sequence[Image.Image], count: int, columns: int, side: int, seed: int = 0
) -> tuple[Image.Image, list[Square]]:
    """People in rows: each of the faces in turn, a little turned, at a place and size of its own.

    Args:
        faces: aligned, square.
        count: people in the picture.
        side: of a face's square, in pixels.

    Returns:
        The picture, and the square of every face.
    """
    random = np.random.default_rng(seed)
    rows = -(-count // columns)
    size = round((columns + 0.3) * side), round((rows + 0.3) * side)
    canvas = background(size, seed)
    masks = [mask.head(mask.person(face)) for face in faces]
    squares = []
    for number in range(count):
        row, column = divmod(number, columns)
        x, y = (np.array([column, row]) + 0.65) * side + random.uniform(-0.04, 0.04, 2) * side
        own = side * random.uniform(0.82, 1.0)
        square = Square(float(x), float(y), float(own), float(random.uniform(-0.12, 0.12)))
        face = np.asarray(faces[number % len(faces)], np.float32)
        draw(canvas, face, masks[number % len(faces)], square)
        squares.append(square)
    return canvas, squares
