"""The studio without its page: photos and bytes in, frozen results out.

Every decoded picture is drawn from the file's bytes, never from what the encoder still knows.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from app.recent import Recent, fingerprint
from app.results import SIDE, Compressed, Decoded, Prepared, file_with
from hsc.bitstream import describe
from hsc.errors import BitstreamError, HscError, NoFaceError, PhotoError
from hsc.faces import crop_centre, crop_face, find_faces, read_photo

log = logging.getLogger(__name__)

LAYERS = ("scn", "fcn", "scn+fcn")
MAX_FACES = 12  # offered for choosing
THUMBNAIL = 160  # pixels
LARGEST_FILE = 1 << 20  # bytes; a face takes a few thousand

Photo = Image.Image | bytes | str | Path


class Studio:
    """One codec, shared by all visitors.

    Args:
        load: makes the codec. It runs at once in a thread of its own, so that the page can be
            shown meanwhile; what needs the codec waits for it.
        keep: how many faces and pictures are remembered, in memory only.
    """

    def __init__(self, load: Callable[[], Any], keep: int = 16) -> None:
        self._model = threading.Lock()
        self._faces: Recent[list] = Recent(keep)
        self._prepared: Recent[Prepared] = Recent(keep)
        self._latents: Recent[tuple[Any, float]] = Recent(keep)
        self._files: Recent[tuple[bytes, dict[str, float]]] = Recent(4 * keep)
        self._pictures: Recent[tuple[Image.Image, float]] = Recent(keep)
        self._loaded = threading.Event()
        self._codec: Any = None
        self._failure: Exception | None = None
        threading.Thread(target=self._load, args=(load,), daemon=True).start()

    def _load(self, load: Callable[[], Any]) -> None:
        try:
            self._codec = load()
        except Exception as error:  # kept, and raised in whoever needs the codec
            log.exception("the codec could not be loaded")
            self._failure = error
        finally:
            self._loaded.set()

    @property
    def ready(self) -> bool:
        """Whether the codec is loaded (or has failed to load)."""
        return self._loaded.is_set()

    @property
    def codec(self) -> Any:
        """The codec; waits until it is loaded.

        Raises:
            HscError: it could not be loaded.
        """
        self._loaded.wait()
        if isinstance(self._failure, HscError):
            raise self._failure
        if self._failure is not None:
            raise HscError("The model could not be loaded: see the log.") from self._failure
        return self._codec

    def prepare(self, photo: Photo, face: int = 0, align: bool = True) -> Prepared:
        """Find the faces of a photo and cut one out.

        Args:
            photo: a picture, the bytes of a picture file, or its path.
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
        return self._prepared.get(
            (key, face if align else None, upload_bytes),
            lambda: self._prepare(photo, key, upload_bytes, face, align, started),
        )

    def _prepare(
        self,
        photo: Photo,
        key: str,
        upload_bytes: int | None,
        face: int,
        align: bool,
        started: float,
    ) -> Prepared:
        image = read_photo(photo)
        if align:
            faces = self._faces.get(key, lambda: find_faces(image)[:MAX_FACES])
            if not faces:
                raise NoFaceError("No face was found in this picture.")
            if not 0 <= face < len(faces):
                raise PhotoError(
                    f"There is no face number {face}: this picture has {len(faces)}, counted "
                    "from 0."
                )
            crop = crop_face(image, faces[face], SIDE)
        else:
            faces, crop = [], crop_centre(image, SIDE)
        thumbnails = tuple(crop_face(image, each, THUMBNAIL) for each in faces)
        seconds = time.perf_counter() - started
        return Prepared(crop, fingerprint(crop), thumbnails, upload_bytes, seconds)

    def steps(
        self, photo: Photo, level: float = 3, face: int = 0, align: bool = True
    ) -> Iterator[Compressed]:
        """Compress a photo, and hand over the result as it grows: the crop, the file, what SCN
        draws, what SCN + FCN draw. Whatever follows at once comes with what is before it, so a
        result that is remembered comes whole.

        Raises:
            HscError: what `prepare` raises, or the level is out of range.
        """
        prepared = self.prepare(photo, face, align)
        level = round(float(level), 2)
        result = Compressed(prepared, level)
        if (prepared.key, level) not in self._files:
            yield result
        codec = self.codec
        times = {"find": prepared.seconds}
        # in one piece, so that a remembered file needs no latents
        data, spent = self._files.get((prepared.key, level), lambda: self._file(prepared, level))
        times |= spent
        result = replace(result, data=data, seconds=dict(times), device=str(codec.device))
        for name, layers, label in (
            ("picture_scn", "scn", "draw SCN"),
            ("picture_both", "scn+fcn", "draw SCN + FCN"),
        ):
            if not self._remembers(data, layers):
                yield result
            picture, times[label] = self._draw(data, layers, {})
            result = replace(result, **{name: picture}, seconds=dict(times))
        yield result

    def _file(self, prepared: Prepared, level: float) -> tuple[bytes, dict[str, float]]:
        """The file of a crop, and the seconds that its stages took."""
        codec = self.codec
        latents, analysed = self._latents.get(
            prepared.key, lambda: self._timed(lambda: codec.analyse(prepared.crop))
        )
        data, coded = self._timed(lambda: codec.compress(latents, level))
        return data, {"analyse": analysed, "compress": coded}

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

    def decode(
        self, data: bytes, layers: str = "scn+fcn", edits: Mapping[str, float] | None = None
    ) -> Decoded:
        """Draw a file's bytes.

        Args:
            data: a .hsc file.
            layers: one of `LAYERS`.
            edits: amount by name of edit; those of 0 are left out.

        A file without FCN is drawn as SCN only when both layers are asked for, and one with a
        damaged FCN still draws when only SCN is.

        Raises:
            BitstreamError: the bytes are no readable file, or have no FCN to draw alone.
            HscError: the layers or an edit are unknown.
        """
        if layers not in LAYERS:
            raise HscError(f"The layers must be one of {', '.join(LAYERS)}, not {layers!r}.")
        if len(data) > LARGEST_FILE:
            raise BitstreamError("This is not a .hsc file: it is far too large for one.")
        if layers == "scn":
            data = _intact(data)
        codec = self.codec
        facts = describe(data, {codec.model_id: codec.model_name})
        if "fcn" not in facts["layers"]:
            if layers == "fcn":
                raise BitstreamError("This file has no FCN layer: draw its SCN layer instead.")
            layers = "scn"
        wanted = {name: float(amount) for name, amount in (edits or {}).items() if amount}
        picture, seconds = self._draw(data, layers, wanted)
        return Decoded(picture, layers, facts, seconds)

    def random_face(self, seed: int) -> Image.Image:
        """A face that the generator made up, the same for the same seed."""
        codec = self.codec
        with self._model:
            return codec.random_face(int(seed))

    def _draw(
        self, data: bytes, layers: str, edits: Mapping[str, float]
    ) -> tuple[Image.Image, float]:
        codec = self.codec
        return self._pictures.get(
            _picture_key(data, layers, edits),
            lambda: self._timed(lambda: codec.decode(data, layers, dict(edits) or None)),
        )

    def _remembers(self, data: bytes, layers: str) -> bool:
        return _picture_key(data, layers, {}) in self._pictures

    def _timed(self, call: Callable[[], Any]) -> tuple[Any, float]:
        """The value of a call to the model, one at a time, and the seconds that it took."""
        with self._model:
            started = time.perf_counter()
            value = call()
            return value, time.perf_counter() - started


def _picture_key(data: bytes, layers: str, edits: Mapping[str, float]) -> tuple:
    return fingerprint(data), layers, tuple(sorted(edits.items()))


def _intact(data: bytes) -> bytes:
    """The file as it is, or only its SCN layer where the FCN layer is damaged or cut."""
    try:
        describe(data)
    except BitstreamError:
        return file_with(data, "scn")
    return data


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PhotoError("The picture could not be opened: try to upload it again.") from error
