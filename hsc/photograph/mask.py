"""Which part of a decoded face is drawn into its photograph: hair and face, with a soft edge.

    person  what the segmenter finds in the decoded face, joined to the middle of the square
    + face  the oval where every aligned face is, for pictures in which it finds no person
    grown, softened          so that the whole outline of the hair comes from the decoded face,
                             and the seam lies beside it
    x window                 0 where the square ends: shoulders fade out
    x share                  where squares overlap, the nearer face has the pixel

Masks are (256, 256) arrays over a face's square, 0 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from hsc.domains.ffhq_face.align import Square

if TYPE_CHECKING:
    from hsc.vision.segmentation import PersonSegmentation

Mask = NDArray[np.float32]

PX = 256
GROWN = 5
"""Pixels of the mask by which it reaches beyond hair and face."""
SOFT = 3.5
"""Standard deviation in pixels of the mask of its edge."""
OVAL = (0.5, 0.57, 0.25, 0.33)
"""Middle and half axes of an aligned face, as parts of the square."""
PERSON = 0.3
"""Probability of a person from which a pixel can join the middle to others."""
WINDOW = (0.90, 0.995)
"""Distances from the square's middle, as parts of its half side, between which masks fade. Hair and
chins reach far: an earlier fade blurs them into the background, and its seam is no less visible."""
BELOW = (0.88, 0.995)
"""The same downwards, where the neck goes on in clothes."""
SHARE = 0.12
"""Difference of two distances, in half sides, over which one face gives way to another."""


@cache
def _segmenter() -> PersonSegmentation:
    from hsc.vision.segmentation import PersonSegmentation

    return PersonSegmentation.pretrained()


def person(picture: Image.Image) -> Mask:
    """Where hair, face and body are in a decoded face: (256, 256), the one in the middle only."""
    found = np.asarray(_segmenter().mask(picture), np.float32)
    # a copy, because floodfill leaves a picture over an array's memory as it is
    joined = Image.fromarray((found >= PERSON).astype(np.uint8) * 255).copy()
    middle, down = PX * 0.5, PX * OVAL[1]
    ImageDraw.floodfill(joined, (int(middle), int(down)), 128)
    own = (np.asarray(joined) == 128) & (found >= PERSON)
    # softly, so that the segmenter's own edge stays
    near = Image.fromarray(own.astype(np.uint8) * 255).filter(ImageFilter.MaxFilter(5))
    return found * (np.asarray(near, np.float32) / 255)


def head(person_mask: Mask) -> Mask:
    """The mask of a face from where its person is, before other faces are looked at."""
    inside = np.maximum(person_mask, _oval())
    picture = Image.fromarray((inside * 255).astype(np.uint8))
    grown = picture.filter(ImageFilter.MaxFilter(2 * GROWN + 1))
    soft = np.asarray(grown.filter(ImageFilter.GaussianBlur(SOFT)), np.float32) / 255
    return np.asarray(_ramp(soft, 0.02, 0.98) * _window(), np.float32)


def shares(squares: Sequence[Square], number: int) -> Mask:
    """The part of each pixel of a face's square that is that face's: 1 where no other is near."""
    own = squares[number]
    place = _places(own)  # (256, 256), complex
    mine = _distance(place, own)
    share = np.ones((PX, PX), np.float32)
    for index, other in enumerate(squares):
        reach = (own.side + other.side) * 0.75
        if index == number or np.hypot(own.x - other.x, own.y - other.y) > reach:
            continue
        lead = _distance(place, other) - mine
        share *= _ramp(lead / SHARE + 0.5, 0.0, 1.0)
    return share


def feather(mask: Mask) -> Mask:
    """How much of a seam each pixel is: 1 where a mask is a half, 0 where it is 0 or 1."""
    return 4 * mask * (1 - mask)


def _ramp(values: NDArray[Any], low: float, high: float) -> Mask:
    """0 to 1 between two values, without a kink at either."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def _grid() -> tuple[NDArray[Any], NDArray[Any]]:
    """Of every pixel's middle: places across and down, as parts of the square."""
    line = (np.arange(PX, dtype=np.float32) + 0.5) / PX
    return line[None, :], line[:, None]


@cache
def _oval() -> Mask:
    x, y = _grid()
    x0, y0, across, down = OVAL
    far = np.hypot((x - x0) / across, (y - y0) / down)
    return 1 - _ramp(far, 0.95, 1.05)


@cache
def _window() -> Mask:
    x, y = _grid()
    across, up = 2 * np.abs(x - 0.5), 2 * (0.5 - y)
    around = (across**4 + np.maximum(up, 0) ** 4) ** 0.25
    return (1 - _ramp(around, *WINDOW)) * (1 - _ramp(-up, *BELOW))


def _places(square: Square) -> NDArray[Any]:
    """Where the mask's pixels are in the photograph: (256, 256) complex."""
    x, y = _grid()
    offset = (x - 0.5) + 1j * (y - 0.5)
    return square.x + 1j * square.y + offset * square.side * np.exp(1j * square.angle)


def _distance(places: NDArray[Any], square: Square) -> NDArray[Any]:
    """From a square's middle, in its half sides."""
    return np.abs(places - (square.x + 1j * square.y)) * (2 / square.side)
