"""The studio without its page: photos and bytes in, frozen results out.

Every decoded picture is drawn from the file's bytes, never from what the encoder still knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from PIL import Image

from app.recent import LIMIT, Memory
from app.results import Compressed, Decoded, Prepared
from app.services.compressing import Compressing
from app.services.drawing import LARGEST_FILE, LAYERS, Drawing
from app.services.model import SharedModel
from app.services.photos import Photo, Photos
from app.services.refining import Refining

__all__ = ["LARGEST_FILE", "LAYERS", "Photo", "Studio"]


class Studio:
    """One codec and what was made with it lately, shared by all visitors.

    Args:
        load: makes the codec, in a thread of its own; what needs the codec waits for it.
        limit: bytes of what is remembered, in memory only.

    Attributes:
        memory: what all services remember, their own parts of it and those of services built on
            them.
        model, photos, drawing, compressing: the parts, for services that are built on them.
    """

    def __init__(self, load: Callable[[], Any], limit: int = LIMIT) -> None:
        self.model = SharedModel(load)
        self.memory = Memory(limit)
        self.photos = Photos(self.memory)
        self.drawing = Drawing(self.model, self.memory)
        self.compressing = Compressing(self.model, self.photos, self.drawing, self.memory)
        self.refining = Refining(self.compressing, self.memory)

    @property
    def ready(self) -> bool:
        """Whether the codec is loaded (or has failed to load)."""
        return self.model.ready

    @property
    def codec(self) -> Any:
        """The codec; waits until it is loaded. Raises HscError when it could not be."""
        return self.model.codec

    def prepare(self, photo: Photo, face: int = 0, align: bool = True) -> Prepared:
        """Find the faces of a photo and cut one out; see `Photos.prepare`."""
        return self.photos.prepare(photo, face, align)

    def steps(
        self, photo: Photo, level: float = 3, face: int = 0, align: bool = True
    ) -> Iterator[Compressed]:
        """Compress a photo, and hand over the result as it grows; see `Compressing.steps`."""
        return self.compressing.steps(photo, level, face, align)

    def compress(
        self,
        photo: Photo,
        level: float = 3,
        face: int = 0,
        align: bool = True,
        layers: str = "scn+fcn",
    ) -> Compressed:
        """Compress a photo and draw it from its bytes: the last of `steps`, or the last that
        `layers` needs."""
        for result in self.steps(photo, level, face, align):
            if layers == "scn" and result.picture_scn is not None:
                break
        return result

    def refine(
        self, plain: Compressed, given_up: Callable[[], bool] = lambda: False
    ) -> Iterator[Compressed]:
        """Search for a better file of a result; see `Refining.steps`."""
        return self.refining.steps(plain, given_up)

    def decode(
        self,
        data: bytes,
        layers: str = "scn+fcn",
        edits: Mapping[str, float] | None = None,
        keep_details: float = 1.0,
    ) -> Decoded:
        """Draw the picture of a .hsc file; see `Drawing.decode`."""
        return self.drawing.decode(data, layers, edits, keep_details)

    def random_face(self, seed: int) -> Image.Image:
        """A face that the generator made up, the same for the same seed."""
        picture, _ = self.model.run("random_face", int(seed))
        return picture
