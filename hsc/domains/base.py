"""The interface of a domain: find its subjects in a photo, and crop one.

    photo -> find -> regions, largest first -> select -> crop -> the square that the encoder takes

A new domain is one module beside ``centre_crop`` and one line in ``hsc.domains``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from PIL import Image

from hsc.domains.centre_crop import crop_centre
from hsc.errors import NoFaceError, PhotoError
from hsc.images.photo import PhotoSource, read_photo

Region = TypeVar("Region")
"""Where a subject is; only its domain looks inside."""


class Domain(Protocol[Region]):
    """What the pictures of a generator show, and how a photo is cropped to match them.

    Attributes:
        noun: word for a subject in messages.
        has_identity: whether a recogniser can tell subjects apart.
        turns: degrees by which ``find`` turns a picture where it finds nothing upright.
    """

    noun: str
    has_identity: bool
    turns: tuple[int, ...]

    def find(self, image: Image.Image) -> list[Region]:
        """The subjects in an RGB picture, the largest first; an empty list when none."""
        ...

    def find_every(self, image: Image.Image) -> list[Region]:
        """As ``find``, but it may take longer to find small and hidden ones beside the others."""
        ...

    def crop(self, image: Image.Image, region: Region, px: int) -> Image.Image:
        """One subject, at the position and size of the training pictures: RGB, px x px."""
        ...

    def side(self, region: Region) -> float:
        """Side of the square that ``crop`` takes, in pixels of the picture."""
        ...


def tried_turns(domain: Domain[Any]) -> str:
    """Where a domain has looked for subjects, to be put behind "in the picture"."""
    if not domain.turns:
        return ""
    *most, last = map(str, sorted(domain.turns))
    return f", upright or turned by {', '.join(most)} or {last} degrees"


def select(domain: Domain[Region], regions: Sequence[Region], which: int = 0) -> Region:
    """One of the subjects that were found, 0 being the largest.

    Raises:
        NoFaceError: there is none.
        PhotoError: there is none of that number.
    """
    noun = domain.noun
    if not regions:
        raise NoFaceError(
            f"No {noun} was found in the picture{tried_turns(domain)}: try another one, or use the "
            "centre of the picture all the same (align=False, or --no-align)."
        )
    if not 0 <= which < len(regions):
        have = f"only {noun} 0" if len(regions) == 1 else f"{noun}s 0 to {len(regions) - 1}"
        raise PhotoError(f"There is no {noun} {which}: the picture has {have}, largest first.")
    return regions[which]


def align(
    domain: Domain[Region], photo: PhotoSource, px: int, which: int = 0, find: bool = True
) -> Image.Image:
    """Bring a photo to the square that the encoder takes.

    Args:
        photo: what ``read_photo`` takes.
        px: side of the result in pixels.
        which: which subject, 0 being the largest.
        find: False skips the search and takes the centre of the photo.

    Returns:
        RGB picture of px x px.

    Raises:
        NoFaceError: no subject was found.
        PhotoError: the photo is unusable, or has no subject of that number.
    """
    image = read_photo(photo)
    if not find:
        return crop_centre(image, px)
    return domain.crop(image, select(domain, domain.find(image), which), px)
