"""A group photograph of people who do not exist: generated faces before a drawn background."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from hsc.domains.ffhq_face.align import Square
from hsc.images import marks
from hsc.photograph import mask
from hsc.photograph.paste import draw

ROW = 0.92
"""Distance of rows, as a part of a face's square."""


def background(size: tuple[int, int], seed: int = 0) -> Image.Image:
    """A wall in evening light with blurred furniture."""
    random = np.random.default_rng(seed)
    width, height = size
    ramp = np.linspace(0, 1, width)[None, :, None] * np.array([34, 14, -18])
    wall = np.clip(np.full((height, width, 3), (138, 134, 128)) + ramp, 0, 255)
    picture = Image.fromarray(wall.astype(np.uint8)).copy()
    pen = ImageDraw.Draw(picture)
    for _ in range(14):
        x, y = random.integers(0, width), random.integers(-height // 8, height // 2)
        w, h = random.integers(width // 20, width // 6), random.integers(height // 8, height // 2)
        grey = random.integers(70, 170)
        colour = np.clip(grey + random.integers(-22, 22, 3), 0, 255)
        pen.rectangle((x, y, x + w, y + h), fill=tuple(colour.tolist()))
    return picture.filter(ImageFilter.GaussianBlur(width / 90))


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
    size = round((columns + 0.3) * side), round((rows * ROW + 0.55) * side)
    canvas = background(size, seed)
    people = [_outline(face) for face in faces]
    squares = []
    for number in range(count):
        which = number % len(faces)
        row, column = divmod(number, columns)
        moved = random.uniform(-0.04, 0.04, 2)
        x, y = (column + 0.65 + moved[0]) * side, (row * ROW + 0.55 + moved[1]) * side
        own = side * random.uniform(0.82, 1.0)
        square = Square(float(x), float(y), float(own), float(random.uniform(-0.1, 0.1)))
        canvas = _dressed(canvas, faces[which], square)
        draw(canvas, np.asarray(faces[which], np.float32), people[which], square)
        squares.append(square)
    return marks.put(canvas, marks.Mark(marks.TRAINED, {"seed": seed, "people": count})), squares


def _outline(face: Image.Image) -> mask.Mask:
    """Head and hair alone, without the rim of its own background that a mask for seams keeps."""
    person = mask.person(face)
    inside = Image.fromarray((person * 255).astype(np.uint8)).filter(ImageFilter.MinFilter(3))
    soft = np.asarray(inside.filter(ImageFilter.GaussianBlur(1.5)), np.float32) / 255
    return np.asarray(np.minimum(soft, mask.head(person)), np.float32)


def _dressed(canvas: Image.Image, face: Image.Image, square: Square) -> Image.Image:
    """A plain pullover below a face, in the colour that is at the face's own lower corners."""
    px = face.width
    corners = np.concatenate([
        np.asarray(face.crop((left, round(px * 0.9), left + px // 5, px))).reshape(-1, 3)
        for left in (px // 10, px - px // 10 - px // 5)
    ])  # fmt: skip
    colour = tuple(int(each) for each in np.median(corners, axis=0) * 0.85)
    shape = Image.new("L", canvas.size)
    pen = ImageDraw.Draw(shape)
    x, y, side = square.x, square.y, square.side
    pen.rounded_rectangle(
        (x - 0.52 * side, y + 0.40 * side, x + 0.52 * side, y + 2.2 * side), 0.28 * side, 255
    )
    pen.rectangle((x - 0.13 * side, y + 0.2 * side, x + 0.13 * side, y + 0.5 * side), 255)
    soft = shape.filter(ImageFilter.GaussianBlur(side / 60))
    return Image.composite(Image.new("RGB", canvas.size, colour), canvas, soft)
