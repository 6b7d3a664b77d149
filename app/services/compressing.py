"""Faces to files: analysed once, coded at every level that is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from app.recent import Memory, Recent
from app.results import Compressed, Prepared
from app.services.drawing import Drawing
from app.services.model import SharedModel
from app.services.photos import Photo, Photos
from app.services.together import LAYERS, Coded, Timed, coded, coded_and_drawn


class Compressing:
    """Photos to files and what they draw; the last ones are remembered."""

    def __init__(
        self, model: SharedModel, photos: Photos, drawing: Drawing, memory: Memory
    ) -> None:
        self.model = model
        self.photos = photos
        self.drawing = drawing
        self._latents: Recent[Timed] = Recent(memory)
        self._files: Recent[Coded] = Recent(memory)

    def steps(
        self, photo: Photo, level: float = 3, face: int = 0, align: bool = True
    ) -> Iterator[Compressed]:
        """Compress a photo, and hand over the result as it grows: the crop, the file, what SCN
        draws, what SCN + FCN draw. Whatever follows at once comes with what is before it, so a
        result that is remembered comes whole.

        Raises:
            HscError: what `prepare` raises, or the level is out of range.
        """
        prepared = self.photos.prepare(photo, face, align)
        level = round(float(level), 2)
        result = Compressed(prepared, level)
        if (prepared.key, level) not in self._files:
            yield result
            if self.model.borrows:
                self._at_once(prepared, level)
        times = {"find": prepared.seconds}
        data, spent = self.file(prepared, level)
        times |= spent
        device = str(self.model.codec.device)
        yield from self.drawn(replace(result, data=data, seconds=dict(times), device=device))

    def drawn(self, result: Compressed) -> Iterator[Compressed]:
        """Draw a result that has its file: as it is, with what SCN draws, and whole."""
        data, times = result.data, dict(result.seconds)
        if self.model.borrows:
            self.drawing.draw_all(data, LAYERS)
        for name, layers, label in (
            ("picture_scn", "scn", "draw SCN"),
            ("picture_both", "scn+fcn", "draw SCN + FCN"),
        ):
            if not self.drawing.remembers(data, layers):
                yield result
            picture, times[label] = self.drawing.draw(data, layers)
            result = replace(result, **{name: picture}, seconds=dict(times))
        yield result

    def file(self, prepared: Prepared, level: float) -> Coded:
        """The file of a crop, and the seconds that its stages took."""
        # in one piece, so that a remembered file needs no latents
        return self._files.get((prepared.key, level), lambda: self._file(prepared, level))

    def latents(self, prepared: Prepared) -> Timed:
        """What the encoder finds in a crop, as `codec.analyse`, and the seconds that it took."""
        return self._latents.get(
            prepared.key, lambda: self.model.run("analyse", prepared.crop)
        )

    def _file(self, prepared: Prepared, level: float) -> Coded:
        known = self._latents.known(prepared.key)
        (latents, file), _ = self.model.run(coded, prepared.crop, known, level)
        self._latents.keep(prepared.key, latents)
        return file

    def _at_once(self, prepared: Prepared, level: float) -> None:
        """Have the file made and drawn in one call, for each would wait for a device."""
        known = self._latents.known(prepared.key)
        (latents, file, drawn), _ = self.model.run(coded_and_drawn, prepared.crop, known, level)
        self._latents.keep(prepared.key, latents)
        self._files.keep((prepared.key, level), file)
        self.drawing.keep(file[0], drawn)
