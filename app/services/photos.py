"""Photos in: read, looked at for faces, and cut to the square that the encoder takes."""

from __future__ import annotations

import time
from pathlib import Path

from PIL import Image

from app.recent import Memory, Recent, fingerprint
from app.results import Prepared
from app.services.cores import beside
from hsc.config import FACE_1024
from hsc.domains.ffhq_face import crop_centre, crop_face, find_faces
from hsc.errors import NoFaceError, PhotoError
from hsc.images.photo import read_photo

MAX_FACES = 12  # offered for choosing
THUMBNAIL = 160  # pixels

Photo = Image.Image | bytes | str | Path


class Photos:
    """Remembers the last photos, so that choosing another face does not look again."""

    def __init__(self, memory: Memory) -> None:
        self._faces: Recent[list] = Recent(memory)
        self._prepared: Recent[Prepared] = Recent(memory)

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

    @beside()
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
            crop = crop_face(image, faces[face], FACE_1024.image_px)
        else:
            faces, crop = [], crop_centre(image, FACE_1024.image_px)
        # cutting a face out takes longer than making it small: the one that is cut out stands
        # for itself
        small = crop.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
        thumbnails = tuple(
            small if number == face else crop_face(image, each, THUMBNAIL)
            for number, each in enumerate(faces)
        )
        seconds = time.perf_counter() - started
        return Prepared(crop, fingerprint(crop), thumbnails, upload_bytes, seconds)


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PhotoError("The picture could not be opened: try to upload it again.") from error
