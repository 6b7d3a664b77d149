"""A domain out of any detector that gives boxes: cats, cars, whatever a generator shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PIL import Image

from hsc.domains.centre_crop import Box

Detector = Callable[[Image.Image], Sequence[Box]]
"""An upright RGB picture -> boxes around its subjects, in pixels, in any order."""


class DetectorBox:
    """A ``Domain`` of the squares around a detector's boxes.

    Args:
        noun: word for a subject in messages.
        detect: the detector.
        margin: what a square has beyond the longer side of its box, as a part of that side: as the
            generator's training pictures have it.
    """

    has_identity = False
    turns: tuple[int, ...] = ()

    def __init__(self, noun: str, detect: Detector, margin: float = 0.2) -> None:
        self.noun, self.detect, self.margin = noun, detect, margin

    def find(self, image: Image.Image) -> list[Box]:
        """The detector's boxes, the largest first."""
        return sorted(self.detect(image), key=_area, reverse=True)

    def find_every(self, image: Image.Image) -> list[Box]:
        """As ``find``."""
        return self.find(image)

    def side(self, region: Box) -> float:
        """Side of the square around a box."""
        left, top, right, bottom = region
        return (1 + self.margin) * max(right - left, bottom - top)

    def crop(self, image: Image.Image, region: Box, px: int) -> Image.Image:
        """The square around a box, moved inside the picture and no larger than it: px x px."""
        left, top, right, bottom = region
        side = min(self.side(region), *image.size)
        x, y = ((a + b - side) / 2 for a, b in ((left, right), (top, bottom)))
        x, y = (min(max(at, 0), size - side) for at, size in zip((x, y), image.size, strict=True))
        square = (x, y, x + side, y + side)
        return image.resize((px, px), Image.Resampling.LANCZOS, box=square)


def _area(box: Box) -> float:
    left, top, right, bottom = box
    return (right - left) * (bottom - top)
