"""What moves on the page before there is a face: one example, sharper with every byte.

Four files of one photograph, from its SCN layer alone to the whole file, each beside an AVIF file
of at most as many bytes. Files and pictures ship; nothing is computed when the page is shown.
`python -m app.services.examples` makes them, and the picture for links to the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from app.results import Sizes, facts_of
from app.services.cards import Card, card_picture
from app.services.examples import FOLDER, Example, examples
from app.services.links import face_link
from hsc.baselines import CODECS, Encodings
from hsc.bitstream import with_layers
from hsc.images import marks
from hsc.paths import SHIPPED

if TYPE_CHECKING:  # it brings PyTorch, for which the page does not wait
    from hsc.codec import Codec

EXAMPLE = "astronaut"
LEVELS = (1, 2)  # between the SCN layer and the example's own file
RIVAL = "avif"
SIDE, QUALITY = 768, 88
SOCIAL = SHIPPED / "social.jpg"
"""The picture that other sites show beside a link to the page."""
SOCIAL_SIZE = (1200, 630)


@dataclass(frozen=True)
class Stage:
    """One of the files.

    Attributes:
        data: the .hsc file.
        picture: the path of what it draws.
        rival: the path of the other codec's file; None where it cannot be made as small.
    """

    data: bytes
    picture: Path
    rival: Path | None

    @property
    def sizes(self) -> Sizes:
        return Sizes.of(facts_of(self.data))


@cache
def stages() -> tuple[Stage, ...]:
    """All of them, the smallest first; none where the example does not ship."""
    example = _example()
    folder = _folder()
    if example is None or not folder.is_dir():
        return ()
    found = []
    for number, data in enumerate(_files(example)):
        rival = folder / f"{number}.{RIVAL}"
        found.append(Stage(data, folder / f"{number}.webp", rival if rival.is_file() else None))
    return tuple(found)


def make(codec: Codec) -> None:
    """Write the files and pictures of every stage, and the picture for links."""
    example, folder = _example(), _folder()
    assert example is not None, "the examples are made first"
    folder.mkdir(exist_ok=True)
    with Image.open(example.photo) as photo:
        for level in LEVELS:
            (folder / f"level{level}.hsc").write_bytes(codec.encode(photo, level))
    with Image.open(example.picture("crop")) as crop:
        encodings = Encodings(crop.convert("RGB"), CODECS[RIVAL])
    for number, data in enumerate(_files(example)):
        path = folder / f"{number}.{RIVAL}"
        path.unlink(missing_ok=True)
        fit = encodings.best_downscaled(len(data))
        if fit.fits:
            path.write_bytes(fit.data)
    redraw(codec)


def redraw(codec: Codec) -> None:
    """Write the pictures of the files that ship: all that new blocks above F change."""
    example = _example()
    assert example is not None, "the examples are made first"
    for number, data in enumerate(_files(example)):
        picture = codec.decode(data)
        small = picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        marks.save(small, _folder() / f"{number}.webp", "WEBP", quality=QUALITY, method=6)
    with Image.open(example.picture("crop")) as crop:
        card = card_picture(Card(picture, data, face_link(data, ""), crop.convert("RGB")))
    social = card.resize(SOCIAL_SIZE, Image.Resampling.LANCZOS)
    marks.save(social, SOCIAL, "JPEG", quality=86, optimize=True)
    stages.cache_clear()


def _files(example: Example) -> list[bytes]:
    between = [(_folder() / f"level{level}.hsc").read_bytes() for level in LEVELS]
    return [with_layers(example.file, "scn"), *between, example.file]


def _folder() -> Path:
    return FOLDER / EXAMPLE / "landing"


def _example() -> Example | None:
    return next((each for each in examples() if each.name == EXAMPLE), None)
