"""Examples that show at once: photos whose files and pictures ship with the page.

    python -m app.services.examples      # make them again, after new weights

The files are the codec's own, byte for byte. The pictures stand in, at the quality of a good JPEG,
only until the same file has been rendered here: that takes a second, or the model's loading time.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.cache import SharedCache
from app.executor import Executor
from app.results import Sizes, facts_of
from app.services.compression import Compression
from app.services.decoding import Decoding
from hsc.bitstream import with_layers
from hsc.images import marks
from hsc.paths import SHIPPED
from hsc.weights.model_id import FACES, model_of

if TYPE_CHECKING:  # it brings PyTorch, for which the page does not wait
    from hsc.codec import Codec

FOLDER = SHIPPED / "examples"
LEVEL = 3
QUALITY = 88  # of the stand-ins
PAINTINGS = {
    "pearl-earring": "Vermeer, Girl with a Pearl Earring, about 1665",
    "mona-lisa": "Leonardo da Vinci, Mona Lisa, about 1503",
    "la-velata": "Raphael, La Velata, about 1516",
}
"""In the public domain, see assets/NOTICE.md; labels by name."""
SEEDS = {"face-1": 60, "face-2": 11, "face-3": 57}  # the generator's own faces, by name
PICTURES = ("crop", "scn", "both")


@dataclass(frozen=True)
class Example:
    """A photo, and what the codec made of it at LEVEL.

    Attributes:
        photo: the picture as a visitor would upload it.
        known: the folder with its .hsc file and its stand-in pictures.
    """

    name: str
    label: str
    photo: Path
    known: Path

    @property
    def file(self) -> bytes:
        """The .hsc file with both layers."""
        return (self.known / "face.hsc").read_bytes()

    @property
    def sizes(self) -> Sizes:
        return Sizes.of(facts_of(self.file))

    @property
    def essence_bytes(self) -> int:
        """Bytes of the file without its FCN layer."""
        return len(with_layers(self.file, "scn"))

    def picture(self, name: str) -> str:
        """The path of a stand-in, one of PICTURES."""
        return str(self.known / f"{name}.webp")


def examples() -> list[Example]:
    """All of them, the photograph first; none for another model, which cannot read their files.

    Links open them by their number, so new ones go last.
    """
    if model_of() != FACES:
        return []
    generated = dict.fromkeys(SEEDS, "Nobody: a generated face")
    labels = {"astronaut": "Eileen Collins, NASA"} | generated | PAINTINGS
    found = []
    for name, label in labels.items():
        photo = next(FOLDER.glob(f"{name}.*g"), None)
        if photo and (FOLDER / name / "face.hsc").is_file():
            found.append(Example(name, label, photo, FOLDER / name))
    return found


def make(codec: Codec) -> None:
    """Write the generated photos, and the file and the stand-ins of every example."""
    executor, cache = Executor(lambda: codec), SharedCache()
    compression = Compression(executor, Decoding(executor, cache), cache, model_of())
    for name, seed in SEEDS.items():
        marks.save(codec.random_face(seed), FOLDER / f"{name}.jpg", "JPEG", quality=92)
    for photo in sorted([*FOLDER.glob("*.png"), *FOLDER.glob("*.jpg")]):
        folder = FOLDER / photo.stem
        folder.mkdir(exist_ok=True)
        *_, result = compression.steps(photo, LEVEL)
        (folder / "face.hsc").write_bytes(result.file())
        shown = (result.crop, result.picture_scn, result.picture_both)
        for which, picture in zip(PICTURES, shown, strict=True):
            assert picture is not None  # the last of the steps is whole
            marks.save(picture, folder / f"{which}.webp", "WEBP", quality=QUALITY, method=6)
        result.crop.resize((128, 128)).save(folder / "thumbnail.jpg", quality=85)
        print(f"{photo.name}: {len(result.file())} bytes")


def redraw(codec: Codec) -> None:
    """Write the pictures of the files that ship: all that new blocks above F change."""
    for path in sorted(FOLDER.glob("*/face.hsc")):
        picture = codec.decode(path.read_bytes())
        written = path.with_name(f"{PICTURES[-1]}.webp")
        marks.save(picture, written, "WEBP", quality=QUALITY, method=6)


if __name__ == "__main__":
    import sys

    import hsc
    from app.services import landing

    loaded = hsc.load()
    for write in (
        (redraw, landing.redraw) if sys.argv[1:] == ["--pictures"] else (make, landing.make)
    ):
        write(loaded)
