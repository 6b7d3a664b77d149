"""The domain of pictures without a detector: the largest centred square."""

from __future__ import annotations

from PIL import Image

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels from a picture's upper left corner."""


def centre_square(image: Image.Image) -> Box:
    """The largest centred square of a picture."""
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    return left, top, left + side, top + side


def crop_centre(image: Image.Image, px: int) -> Image.Image:
    """The largest centred square of an RGB picture, resampled to px x px."""
    return image.resize((px, px), Image.Resampling.LANCZOS, box=centre_square(image))


class CentreCrop:
    """A ``Domain`` whose photos have one subject, in the middle."""

    noun = "subject"
    has_identity = False
    turns: tuple[int, ...] = ()

    def find(self, image: Image.Image) -> list[Box]:
        """The largest centred square."""
        return [centre_square(image)]

    def find_every(self, image: Image.Image) -> list[Box]:
        """As ``find``."""
        return self.find(image)

    def crop(self, image: Image.Image, region: Box, px: int) -> Image.Image:
        """The region, resampled."""
        return image.resize((px, px), Image.Resampling.LANCZOS, box=region)

    def side(self, region: Box) -> float:
        """Side of the region."""
        return region[2] - region[0]
