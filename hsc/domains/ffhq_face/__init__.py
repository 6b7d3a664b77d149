"""Faces, cropped as FFHQ does it: find them in a picture and bring one upright and aligned."""

from __future__ import annotations

from PIL import Image

from hsc.domains.base import align as align_to
from hsc.domains.ffhq_face.align import FFHQ_PX, crop_face, face_square
from hsc.domains.ffhq_face.detect import Face, find_faces
from hsc.domains.ffhq_face.search import TURNS, search_every_face, search_faces
from hsc.images.photo import PhotoSource

__all__ = [
    "Face",
    "FfhqFace",
    "aligned",
    "crop_face",
    "find_faces",
    "search_every_face",
    "search_faces",
]


class FfhqFace:
    """A ``Domain``: faces found by dlib or, where it is not sure, by MTCNN, in the crop of FFHQ."""

    noun = "face"
    has_identity = True
    turns: tuple[int, ...] = TURNS

    def find(self, image: Image.Image) -> list[Face]:
        """The faces in an RGB picture, upright or turned, the largest first."""
        return search_faces(image)

    def find_every(self, image: Image.Image) -> list[Face]:
        """As ``find``, with all faces of a group picture: both detectors look at every size."""
        return search_every_face(image)

    def crop(self, image: Image.Image, region: Face, px: int) -> Image.Image:
        """One face upright, padded where the picture ends."""
        return crop_face(image, region, px)

    def side(self, region: Face) -> float:
        """Side of FFHQ's square around a face."""
        return face_square(region).side


def aligned(
    image: PhotoSource, face: int | None = 0, align: bool = True, px: int = FFHQ_PX
) -> Image.Image:
    """``hsc.domains.align`` for faces.

    Args:
        image: any picture that ``read_photo`` takes.
        face: which face, 0 being the largest; None is the largest too.
        align: False skips the search and takes the centre of the picture.
        px: side of the result in pixels.

    Raises:
        NoFaceError: no face was found.
        PhotoError: the picture is unusable, or has no face of that number.
    """
    return align_to(FfhqFace(), image, px, face or 0, find=align)
