"""From a file to pictures, previews and edits, from the bytes and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from PIL import Image

from app.cache import Cache, SharedCache, fingerprint
from app.executor import Executor
from app.protocols import FaceCodec
from app.results import Decoded, Edits, FileFacts, facts_of
from app.services.batched_calls import (
    Rendered,
    Timed,
    draw,
    open_file,
    preview,
    render_layers,
    with_opened,
)
from hsc.bitstream import with_layers
from hsc.errors import BitstreamError, HscError
from hsc.images import marks
from hsc.weights.model_id import model_of

if TYPE_CHECKING:  # it brings PyTorch, for which the page does not wait
    from hsc.types import DecodedLatents

LAYERS = ("scn", "fcn", "scn+fcn")
LARGEST_FILE = 1 << 20  # bytes; a face takes a few thousand

Args = ParamSpec("Args")
Value = TypeVar("Value")
NO_EDITS = Edits()


class Decoding:
    """Renders files; each is opened once, and cached with its last pictures."""

    def __init__(self, executor: Executor, cache: SharedCache) -> None:
        self.executor = executor
        self._opened: Cache[Timed[DecodedLatents]] = Cache(cache)
        self._pictures: Cache[Timed[Image.Image]] = Cache(cache)
        self._previews: Cache[Image.Image] = Cache(cache)

    def render(
        self, data: bytes, layers: str = "scn+fcn", edits: Edits = NO_EDITS
    ) -> Timed[Image.Image]:
        """The picture of a file at full size, and the seconds of its first rendering."""
        key = fingerprint(data), layers, edits
        picture = self._pictures.get(key)
        if picture is None:
            rendered = self.call_opened(draw, [(data, layers)], edits.amounts, edits.keep_details)
            opened = self._opened.get((fingerprint(data), layers))
            seconds = rendered.seconds + (opened.seconds if opened else 0.0)
            marked = marks.put(rendered.value, _mark(data, layers, edits))
            picture = self._pictures.put(key, Timed(marked, seconds))
        return picture

    def preview(self, data: bytes, layers: str = "scn+fcn", edits: Edits = NO_EDITS) -> Image.Image:
        """A small version of `render`, fast enough to follow a slider."""
        files = [(data, layers)]

        def rendered() -> Image.Image:
            call = self.call_opened(preview, files, edits.amounts, edits.keep_details)
            return marks.put(call.value, _mark(data, layers, edits))

        return self._previews.get_or_make((fingerprint(data), layers, edits), rendered)

    def open(self, data: bytes, layers: str = "scn+fcn") -> DecodedLatents:
        """A file whose bits have been read, as the codec's `open`."""
        return self._opened.get_or_make(
            (fingerprint(data), layers), lambda: self.executor.run(open_file, data, layers)
        ).value

    def call_opened(
        self,
        call: Callable[Concatenate[FaceCodec, Sequence[DecodedLatents], Args], Value],
        files: Sequence[tuple[bytes, str]],
        *args: Args.args,
        **options: Args.kwargs,
    ) -> Timed[Value]:
        """The value of a function of opened files, and its seconds. Files that are not open yet
        are opened in the same call, and cached.

        Args:
            files: each with the layers to open.
        """
        keys = [(fingerprint(data), layers) for data, layers in files]
        known = [self._opened.get(key) for key in keys]
        given: list[tuple[bytes, str] | DecodedLatents] = [
            file if was is None else was.value for file, was in zip(files, known, strict=True)
        ]
        opened, value = self.executor.run(with_opened, given, call, *args, **options)
        for number, read in opened.items():
            self._opened.put(keys[number], read)
        return value

    def render_all(self, data: bytes, choices: Sequence[str]) -> None:
        """Render several choices of a file's layers in one call of the codec."""
        missing = tuple(layers for layers in choices if not self.is_cached(data, layers))
        if missing:
            self.put(data, self.executor.run(render_layers, data, missing))

    def put(self, data: bytes, rendered: Mapping[str, Rendered]) -> None:
        """Cache what `render_layers` returned."""
        for layers, each in rendered.items():
            key = fingerprint(data), layers
            self._opened.put(key, each.opened)
            seconds = each.opened.seconds + each.picture.seconds
            marked = marks.put(each.picture.value, _mark(data, layers, NO_EDITS))
            self._pictures.put((*key, NO_EDITS), Timed(marked, seconds))

    def is_cached(self, data: bytes, layers: str, edits: Edits = NO_EDITS) -> bool:
        """Whether `render` would answer at once."""
        return (fingerprint(data), layers, edits) in self._pictures

    def size(self, data: bytes, layers: str) -> int:
        """Bytes of the file with these layers alone."""
        return len(with_layers(data, layers))

    def decode(
        self,
        data: bytes,
        layers: str = "scn+fcn",
        edits: Mapping[str, float] | None = None,
        keep_details: float = 1.0,
    ) -> Decoded:
        """Render a .hsc file.

        Args:
            data: the file.
            layers: one of LAYERS.
            edits: amount by name; those of 0 are left out.
            keep_details: how much of FCN's detail to keep under an edit, from 0 to 1.

        A file without FCN is rendered as SCN only when both layers are asked for, and one with a
        damaged FCN still draws when only SCN is.

        Raises:
            BitstreamError: the bytes are no readable file, or have no FCN to draw alone.
            HscError: the layers or an edit are unknown.
        """
        data, layers, facts = self.readable(data, layers)
        picture = self.render(data, layers, Edits.of(edits, keep_details))
        return Decoded(picture.value, layers, facts, picture.seconds)

    def readable(self, data: bytes, layers: str) -> tuple[bytes, str, FileFacts]:
        """Check a file of unknown origin: the bytes and layers that can be rendered, and its facts.

        Raises:
            BitstreamError, HscError: as `decode`.
        """
        if layers not in LAYERS:
            raise HscError(f"The layers must be one of {', '.join(LAYERS)}, not {layers!r}.")
        if len(data) > LARGEST_FILE:
            raise BitstreamError("This is not a .hsc file: it is far too large for one.")
        if layers == "scn":
            data = _intact(data)
        codec = self.executor.codec
        facts = facts_of(
            data,
            {codec.model_id: codec.model_name},
            model_of().config.generator.image_px,
        )
        if "fcn" not in facts["layers"]:
            if layers == "fcn":
                raise BitstreamError("This file has no FCN layer: draw its SCN layer instead.")
            layers = "scn"
        return data, layers, facts


def _mark(data: bytes, layers: str, edits: Edits) -> marks.Mark:
    return marks.decoded(data, layers, edits.amounts, edits.keep_details)


def _intact(data: bytes) -> bytes:
    """The file as it is, or only its SCN layer where the FCN layer is damaged or cut."""
    try:
        facts_of(data)
    except BitstreamError:
        return with_layers(data, "scn")
    return data
