"""From a photo to its file: read, find and cut out the face, analyse, code, and refine on request.

Each stage is cached, so that another face, another level or a refinement repeats only what it must.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from app.cache import Cache, SharedCache, fingerprint
from app.executor import Executor, one_core
from app.results import Compressed, LevelSize, Prepared, Progress, facts_of
from app.services.batched_calls import (
    Encoded,
    Timed,
    about_bytes,
    analyse,
    analyse_in_steps,
    draft,
    encode,
    encode_in_steps,
    encode_within,
    refine,
)
from app.services.decoding import Decoding
from hsc.bitstream import with_layers
from hsc.domains import domain, select, tried_turns
from hsc.domains.centre_crop import crop_centre
from hsc.domains.ffhq_face import Face
from hsc.errors import NoFaceError, PhotoError
from hsc.images.photo import read_photo
from hsc.levels import LEVELS, REFINE_STEPS
from hsc.weights.model_id import Model

if TYPE_CHECKING:  # it brings PyTorch, for which the page does not wait
    from hsc.types import Inversion

MAX_FACES = 12  # offered for choosing
THUMBNAIL = 160  # pixels
RESULT_LAYERS = ("scn", "scn+fcn")
"""What a result shows of its file."""

Photo = Image.Image | bytes | str | Path
"""A picture, the bytes of a picture file, or its path."""


class Compression:
    """From photos to files, and to results with the pictures of those files."""

    def __init__(
        self, executor: Executor, decoding: Decoding, cache: SharedCache, model: Model
    ) -> None:
        self.executor = executor
        self.model = model
        self.decoding = decoding
        self._faces: Cache[list[Face]] = Cache(cache)
        self._prepared: Cache[Prepared] = Cache(cache)
        self._inversions: Cache[Timed[Inversion]] = Cache(cache)
        self._levels: Cache[float] = Cache(cache)
        self._files: Cache[tuple[bytes, dict[str, float]]] = Cache(cache)
        self._about: Cache[int] = Cache(cache)
        self._refined: Cache[Timed[bytes]] = Cache(cache)

    def prepare(self, photo: Photo, face: int = 0, align: bool = True) -> Prepared:
        """Find the faces of a photo and cut one out.

        Args:
            face: which one, 0 being the largest.
            align: False takes the centre of the picture instead.

        Raises:
            NoFaceError: no face was found.
            PhotoError: the picture is unusable, or has no face of that number.
        """
        started = time.perf_counter()
        if isinstance(photo, (str, Path)):
            photo = _read_file(Path(photo))
        key = fingerprint(photo)
        upload_bytes = None if isinstance(photo, Image.Image) else len(photo)
        prepared_key = (key, face if align else None, upload_bytes)
        prepared = self._prepared.get(prepared_key)
        if prepared is None:
            with self.executor.waited_for(), one_core():
                image = read_photo(photo)
                crop, thumbnails = self._cut(image, key, face if align else None)
            share = self._share(image, key, face if align else None)
            seconds = time.perf_counter() - started
            prepared = Prepared(crop, fingerprint(crop), thumbnails, upload_bytes, seconds, share)
            self._prepared.put(prepared_key, prepared)
        return prepared

    def steps(
        self,
        photo: Photo,
        level: float = 3,
        face: int = 0,
        align: bool = True,
        drafts: bool = False,
        cancelled: Callable[[], bool] | None = None,
    ) -> Iterator[Compressed]:
        """Compress a photo, and hand over the result as it grows: the crop, the file, what SCN
        draws, what SCN + FCN draw. Whatever follows at once comes with what is before it, so a
        cached result comes whole.

        Args:
            drafts: where the file takes long, hand over a draft first, as it grows.
            cancelled: whether nobody waits any more. Where the file takes long it is then made in
                steps, each of them handed over, and not made to the end.

        Raises:
            HscError: what `prepare` raises, or the level is out of range.
        """
        prepared = self.prepare(photo, face, align)
        level = round(float(level), 2)
        result = Compressed(prepared, level)
        file = self._files.get((prepared.key, level))
        if file is None:
            yield result
            render = RESULT_LAYERS if self.executor.remote else ()
            inversion = self._inversions.get(prepared.key)
            if cancelled and self._takes_long(inversion):
                yield from self._in_steps(result, inversion, drafts, cancelled)
                if cancelled():
                    return
                file = self._files.get((prepared.key, level))
            file = file or self._put(
                prepared, level, self.executor.run(encode, prepared.crop, inversion, level, render)
            )
        data, seconds = file
        yield from self.render_steps(
            replace(
                result,
                data=data,
                seconds={"find": prepared.seconds} | seconds,
                device=str(self.executor.codec.device),
            )
        )

    def render_steps(self, result: Compressed) -> Iterator[Compressed]:
        """Render a result's file: yields it without pictures, with that of SCN, and with both."""
        data, decoding = result.file(), self.decoding
        if self.executor.remote:
            decoding.render_all(data, RESULT_LAYERS)
        if not decoding.is_cached(data, "scn"):
            yield result
        scn = decoding.render(data, "scn")
        seconds = dict(result.seconds) | {"draw SCN": scn.seconds}
        result = replace(result, picture_scn=scn.value, seconds=seconds)
        if not decoding.is_cached(data, "scn+fcn"):
            yield result
        both = decoding.render(data, "scn+fcn")
        seconds = seconds | {"draw SCN + FCN": both.seconds}
        yield replace(result, picture_both=both.value, seconds=seconds)

    def refine(
        self,
        plain: Compressed,
        cancelled: Callable[[], bool] = lambda: False,
        max_bytes: int | None = None,
    ) -> Iterator[Compressed]:
        """Search for a better picture in as many bytes. Yields the old result with the progress,
        then the new file, then its pictures; nothing more once it is cancelled.

        Args:
            max_bytes: of the new file, which may have another level then.

        Raises:
            HscError: the codec cannot refine here.
        """
        key = (plain.prepared.key, plain.level, max_bytes)
        refined = self._refined.get(key)
        if refined is None:
            inversion = self.inversion(plain.prepared)
            for step in self.executor.steps(
                refine, cancelled, plain.crop, inversion, plain.level, REFINE_STEPS, max_bytes
            ):
                if isinstance(step, Progress):
                    yield replace(plain, refining=step)
                else:
                    refined = self._refined.put(key, step)
            if refined is None:
                return
        result = replace(
            plain,
            level=facts_of(refined.value)["level"],
            data=refined.value,
            seconds=dict(plain.seconds) | {"refine": refined.seconds},
            refined=REFINE_STEPS,
            picture_scn=None,
            picture_both=None,
        )
        yield from self.render_steps(result)

    def file(self, prepared: Prepared, level: float) -> bytes:
        """The file of a crop. Raises HscError when the level is out of range."""
        level = round(float(level), 2)
        file = self._files.get((prepared.key, level))
        if file is None:
            inversion = self._inversions.get(prepared.key)
            encoded = self.executor.run(encode, prepared.crop, inversion, level)
            file = self._put(prepared, level, encoded)
        return file[0]

    def level_within(self, prepared: Prepared, max_bytes: int) -> float:
        """The level whose file is the largest of at most ``max_bytes``; the file is cached.

        Raises:
            HscError: not even the file of level 1 fits.
        """
        level = self._levels.get((prepared.key, max_bytes))
        if level is None:
            inversion = self._inversions.get(prepared.key)
            encoded = self.executor.run(encode_within, prepared.crop, inversion, max_bytes)
            level = facts_of(encoded.data)["level"]
            self._put(prepared, level, encoded)
            self._levels.put((prepared.key, max_bytes), level)
        return level

    def level_sizes(self, prepared: Prepared, layers: str = "scn+fcn") -> Iterator[LevelSize]:
        """The bytes of the file of each named level with these layers.

        Files that have not been asked for are not made, because their correction takes long: what
        is said of them is about their size.
        """
        inversion = self.inversion(prepared)
        for level in LEVELS:
            number = float(level.number)
            key = (prepared.key, number)
            exact = key in self._files or inversion.crop is None
            if exact:
                size = len(with_layers(self.file(prepared, number), layers))
            else:
                make = partial(self.executor.run, about_bytes, inversion, number, layers)
                size = self._about.get_or_make((*key, layers), make)
            yield LevelSize(level.number, size, exact)

    def inversion(self, prepared: Prepared) -> Inversion:
        """What the encoder finds in a crop, as the codec's `analyse`."""
        return self._inversions.get_or_make(
            prepared.key, lambda: self.executor.run(analyse, prepared.crop)
        ).value

    def _in_steps(
        self,
        result: Compressed,
        inversion: Timed[Inversion] | None,
        drafts: bool,
        cancelled: Callable[[], bool],
    ) -> Iterator[Compressed]:
        """A result as its file is made, after a draft of it if there is to be one."""
        shown = result
        if drafts:
            data = self.executor.run(draft, result.crop, inversion, result.level)
            for shown in self.render_steps(replace(result, data=data, draft=True)):
                yield shown
        for step in self._correct(result.prepared, result.level, inversion, cancelled):
            yield replace(shown, correcting=step)

    def _correct(
        self,
        prepared: Prepared,
        level: float,
        inversion: Timed[Inversion] | None,
        cancelled: Callable[[], bool],
    ) -> Iterator[Progress]:
        """Code a crop, and say after each gradient step how far it is. The crop is analysed and
        coded in calls of their own, between which others have their turn."""
        for_crop, for_level = self.executor.codec.gradient_steps(level)
        before = 0 if inversion else for_crop  # steps of the analysis
        if inversion is None and not cancelled():
            for step in self.executor.steps(analyse_in_steps, cancelled, prepared.crop):
                if isinstance(step, Progress):
                    yield Progress(step.done, before + for_level)
                else:
                    inversion = self._inversions.put(prepared.key, step)
        if inversion is None or cancelled():
            return
        for coded in self.executor.steps(encode_in_steps, cancelled, inversion, level):
            if isinstance(coded, Progress):
                yield Progress(before + coded.done, before + for_level)
            else:
                self._put(prepared, level, coded)

    def _takes_long(self, inversion: Timed[Inversion] | None) -> bool:
        """Whether a file takes many seconds: gradient steps on a CPU."""
        codec = self.executor.codec
        corrected = inversion is not None and inversion.value.crop is None
        return codec.corrects and codec.device.type == "cpu" and not corrected

    def _put(
        self, prepared: Prepared, level: float, encoded: Encoded
    ) -> tuple[bytes, dict[str, float]]:
        self._inversions.put(prepared.key, encoded.inversion)
        self.decoding.put(encoded.data, encoded.rendered)
        return self._files.put((prepared.key, level), (encoded.data, encoded.seconds))

    def _cut(
        self, image: Image.Image, key: str, face: int | None
    ) -> tuple[Image.Image, tuple[Image.Image, ...]]:
        """The square that the encoder takes, and thumbnails of the faces; None is the centre."""
        spec = self.model.config.generator
        if face is None:
            return crop_centre(image, spec.image_px), ()
        subject = domain(spec.domain)
        faces = self._faces.get_or_make(key, lambda: subject.find(image)[:MAX_FACES])
        if not faces:  # the library's sentence names an option of the command line
            where = tried_turns(subject)
            raise NoFaceError(f"No {subject.noun} was found in this picture{where}.")
        crop = subject.crop(image, select(subject, faces, face), spec.image_px)
        # cropping at full size takes longer than shrinking, so the chosen face's crop is reused
        small = crop.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
        return crop, tuple(
            small if number == face else subject.crop(image, each, THUMBNAIL)
            for number, each in enumerate(faces)
        )

    def _share(self, image: Image.Image, key: str, face: int | None) -> float:
        """The part of a photo's pixels that the crop of one of its faces takes."""
        if face is None:
            side = float(min(image.size))
        else:
            subject = domain(self.model.config.generator.domain)
            faces = self._faces.get_or_make(key, lambda: subject.find(image)[:MAX_FACES])
            side = subject.side(faces[face])
        return min(1.0, side**2 / (image.width * image.height))


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PhotoError("The picture could not be opened: try to upload it again.") from error
