"""Many photographs at once: each to its file, a row of figures a photograph, one ZIP of all.

Photographs come as files or in ZIPs. A ZIP is read member by member and never unpacked to a folder;
what is hostile or no picture in it is refused before anything is computed.
"""

from __future__ import annotations

import csv
import io
import stat
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from PIL import Image

from app.services.compression import THUMBNAIL, Compression
from app.services.measure import Distances, Measures, likeness
from hsc.errors import HscError, PhotoError
from hsc.images import PICTURE_SUFFIXES, marks

MAX_PHOTOS = 50
MAX_PHOTO_BYTES = 30 << 20
"""Of one photograph, as a file or unpacked from a ZIP."""
MAX_UNPACKED = 600 << 20
"""Of all photographs in one ZIP."""
MAX_MEMBERS = 500
"""Entries of a ZIP, folders and a system's own files included."""
SYSTEM_FILES = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")
"""What systems put into ZIPs beside the pictures."""
PICTURE_QUALITY = 95
"""Of the WebP pictures in the result: the files beside them hold everything."""
COLUMNS = (
    "photo", "file", "bytes", "level", "dlib", "faceres", "lpips_256", "likeness", "problem",
)  # fmt: skip


@dataclass(frozen=True)
class BatchPhoto:
    """A photograph that waits: a file, or a member of a ZIP.

    Attributes:
        name: as the visitor knows it.
        path: of the file or of the ZIP.
        member: name within the ZIP; None for a file.
    """

    name: str
    path: Path
    member: str | None = None

    def read(self) -> bytes:
        """Its bytes. Raises PhotoError when they cannot be read or are too many."""
        try:
            if self.member is None:
                if self.path.stat().st_size > MAX_PHOTO_BYTES:
                    raise PhotoError(_too_large(self.name))
                return self.path.read_bytes()
            with zipfile.ZipFile(self.path) as archive, archive.open(self.member) as file:
                data = file.read(MAX_PHOTO_BYTES + 1)  # whatever size its header claims
        except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
            raise PhotoError(f"{self.name} cannot be read: try another copy of it.") from error
        except Exception as error:  # zlib's and lzma's own kinds
            raise PhotoError(f"{self.name} is damaged: try another copy of it.") from error
        if len(data) > MAX_PHOTO_BYTES:
            raise PhotoError(_too_large(self.name))
        return data


@dataclass(frozen=True)
class BatchRow:
    """What became of one photograph.

    Attributes:
        name: of the photograph.
        stem: of its files in the ZIP.
        data: the .hsc file; None where there is a problem.
        level: of the file.
        crop, thumbnail: small pictures of the face before and after.
        picture: the decoded picture as a WebP file.
        distances: how near it is to the crop; None where there is a problem.
        words: what both recognisers say of it; "" where they see no face.
        problem: one sentence, "" where there is none.
    """

    name: str
    stem: str
    data: bytes | None = None
    level: float = 0.0
    crop: Image.Image | None = None
    thumbnail: Image.Image | None = None
    picture: bytes = b""
    distances: Distances | None = None
    words: str = ""
    problem: str = ""


@dataclass(frozen=True)
class BatchResult:
    """The rows so far.

    Attributes:
        rows: of the photographs that are done.
        total: photographs of the batch.
        doing: name of the one on its way; "" at the end.
        cancelled: whether it was stopped before the end.
    """

    rows: tuple[BatchRow, ...] = ()
    total: int = 0
    doing: str = ""
    cancelled: bool = False


class Batches:
    """Photographs one after the other, with the services that the page has for one."""

    def __init__(self, compression: Compression, measures: Measures) -> None:
        self.compression, self.measures = compression, measures

    def steps(
        self,
        photos: Sequence[BatchPhoto],
        level: float,
        max_bytes: int | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[BatchResult]:
        """Compress photographs, and yield the rows before each one and at the end.

        Args:
            level: of every file.
            max_bytes: the largest file of at most so many bytes instead, for each.
            cancelled: asked before each photograph; what is done stays.
        """
        rows: tuple[BatchRow, ...] = ()
        stems: set[str] = set()
        for photo in photos:
            if cancelled():
                yield BatchResult(rows, len(photos), cancelled=True)
                return
            yield BatchResult(rows, len(photos), photo.name)
            stem = _unique(Path(photo.name).stem or "photo", stems)
            rows += (self._row(photo, stem, level, max_bytes),)
        yield BatchResult(rows, len(photos))

    def _row(self, photo: BatchPhoto, stem: str, level: float, max_bytes: int | None) -> BatchRow:
        try:
            data = photo.read()
            if max_bytes is not None:
                prepared = self.compression.prepare(data)
                level = self.compression.level_within(prepared, max_bytes)
            *_, result = self.compression.steps(data, level)
        except HscError as error:
            return BatchRow(photo.name, stem, problem=_sentence(str(error)))
        picture = result.picture_both
        assert picture is not None, "a finished result has its pictures"
        distances = self.measures.measure(result.crop, picture)
        said = likeness(distances)
        small = (THUMBNAIL, THUMBNAIL)
        written = io.BytesIO()
        marks.save(picture, written, "WEBP", quality=PICTURE_QUALITY)
        return BatchRow(
            photo.name,
            stem,
            result.file(),
            result.level,
            result.crop.resize(small, Image.Resampling.LANCZOS),
            picture.resize(small, Image.Resampling.LANCZOS),
            written.getvalue(),
            distances,
            said.words if said else "",
        )


def collect(paths: Sequence[str | Path]) -> list[BatchPhoto]:
    """The photographs in files and ZIPs, in their order.

    Raises:
        PhotoError: there are none or too many, or a ZIP is no ZIP, is a bomb, has paths that lead
            out of it, or has something else than pictures in it.
    """
    photos: list[BatchPhoto] = []
    for path in map(Path, paths):
        if path.suffix.lower() == ".zip":
            photos += _members(path)
        else:
            photos.append(BatchPhoto(path.name, path))
    if not photos:
        raise PhotoError("There is no photograph among these: choose pictures, or a ZIP of them.")
    if len(photos) > MAX_PHOTOS:
        raise PhotoError(
            f"These are {len(photos)} photographs, and a batch has up to {MAX_PHOTOS}: "
            "make it two batches."
        )
    return photos


def archive(result: BatchResult) -> bytes:
    """A ZIP with the .hsc file and the picture of every row, and table.csv."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as made:  # nothing in it gets smaller
        made.writestr("table.csv", table(result.rows))
        for row in result.rows:
            if row.data is not None:
                made.writestr(f"{row.stem}.hsc", row.data)
                made.writestr(f"{row.stem}.webp", row.picture)
    return written.getvalue()


def table(rows: Sequence[BatchRow]) -> str:
    """The rows as CSV, COLUMNS first."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    for row in rows:
        line = {key: _cell(value) for key, value in facts(row).items()}
        writer.writerow(line | ({"level": f"{row.level:g}"} if line["level"] else {}))
    return text.getvalue()


def facts(row: BatchRow) -> dict[str, Any]:
    """A photograph's figures by COLUMNS; None where there is none."""
    near, done = row.distances or Distances(), row.data is not None
    return {
        "photo": row.name,
        "file": f"{row.stem}.hsc" if done else None,
        "bytes": len(row.data) if row.data is not None else None,
        "level": row.level if done else None,
        "dlib": near.identity,
        "faceres": near.faceres,
        "lpips_256": near.lpips,
        "likeness": row.words,
        "problem": row.problem,
    }


def _members(path: Path) -> list[BatchPhoto]:
    """The photographs of a ZIP. Raises PhotoError as ``collect``."""
    try:
        with zipfile.ZipFile(path) as opened:
            members = opened.infolist()
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise PhotoError(f"{path.name} is no ZIP, or is damaged: pack it again.") from error
    if len(members) > MAX_MEMBERS:
        raise PhotoError(f"{path.name} has {len(members):,} entries: pack up to {MAX_PHOTOS}.")
    photos, unpacked = [], 0
    for member in members:
        name = member.filename
        if member.is_dir() or any(part in name for part in SYSTEM_FILES):
            continue
        parts = PurePosixPath(name.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or ":" in parts.parts[0]:
            raise PhotoError(f"{path.name} has a path that leads out of it: pack it again.")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise PhotoError(f"{path.name} has links in it: pack the pictures themselves.")
        if member.flag_bits & 1:
            raise PhotoError(f"{path.name} has a password: pack it without one.")
        if parts.suffix.lower() not in PICTURE_SUFFIXES:
            raise PhotoError(
                f"{path.name} has something else than pictures in it, {_short(parts.name)}: "
                "pack pictures only."
            )
        unpacked += member.file_size
        if member.file_size > MAX_PHOTO_BYTES or unpacked > MAX_UNPACKED:
            raise PhotoError(
                f"{path.name} unpacks to more than {MAX_PHOTO_BYTES >> 20} MB a picture or "
                f"{MAX_UNPACKED >> 20} MB in all: pack fewer or smaller pictures."
            )
        photos.append(BatchPhoto(parts.name, path, name))
    return photos


def _too_large(name: str) -> str:
    return f"{_short(name)} has more than {MAX_PHOTO_BYTES >> 20} MB: make it smaller first."


def _short(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:37]}…"


def _unique(stem: str, taken: set[str]) -> str:
    """A name for files that no other photograph of the batch has, whatever the case."""
    name, number = stem, 2
    while name.lower() in taken:
        name, number = f"{stem}-{number}", number + 1
    taken.add(name.lower())
    return name


def _cell(value: Any) -> str:
    """A figure or a name for a table; no spreadsheet takes a name for a formula."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}"
    text = str(value)
    return f"'{text}" if text[:1] in tuple("=+-@\t\r") else text


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
