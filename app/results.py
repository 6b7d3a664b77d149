"""What the service hands to the page: frozen, and free of tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from hsc.bitstream import describe, with_layers
from hsc.config import FACE_1024


@dataclass(frozen=True)
class Sizes:
    """Bytes of a file's parts."""

    header: int
    scn: int
    fcn: int

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> Sizes:
        """From what hsc.describe says of a file."""
        parts = described["bytes"]
        return cls(parts["header"], parts["scn"], parts["fcn"])

    @property
    def total(self) -> int:
        return self.header + self.scn + self.fcn

    @property
    def bpp(self) -> float:
        """Bits per pixel of the decoded picture, header included."""
        return 8 * self.total / FACE_1024.image_px**2


@dataclass(frozen=True)
class Prepared:
    """A photo brought to the square that the encoder takes."""

    crop: Image.Image  # RGB, image_px x image_px of the generator
    key: str  # of the crop's content
    faces: tuple[Image.Image, ...]  # thumbnails of those found, the largest first
    upload_bytes: int | None  # size of the photo's own file, where it came as one
    seconds: float


@dataclass(frozen=True)
class Compressed:
    """A compressed face, and what its bytes draw. What is not there yet is None."""

    prepared: Prepared
    level: float
    data: bytes | None = None  # the whole .hsc file
    picture_scn: Image.Image | None = None
    picture_both: Image.Image | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)  # stage -> seconds
    device: str = ""
    refined: int = 0  # gradient steps that the file was refined with
    refining: tuple[int, int] | None = None  # steps that are done and all, while they are taken

    @property
    def crop(self) -> Image.Image:
        return self.prepared.crop

    def file(self, layers: str = "scn+fcn") -> bytes:
        """The .hsc file that carries these layers."""
        return with_layers(self.data, layers)

    def sizes(self, layers: str = "scn+fcn") -> Sizes:
        """The parts of the file that carries these layers."""
        return Sizes.of(describe(self.file(layers)))

    def ratio(self, layers: str = "scn+fcn") -> float | None:
        """How many times smaller the file with these layers is than the photo's own file."""
        if not self.prepared.upload_bytes:
            return None
        return self.prepared.upload_bytes / len(self.file(layers))


@dataclass(frozen=True)
class Decoded:
    """What a file draws, and what its header says."""

    picture: Image.Image
    layers: str  # those that were drawn
    facts: Mapping[str, Any]  # as hsc.describe
    seconds: float


@dataclass(frozen=True)
class Look:
    """How a file is drawn beside what it says: edits, in an order of their own, and their manner.

    Attributes:
        edits: (name, amount), sorted, none of amount 0.
        keep: how much of FCN's detail stays under an edit, 0 to 1; 1 where nothing is edited.
    """

    edits: tuple[tuple[str, float], ...] = ()
    keep: float = 1.0

    @classmethod
    def of(cls, edits: Mapping[str, float] | None = None, keep: float = 1.0) -> Look:
        """From amounts by name; equal pictures have equal looks."""
        kept = tuple(sorted((name, float(x)) for name, x in (edits or {}).items() if x))
        return cls(kept, float(keep) if kept else 1.0)

    @property
    def amounts(self) -> dict[str, float]:
        """Amount by name, as the codec takes them."""
        return dict(self.edits)


@dataclass(frozen=True)
class Shown:
    """What a visitor looks at: a result, and the picture that the chosen layers draw.

    Attributes:
        layers: those that are drawn.
        file: the .hsc file with those layers.
        face, align: how the face was cut out, as `Studio.prepare` takes them.
        seed: of the face, when the page made it up.
    """

    result: Compressed
    layers: str
    file: bytes
    picture: Image.Image
    face: int = 0
    align: bool = True
    seed: int | None = None
