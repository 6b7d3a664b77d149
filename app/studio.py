"""The studio without its page: photos and bytes in, frozen results out.

Every decoded picture is rendered from the file's bytes, never from what the encoder still knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from PIL import Image

from app.cache import LIMIT, SharedCache
from app.executor import Executor
from app.protocols import FaceCodec
from app.results import Compressed, Decoded, Prepared
from app.services.baselines import Baselines
from app.services.batch import Batches
from app.services.batched_calls import random_face
from app.services.bit_allocation import BitAllocations
from app.services.compression import Compression, Photo
from app.services.decode_tools import DecodeTools
from app.services.decoding import LARGEST_FILE, LAYERS, Decoding
from app.services.editing import Editing
from app.services.exploring import Explorer
from app.services.live import Live
from app.services.measure import Measures
from app.services.morph import Morph
from app.services.moving import Moving
from app.services.photographs import Photographs
from app.services.rd_curve import RdCurves
from app.services.refining import Refining
from app.services.sharing import Sharing
from app.services.vision import VisionReadouts
from hsc.domains import domain
from hsc.weights.model_id import FACES, Model, model_of

__all__ = ["LARGEST_FILE", "LAYERS", "Photo", "Studio", "noun_of"]


def noun_of(model: Model | None = None) -> str:
    """What one subject of a model is called, of the one in use by default: ``face``."""
    model = model or model_of()
    return model.noun or domain(model.config.generator.domain).noun


class Studio:
    """One codec and every service over it, shared by all visitors. Nothing here knows Gradio.

    Args:
        load: makes the codec, in a thread of its own; what needs the codec waits for it.
        limit: bytes of all cached results, in memory only.
        model: the description of the codec's model; None: of the one in use.
        refine_by_itself: whether the page goes on searching for better files while nobody waits,
            where that is possible.
    """

    def __init__(
        self,
        load: Callable[[], FaceCodec],
        limit: int = LIMIT,
        model: Model | None = None,
        refine_by_itself: bool = False,
    ) -> None:
        self.model = model = model or model_of()
        self.executor = executor = Executor(load)
        self.cache = cache = SharedCache(limit)
        self.decoding = decoding = Decoding(executor, cache)
        self.compression = compression = Compression(executor, decoding, cache, model)
        self.editing = Editing(compression, cache)
        self.morph = Morph(decoding)
        self.explorer = Explorer(compression, cache)
        self.measures = Measures(cache, self.of_faces)
        self.refining = Refining(compression, self.measures, cache)
        self.refines_by_itself = refine_by_itself and self.refining.possible
        self.batches = Batches(compression, self.measures)
        self.baselines = Baselines(self.measures, cache)
        self.vision = VisionReadouts(compression, cache)
        self.bit_allocation = BitAllocations(decoding, cache, self.of_faces)
        self.rd_curve = RdCurves(compression, self.measures, cache)
        self.decode_tools = DecodeTools(decoding)
        self.photographs = Photographs(compression, cache)
        self.moving = Moving(executor, cache)
        self.live = Live(executor)
        self.sharing = Sharing(decoding, self.baselines, cache)

    @property
    def of_faces(self) -> bool:
        """Whether the model shows faces: only then there are identity and read-outs."""
        return domain(self.model.config.generator.domain).has_identity

    @property
    def noun(self) -> str:
        """What one subject of the model is called."""
        return noun_of(self.model)

    @property
    def shows(self) -> str:
        """What another model than the shipped one shows, in words; "" for the shipped one."""
        return "" if self.model == FACES else self.model.shows

    @property
    def ready(self) -> bool:
        """Whether the codec is loaded (or has failed to load)."""
        return self.executor.ready

    @property
    def codec(self) -> FaceCodec:
        """The codec; waits until it is loaded. Raises HscError when it could not be."""
        return self.executor.codec

    def prepare(self, photo: Photo, face: int = 0, align: bool = True) -> Prepared:
        """Find the faces of a photo and cut one out; see `Compression.prepare`."""
        return self.compression.prepare(photo, face, align)

    def steps(
        self,
        photo: Photo,
        level: float = 3,
        face: int = 0,
        align: bool = True,
        drafts: bool = False,
        cancelled: Callable[[], bool] | None = None,
    ) -> Iterator[Compressed]:
        """Compress a photo, and yield the result as it grows; see `Compression.steps`."""
        return self.compression.steps(photo, level, face, align, drafts, cancelled)

    def compress(
        self,
        photo: Photo,
        level: float = 3,
        face: int = 0,
        align: bool = True,
        layers: str = "scn+fcn",
    ) -> Compressed:
        """Compress a photo and render it from its bytes: the last of `steps`, or the first with the
        picture of `layers`."""
        for result in self.steps(photo, level, face, align):
            if layers == "scn" and result.picture_scn is not None:
                break
        return result

    def level_within(
        self, photo: Photo, max_bytes: int, face: int = 0, align: bool = True
    ) -> float:
        """The level that fits a number of bytes; see `Compression.level_within`."""
        return self.compression.level_within(self.prepare(photo, face, align), max_bytes)

    def refine(
        self,
        plain: Compressed,
        cancelled: Callable[[], bool] = lambda: False,
        max_bytes: int | None = None,
    ) -> Iterator[Compressed]:
        """Search for a better file of a result; see `Compression.refine`."""
        return self.compression.refine(plain, cancelled, max_bytes)

    def decode(
        self,
        data: bytes,
        layers: str = "scn+fcn",
        edits: Mapping[str, float] | None = None,
        keep_details: float = 1.0,
    ) -> Decoded:
        """Render a .hsc file; see `Decoding.decode`."""
        return self.decoding.decode(data, layers, edits, keep_details)

    def random_face(self, seed: int) -> Image.Image:
        """A face that the generator made up, the same for the same seed."""
        return self.executor.run(random_face, int(seed))
