"""Where a face is in its photograph: the square of its alignment, in eight bytes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hsc.domains.ffhq_face import Face
from hsc.domains.ffhq_face.align import Square, face_square
from hsc.errors import BitstreamError, HscError

STEPS = 4
"""Parts of a pixel in which a place and a side are counted."""
TURN = 1 << 16
"""Parts of a full turn in which an angle is counted."""
MIN_SIDE, MAX_SIDE = 16.0, (2**16 - 1) / STEPS
BYTES = 8


@dataclass(frozen=True)
class Placement:
    """A turned square in a photograph, as the file says it.

    Attributes:
        x, y: of its centre, from the photograph's upper left corner, in quarters of a pixel.
        side: in quarters of a pixel.
        angle: where its right points, clockwise on the screen, in parts of ``TURN``.
    """

    x: int
    y: int
    side: int
    angle: int

    @classmethod
    def nearest(cls, square: Square) -> Placement:
        """The placement that is nearest to a square. Raises HscError where none is near."""
        x, y, side = (round(value * STEPS) for value in (square.x, square.y, square.side))
        low, high = -(2**15), 2**15 - 1
        if not (low <= x <= high and low <= y <= high and MIN_SIDE * STEPS <= side < 2**16):
            raise HscError(
                f"Expected a face whose square has a side from {MIN_SIDE:g} to {MAX_SIDE:g} "
                f"pixels, got {square.side:.0f} around ({square.x:.0f}, {square.y:.0f})."
            )
        return cls(x, y, side, round(square.angle / (2 * math.pi) * TURN) % TURN)

    @property
    def square(self) -> Square:
        """The square in pixels, the angle from -pi to pi."""
        turned = self.angle - TURN if self.angle >= TURN // 2 else self.angle
        return Square(
            self.x / STEPS, self.y / STEPS, self.side / STEPS, turned / TURN * 2 * math.pi
        )

    def pack(self) -> bytes:
        """Its bytes."""
        return (
            self.x.to_bytes(2, "little", signed=True)
            + self.y.to_bytes(2, "little", signed=True)
            + self.side.to_bytes(2, "little")
            + self.angle.to_bytes(2, "little")
        )

    @classmethod
    def unpack(cls, data: bytes) -> Placement:
        """From its bytes. Raises BitstreamError for a square that no face has."""
        x, y = (int.from_bytes(data[at : at + 2], "little", signed=True) for at in (0, 2))
        side, angle = (int.from_bytes(data[at : at + 2], "little") for at in (4, 6))
        if side < MIN_SIDE * STEPS:
            raise BitstreamError(
                f"The file is damaged: the square of a face has a side of {side / STEPS:g} pixels, "
                f"less than {MIN_SIDE:g}; get the file again."
            )
        return cls(x, y, side, angle)


def square_of(region: Any) -> Square:
    """The square that a domain crops a region to.

    Args:
        region: a face, or the box (left, top, right, bottom) of a domain without a detector.
    """
    if isinstance(region, Face):
        return face_square(region)
    left, top, right, bottom = region
    return Square((left + right) / 2, (top + bottom) / 2, max(right - left, bottom - top), 0.0)


def to_crop(square: Square, px: int, scale: float = 1.0) -> tuple[float, ...]:
    """Pillow's six affine coefficients: a pixel of the photograph -> its place in the crop.

    Args:
        px: side of the crop.
        scale: size of the picture that is written to, as a part of the photograph's.
    """
    cos, sin = math.cos(square.angle), math.sin(square.angle)
    zoom = px / square.side
    a, b = zoom * cos / scale, zoom * sin / scale
    c = px / 2 - zoom * (cos * square.x + sin * square.y)
    d, e = -zoom * sin / scale, zoom * cos / scale
    f = px / 2 - zoom * (-sin * square.x + cos * square.y)
    return a, b, c, d, e, f


def from_crop(
    square: Square, px: int, scale: tuple[float, float] = (1.0, 1.0)
) -> tuple[float, ...]:
    """Pillow's six affine coefficients: a pixel of the crop -> its place in the photograph.

    Args:
        px: side of the crop.
        scale: size of the picture that is read, as parts of the photograph's width and height.
    """
    cos, sin = math.cos(square.angle), math.sin(square.angle)
    step = square.side / px
    left = square.x - square.side / 2 * (cos - sin)
    top = square.y - square.side / 2 * (sin + cos)
    sx, sy = scale
    return cos * step * sx, -sin * step * sx, left * sx, sin * step * sy, cos * step * sy, top * sy
