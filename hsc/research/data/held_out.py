"""The held-out people: a list of pictures for validation only, and those of them in a folder."""

from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path

from PIL import Image

from hsc.errors import HscError
from hsc.images.photo import read_photo
from hsc.weights.loading import model_config

LARGER = {"ffhq1024": "ffhq"}
"""Folders that have pictures of another one under the same names, with more pixels."""
REFERENCE_NOTE = (
    "The codec takes the aligned picture at 1024 px, enlarged with a Lanczos filter where the "
    "collection has fewer pixels. LPIPS@1024 is of the {large} of {all} pictures that have "
    "{px} px or more."
)


@cache
def held_out_names() -> frozenset[str]:
    """``folder/file.jpg`` of every validation picture."""
    text = files("hsc.research.data").joinpath("held_out.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


def is_held_out(path: Path) -> bool:
    """Whether a picture, by its folder and name, shows somebody of the list."""
    folder = path.parent.name
    return f"{LARGER.get(folder, folder)}/{path.name}" in held_out_names()


@dataclass(frozen=True)
class HeldOutPicture:
    """A picture of somebody that no training run has seen.

    Attributes:
        name: ``folder/file.jpg``, as the list has it.
    """

    name: str
    path: Path

    @cached_property
    def px(self) -> int:
        """The side that the file itself has."""
        return file_px(self.path)

    @property
    def collection(self) -> str:
        return self.name.partition("/")[0]

    @property
    def stem(self) -> str:
        """A file name for what is made of this picture."""
        return self.name.rpartition(".")[0].replace("/", "-")

    def load(self) -> Image.Image:
        """RGB, 1024 x 1024; the picture is aligned already."""
        image = read_photo(self.path)
        px = model_config().generator.image_px
        return image.resize((px, px), Image.Resampling.LANCZOS)


def held_out_pictures(folder: Path | None, limit: int | None = None) -> list[HeldOutPicture]:
    """The listed pictures below a folder, in the order of their names.

    Args:
        folder: has the folders that the list names.
        limit: take this many at most, evenly from the whole list.

    Raises:
        HscError: no folder was given, or it has none of the pictures.
    """
    if folder is None:
        raise HscError("Expected a folder of aligned faces: add --faces DIR.")
    pictures = [HeldOutPicture(name, _largest(folder, name)) for name in sorted(held_out_names())]
    found = [picture for picture in pictures if picture.path.is_file()]
    if not found:
        raise HscError(
            f"Expected pictures of hsc/research/data/held_out.txt, such as {pictures[0].name}, "
            f"below {folder}, found none: give the folder that has their folders."
        )
    return spread(found, limit or len(found))


def _largest(folder: Path, name: str) -> Path:
    """The file of a name, from the folder that has it with the most pixels."""
    collection, _, file = name.partition("/")
    larger = (folder / other / file for other, of in LARGER.items() if of == collection)
    return next((path for path in larger if path.is_file()), folder / name)


def file_px(path: Path) -> int:
    """The shorter side of a picture file."""
    with Image.open(path) as image:
        return min(image.size)


def spread(items: list, count: int) -> list:
    """At most ``count`` of the items, evenly from first to last."""
    count = min(count, len(items))
    return [items[(2 * i + 1) * len(items) // (2 * count)] for i in range(count)]
