"""The pictures of a study: of any folder, aligned where they are not."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from hsc.domains.ffhq_face import crop_face, find_faces
from hsc.domains.ffhq_face.align import face_square
from hsc.errors import HscError
from hsc.images import PICTURE_SUFFIXES
from hsc.images.photo import read_photo
from hsc.research.data.held_out import held_out_names, spread
from hsc.weights.loading import model_config

SAME_FRAME, SAME_ANGLE = 0.08, np.radians(5)
"""How near a square picture must be to the crop of its face, in sides, to be taken as aligned."""
HELD_OUT_NOTE = (
    "The folder has pictures of collections that training has used: only the people of "
    "hsc/research/data/held_out.txt, whom no training run has seen, were measured."
)
ALIGNED_NOTE = (
    "Reference at 1024 px: the picture, aligned as FFHQ's if it was not, enlarged with a Lanczos "
    "filter where it had fewer pixels. LPIPS@1024 is of files of 900 px or more alone: an enlarged "
    "reference has no fine detail."
)


@dataclass(frozen=True)
class StudyPicture:
    """A picture of the folder.

    Attributes:
        name: its path below the folder, with slashes.
    """

    name: str
    path: Path

    @property
    def collection(self) -> str:
        """The folder it lies in, for the licences; "." at the top."""
        return self.name.rpartition("/")[0] or "."

    @property
    def person(self) -> str:
        """Who it shows, by the custom of naming pictures ``person_number``."""
        stem = Path(self.name).stem
        return self.collection + "/" + (stem.rpartition("_")[0] or stem)

    @property
    def stem(self) -> str:
        """A file name for what is made of this picture."""
        return self.name.replace("/", "-").replace(".", "-")

    def load(self, align: bool = True) -> Image.Image:
        """RGB, 1024 x 1024.

        Raises:
            PhotoError: it is unusable. HscError: it shows no face.
        """
        image, px = read_photo(self.path), model_config().generator.image_px
        if align and not is_aligned(image):
            faces = find_faces(image)
            if not faces:
                raise HscError("no face was found in it")
            return crop_face(image, faces[0], px)
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        box = (left, top, left + side, top + side)
        return image.resize((px, px), Image.Resampling.LANCZOS, box=box)


def study_pictures(folder: Path, limit: int | None) -> tuple[list[StudyPicture], list[str]]:
    """The pictures below a folder, in the order of their names, and what to note of the choice.

    Where some of them are held-out people of the training collections, only those are taken.

    Args:
        limit: take this many at most, evenly from all.

    Raises:
        HscError: there is no picture.
    """
    if not folder.is_dir():
        raise HscError(f"expected a folder of pictures, {folder} is none.")
    paths = sorted(
        p for p in folder.rglob("*") if p.suffix.lower() in PICTURE_SUFFIXES and p.is_file()
    )
    pictures = [StudyPicture(p.relative_to(folder).as_posix(), p) for p in paths]
    held_out = [p for p in pictures if f"{p.path.parent.name}/{p.path.name}" in held_out_names()]
    if not pictures:
        raise HscError(f"expected pictures below {folder}, found none.")
    notes = [ALIGNED_NOTE, HELD_OUT_NOTE] if held_out else [ALIGNED_NOTE]
    chosen = held_out or pictures
    return spread(chosen, limit or len(chosen)), notes


def is_aligned(image: Image.Image) -> bool:
    """Whether a square picture is already, nearly, the crop that its face would be given."""
    if image.width != image.height:
        return False
    faces = find_faces(image)
    if not faces:
        return False
    square, side = face_square(faces[0]), image.width
    off = max(abs(square.x / side - 0.5), abs(square.y / side - 0.5), abs(square.side / side - 1))
    return off < SAME_FRAME and abs(square.angle) < SAME_ANGLE


def size_note(pictures: Iterable[StudyPicture]) -> str:
    """How many pixels the references really have, along the shorter side of the file."""
    sides = []
    for picture in pictures:
        with Image.open(picture.path) as image:
            sides.append(min(image.size))
    counts = ", ".join(f"{n} of {px} px" for px, n in sorted(Counter(sides).items()))
    return f"Shorter sides of the picture files: {counts}."
