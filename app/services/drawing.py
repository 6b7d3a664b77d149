"""Pictures out of files: whole ones, previews and edits, from the bytes and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image

from app.recent import Memory, Recent, fingerprint
from app.results import Decoded, Look
from app.services.lending import Call
from app.services.model import SharedModel
from app.services.together import Drawn, File, Timed, drawn_each, opened_for
from hsc.bitstream import describe, with_layers
from hsc.errors import BitstreamError, HscError

LAYERS = ("scn", "fcn", "scn+fcn")
LARGEST_FILE = 1 << 20  # bytes; a face takes a few thousand


class Drawing:
    """Draws files, each opened once and remembered with its last pictures."""

    def __init__(self, model: SharedModel, memory: Memory) -> None:
        self.model = model
        self._opened: Recent[Timed] = Recent(memory)
        self._pictures: Recent[tuple[Image.Image, float]] = Recent(memory)
        self._previews: Recent[tuple[Image.Image, float]] = Recent(memory)

    def draw(
        self, data: bytes, layers: str = "scn+fcn", look: Look = Look()
    ) -> tuple[Image.Image, float]:
        """The picture of a file at full size, and the seconds that it took when it was drawn."""
        return self._pictures.get(
            (fingerprint(data), layers, look),
            lambda: self._timed("draw", data, layers, look),
        )

    def preview(self, data: bytes, layers: str = "scn+fcn", look: Look = Look()) -> Image.Image:
        """A small likeness of `draw`, fast enough to follow a slider."""
        picture, _ = self._previews.get(
            (fingerprint(data), layers, look),
            lambda: self._timed("preview", data, layers, look),
        )
        return picture

    def opened(self, data: bytes, layers: str = "scn+fcn") -> Timed:
        """A file whose bits have been read, as `codec.open`, and the seconds that took."""
        return self._opened.get(
            (fingerprint(data), layers),
            lambda: self.model.run("open", data, layers),
        )

    def through(self, call: Call, files: Sequence[File], *args: Any) -> Timed:
        """The value of a call that takes opened files first, and the seconds that it took. Files
        that are not open yet are opened in the same call, and remembered."""
        keys = [(fingerprint(data), layers) for data, layers in files]
        known = [self._opened.known(key) for key in keys]
        given = [file if was is None else was[0] for file, was in zip(files, known, strict=True)]
        (opened, made), _ = self.model.run(opened_for, given, call, *args)
        for number, read in opened.items():
            self._opened.keep(keys[number], read)
        return made

    def draw_all(self, data: bytes, choices: Sequence[str]) -> None:
        """Have several choices of a file's layers drawn, in one call of the model."""
        missing = tuple(layers for layers in choices if not self.remembers(data, layers))
        if missing:
            drawn, _ = self.model.run(drawn_each, data, missing)
            self.keep(data, drawn)

    def keep(self, data: bytes, drawn: Drawn) -> None:
        """Remember what `drawn_each` gave."""
        for layers, (opened, picture) in drawn.items():
            key = fingerprint(data), layers
            self._opened.keep(key, opened)
            self._pictures.keep((*key, Look()), (picture[0], opened[1] + picture[1]))

    def remembers(self, data: bytes, layers: str, look: Look = Look()) -> bool:
        """Whether `draw` would answer at once."""
        return (fingerprint(data), layers, look) in self._pictures

    def decode(
        self,
        data: bytes,
        layers: str = "scn+fcn",
        edits: Mapping[str, float] | None = None,
        keep_details: float = 1.0,
    ) -> Decoded:
        """Draw the picture of a .hsc file.

        Args:
            data: the file.
            layers: one of LAYERS.
            edits: amount by name of edit; those of 0 are left out.
            keep_details: how much of FCN's detail to keep under an edit, from 0 to 1.

        A file without FCN is drawn as SCN only when both layers are asked for, and one with a
        damaged FCN still draws when only SCN is.

        Raises:
            BitstreamError: the bytes are no readable file, or have no FCN to draw alone.
            HscError: the layers or an edit are unknown.
        """
        data, layers, facts = self.readable(data, layers)
        picture, seconds = self.draw(data, layers, Look.of(edits, keep_details))
        return Decoded(picture, layers, facts, seconds)

    def readable(self, data: bytes, layers: str) -> tuple[bytes, str, Mapping[str, Any]]:
        """What can be drawn of a file that anyone may have sent: its bytes, the layers, its facts.

        Raises:
            BitstreamError, HscError: as `decode`.
        """
        if layers not in LAYERS:
            raise HscError(f"The layers must be one of {', '.join(LAYERS)}, not {layers!r}.")
        if len(data) > LARGEST_FILE:
            raise BitstreamError("This is not a .hsc file: it is far too large for one.")
        if layers == "scn":
            data = _intact(data)
        codec = self.model.codec
        facts = describe(data, {codec.model_id: codec.model_name})
        if "fcn" not in facts["layers"]:
            if layers == "fcn":
                raise BitstreamError("This file has no FCN layer: draw its SCN layer instead.")
            layers = "scn"
        return data, layers, facts

    def _timed(
        self, call: str, data: bytes, layers: str, look: Look
    ) -> tuple[Image.Image, float]:
        picture, drawing = self.through(call, [(data, layers)], look.amounts, look.keep)
        _, reading = self._opened.known((fingerprint(data), layers)) or (None, 0.0)
        return picture, reading + drawing


def _intact(data: bytes) -> bytes:
    """The file as it is, or only its SCN layer where the FCN layer is damaged or cut."""
    try:
        describe(data)
    except BitstreamError:
        return with_layers(data, "scn")
    return data
