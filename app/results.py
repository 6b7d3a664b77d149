"""The services' results for the page: frozen, and without tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypedDict, TypeGuard, cast

from PIL import Image

from hsc.bitstream import describe, with_layers
from hsc.config import SHIPPED


class FileBytes(TypedDict):
    """Bytes of a file and of its parts."""

    header: int
    scn: int
    fcn: int
    total: int


class FileFacts(TypedDict):
    """The facts in a file's header; see `hsc.bitstream.describe`."""

    version: int
    model: str
    level: float
    width: int
    height: int
    layers: list[str]
    bytes: FileBytes
    bpp: float


def facts_of(
    data: bytes,
    model_names: Mapping[int, str] | None = None,
    image_px: int = SHIPPED.generator.image_px,
) -> FileFacts:
    """As `hsc.bitstream.describe`."""
    return cast(FileFacts, describe(data, model_names, image_px))


@dataclass(frozen=True)
class Progress:
    """How far a long call is, in steps.

    Attributes:
        lpips: of a search in the background: LPIPS at 256 px of the picture that it began with, and
            then of each that it tried.
    """

    done: int
    total: int
    lpips: tuple[float, ...] = ()


@dataclass(frozen=True)
class Sizes:
    """Bytes of a file's parts, and the side of its picture in pixels."""

    header: int
    scn: int
    fcn: int
    px: int = SHIPPED.generator.image_px

    @classmethod
    def of(cls, facts: FileFacts) -> Sizes:
        """From the facts in a file's header."""
        parts = facts["bytes"]
        return cls(parts["header"], parts["scn"], parts["fcn"], facts["width"])

    @property
    def total(self) -> int:
        return self.header + self.scn + self.fcn

    @property
    def bpp(self) -> float:
        """Bits per pixel of the decoded picture, header included."""
        return 8 * self.total / self.px**2


@dataclass(frozen=True)
class Prepared:
    """A photo brought to the square that the encoder takes."""

    crop: Image.Image  # RGB, image_px x image_px of the generator
    key: str  # of the crop's content
    faces: tuple[Image.Image, ...]  # thumbnails of those found, the largest first
    upload_bytes: int | None  # size of the photo's own file, where it came as one
    seconds: float
    share: float = 1.0  # of the photo's pixels that the crop takes, at most 1


@dataclass(frozen=True)
class LevelSize:
    """Bytes of the file of a named level.

    Attributes:
        exact: it is the size of the file itself, else about that.
    """

    level: int
    size: int
    exact: bool


@dataclass(frozen=True)
class Compressed:
    """A compressed face, and the pictures rendered from its bytes; None: not there yet."""

    prepared: Prepared
    level: float
    data: bytes | None = None  # the whole .hsc file
    picture_scn: Image.Image | None = None
    picture_both: Image.Image | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)  # stage -> seconds
    device: str = ""
    refined: int = 0  # gradient steps that the file was refined with
    refining: Progress | None = None  # while a search for a better file goes on
    draft: bool = False  # its file lacks the gradient steps of the level, and is to be replaced
    correcting: Progress | None = None  # while the file is made in steps

    @property
    def crop(self) -> Image.Image:
        return self.prepared.crop

    def file(self, layers: str = "scn+fcn") -> bytes:
        """The .hsc file that carries these layers. Raises ValueError when it is not there yet."""
        if self.data is None:
            raise ValueError("this result has no file yet")
        return with_layers(self.data, layers)

    def sizes(self, layers: str = "scn+fcn") -> Sizes:
        """The parts of the file that carries these layers."""
        return Sizes.of(facts_of(self.file(layers), image_px=self.crop.width))

    def ratio(self, layers: str = "scn+fcn") -> float | None:
        """How many times smaller the file with these layers is than the photo's own file."""
        if not self.prepared.upload_bytes:
            return None
        return self.prepared.upload_bytes / len(self.file(layers))

    def face_ratio(self, layers: str = "scn+fcn") -> float | None:
        """As `ratio`, but to the face's part of the photo's own file: bytes by its share of the
        pixels. It compares like with like: the file says nothing of the rest of the photo."""
        ratio = self.ratio(layers)
        return ratio and ratio * self.prepared.share


@dataclass(frozen=True)
class Decoded:
    """A file's picture, and the facts in its header."""

    picture: Image.Image
    layers: str  # those that were rendered
    facts: FileFacts
    seconds: float


@dataclass(frozen=True)
class Edits:
    """The edits of a rendered file, in one form for one picture: they are part of cache keys.

    Attributes:
        named: (name, amount), sorted, none of amount 0.
        keep_details: how much of FCN's detail stays, 0 to 1; 1 where nothing is edited.
    """

    named: tuple[tuple[str, float], ...] = ()
    keep_details: float = 1.0

    @classmethod
    def of(cls, amounts: Mapping[str, float] | None = None, keep_details: float = 1.0) -> Edits:
        """From amounts by name."""
        named = tuple(sorted((name, float(x)) for name, x in (amounts or {}).items() if x))
        return cls(named, float(keep_details) if named else 1.0)

    @property
    def amounts(self) -> dict[str, float]:
        """Amount by name, as the codec takes them."""
        return dict(self.named)


@dataclass(frozen=True)
class CurrentFace:
    """The face that a visitor sees: a result, and the picture of the chosen layers.

    Attributes:
        layers: those that are rendered.
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

    def __hash__(self) -> int:
        """Of what it shows: by it Gradio knows whether a visitor's face has changed."""
        return hash((self.file, self.layers))


def whole(current: CurrentFace | None) -> TypeGuard[CurrentFace]:
    """Whether there is a face, and its file is no draft."""
    return current is not None and not current.result.draft
