"""Where the face of a clip is: found in every frame, and smoothed so that the crop does not shake.

    frame -> square or none -> gaps filled -> Gaussian over time -> nearest Placement of the file

Landmarks that are found in one frame after the other jump by a pixel or two, and a crop that jumps
with them would make the whole picture shake. A moving average that sees frames on both sides does
not lag behind a head that moves.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from hsc.domains import Domain, domain, select
from hsc.domains.ffhq_face import Face
from hsc.domains.ffhq_face.align import Square, face_square
from hsc.domains.ffhq_face.detect import landmarks_in
from hsc.errors import NoFaceError
from hsc.photograph.placement import Placement, square_of

REACH = 4
"""Frames on each side that the average sees: so many are held in memory beside the current one."""
SIGMA = (1.2, 1.2, 3.0, 2.0)
"""Gaussians, in coded frames, of x, y, log side and angle: a head turns and nears the camera more
slowly than it moves."""
SEARCH_EVERY = 5
"""Frames after which the detector looks again; between them the landmarks start from the last
box."""
MOVED, GROWN, TURNED = 0.02, 0.2, 0.2
"""Differences between the smoothed crop and the face that are followed whole: of the place as a
part of the side, of the side as its log, of the angle in radians. The last two are wider: a
grimace moves the landmarks by as much."""
LOST, FAR = 0.1, 1 / 6
"""Change of the side from one frame to the next, as its log, and of the place, as a part of the
side, from which on the detector looks: landmarks that start from a box where the face no longer is
settle somewhere else."""


class Follower:
    """The square of one subject, frame by frame.

    Args:
        name: of the domain.
        which: the subject in the first frame, 0 being the largest.
        find: False takes the centre of every frame.
    """

    def __init__(self, name: str, which: int = 0, find: bool = True) -> None:
        self.domain: Domain[Any] = domain(name if find else "centre_crop")
        self.which = which
        self._last: Square | None = None
        self._face: Face | None = None
        self._since = 0

    def square(self, image: Image.Image) -> Square | None:
        """Where the subject is, None where it is not found.

        Raises:
            PhotoError: the first frame that shows any subject has none of that number.
        """
        face = self._face
        if face and self._since < SEARCH_EVERY and (square := self._followed(image, face)):
            self._since += 1
            self._last = square
            return square
        self._face, self._since = None, 0
        regions = self.domain.find(image)
        if not regions:
            return None
        if self._last is None:
            region = select(self.domain, regions, self.which)
        else:
            last = self._last
            region = min(regions, key=lambda each: _distance(square_of(each), last))
        self._face = region if isinstance(region, Face) else None
        self._last = square_of(region)
        return self._last

    def _followed(self, image: Image.Image, face: Face) -> Square | None:
        """The face near where it was, None where the landmarks went astray."""
        points = landmarks_in(image, face.box)
        before = face_square(face)
        shift = points.mean(axis=0) - face.landmarks.mean(axis=0)
        left, top, right, bottom = face.box
        box = left + shift[0], top + shift[1], right + shift[0], bottom + shift[1]
        found = Face(box, points)
        square = face_square(found)
        if abs(math.log(square.side / before.side)) > LOST or (
            _distance(square, before) > FAR * before.side
        ):
            return None
        self._face = found
        return square


def placed(
    frames: Iterable[Image.Image], follower: Follower
) -> Iterator[tuple[Image.Image, Placement]]:
    """Every frame with the smoothed place of its crop, a few frames after it came in.

    A frame without a face keeps the place of the one before.

    Raises:
        NoFaceError: no face in as many frames as are held in memory.
    """
    held: list[tuple[Image.Image, Square]] = []
    early: list[Image.Image] = []
    passed = 0  # frames that were handed on and are still seen by the average

    def ready(last: bool) -> Iterator[tuple[Image.Image, Placement]]:
        nonlocal passed
        while held and passed < len(held) and (last or len(held) - passed > REACH):
            squares = [square for _, square in held]
            square = towards(_smoothed(squares, passed), squares[passed])
            yield held[passed][0], Placement.nearest(square)
            passed += 1
            if passed > REACH:
                held.pop(0)
                passed -= 1

    for image in frames:
        square = follower.square(image)
        if square is None and not held:
            early.append(image)
            if len(early) > 2 * REACH:
                break
            continue
        square = square or held[-1][1]
        held += [(each, square) for each in early]
        early = []
        held.append((image, square))
        yield from ready(last=False)
    if early:
        noun = follower.domain.noun
        raise NoFaceError(
            f"No {noun} was found in the first {len(early)} frames: take a clip that begins with "
            f"a {noun}, or use the centre of the picture all the same (align=False, or --no-align)."
        )
    yield from ready(last=True)


def towards(smooth: Square, found: Square, least: float = 0.0) -> Square:
    """A smoothed square, moved to where the face was found the more, the further apart they are.

    What is as small as the jumps of landmarks stays smoothed. A head that moves is followed: where
    the face is off its place in the crop, S^ and F^ are not in one place, and an edit draws a
    second face beside the first.

    Args:
        least: part of the difference that is followed however small it is.
    """
    apart = math.hypot(found.x - smooth.x, found.y - smooth.y) / smooth.side
    grown = math.log(found.side / smooth.side)
    turned = math.remainder(found.angle - smooth.angle, 2 * math.pi)
    place, size, turn = (
        least + (1 - least) * min(1.0, change / whole) ** 2
        for change, whole in ((apart, MOVED), (abs(grown), GROWN), (abs(turned), TURNED))
    )
    return Square(
        smooth.x + place * (found.x - smooth.x),
        smooth.y + place * (found.y - smooth.y),
        smooth.side * math.exp(size * grown),
        smooth.angle + turn * turned,
    )


def _smoothed(squares: list[Square], at: int) -> Square:
    """The weighted mean of the squares around one of them."""
    low = max(0, at - REACH)
    near = squares[low : at + REACH + 1]
    angles = np.unwrap([square.angle for square in near])
    values = np.array(
        [[s.x, s.y, math.log(s.side), angle] for s, angle in zip(near, angles)]
    )  # (n, 4)
    # where one side has fewer frames, as at a cut, the other has no more: the mean would lean
    reach = min(at - low, len(near) - 1 - (at - low))
    values = values[at - low - reach : at - low + reach + 1]
    offsets = np.arange(-reach, reach + 1)[:, None]
    weights: npt.NDArray[Any] = np.exp(-(offsets**2) / (2 * np.array(SIGMA) ** 2))
    x, y, log_side, angle = (weights * values).sum(axis=0) / weights.sum(axis=0)
    return Square(float(x), float(y), math.exp(log_side), float(angle))


def _distance(one: Square, other: Square) -> float:
    return math.hypot(one.x - other.x, one.y - other.y)
