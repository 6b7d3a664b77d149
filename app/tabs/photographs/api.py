"""The endpoints of photographs.

photographs  a photograph in, its .hscp file, the picture drawn from it and its parts out
batch        many photographs in, a ZIP of their largest faces' files and a table out
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import gradio as gr

from app.components.api import (
    PUBLIC,
    edit_amounts,
    level_input,
    number,
    picture_output,
    require,
)
from app.components.events import friendly
from app.components.images import PhotoInput
from app.files import keep_bytes, keep_picture
from app.services.batch import archive, collect, facts
from app.services.photographs import BACKGROUND_BYTES, last, parts
from app.studio import Studio
from hsc.errors import HscError


def add(studio: Studio) -> None:
    """Add the endpoints inside a hidden column."""

    @friendly
    def photographs(
        photo: str,
        level: float = 3.0,
        background_bytes: int = BACKGROUND_BYTES,
        skip: list | None = None,
        edits: dict | None = None,
    ) -> tuple[str, str, list]:
        """Compress a photograph with all of its faces, and draw it from the file.

        Args:
            photo: a picture file of any common kind.
            level: bitrate level of every face, from 1 (smallest) to 6.
            background_bytes: budget of what is not a face.
            skip: numbers of faces that stay in the background, 0 being the largest.
            edits: by number of a face, amount by name of edit, for example
                {"0": {"smile": 0.5}}.

        Returns:
            The .hscp file, the picture that it draws, and its parts with their bytes.
        """
        require(photo, "a photograph")
        service = studio.photographs
        left = _numbers(skip)
        amounts = _by_face(edits)
        found = service.find(photo)
        budget = int(number(background_bytes, "budget of the background"))
        coded = last(service.encode_steps(found, number(level, "level"), budget, left))
        places = {face: place for place, face in enumerate(coded.coded)}
        for face in amounts:
            if face not in places:
                raise HscError(f"There is no face {face} to edit: it was not found, or skipped.")
        shown = last(
            service.decode_steps(
                coded.data, (), {places[face]: each for face, each in amounts.items()}
            )
        )
        return (
            keep_bytes(coded.data, "photograph.hscp"),
            keep_picture(shown.picture, "photograph.png"),
            [asdict(part) for part in parts(coded.file, coded.coded)],
        )

    inputs = [
        PhotoInput(label="photo"),
        level_input(),
        gr.Number(BACKGROUND_BYTES, precision=0, label="Bytes for the background"),
        gr.JSON([], label="Faces to leave in the background"),
        gr.JSON({}, label="Edits by face"),
    ]
    outputs = [gr.File(label="hscp file"), picture_output(), gr.JSON(label="parts")]
    gr.Button("photographs").click(photographs, inputs, outputs, api_name="photographs", **PUBLIC)
    _add_batch(studio)


def _add_batch(studio: Studio) -> None:
    @friendly
    def batch(photos: list, level: float = 3.0, max_bytes: int | None = None) -> tuple[str, list]:
        """Compress the largest face of many photographs, all to one level or into one size.

        Args:
            photos: up to 50 picture files, or ZIPs of them.
            level: bitrate level of every file, from 1 (smallest) to 6.
            max_bytes: instead of a level, the largest size of a file in bytes.

        Returns:
            A ZIP of .hsc files, decoded pictures and table.csv, and the table's rows.
        """
        require(photos, "photographs")
        limit = None if max_bytes is None else int(number(max_bytes, "size of a file"))
        steps = studio.batches.steps(collect(photos), number(level, "level"), limit)
        *_, result = steps
        return keep_bytes(archive(result), "faces.zip"), [facts(row) for row in result.rows]

    inputs = [
        gr.File(label="photos", file_count="multiple", type="filepath"),
        level_input(),
        gr.Number(None, precision=0, minimum=1, label="Bytes a file at most, instead of a level"),
    ]
    outputs = [gr.File(label="zip file"), gr.JSON(label="table")]
    gr.Button("batch").click(
        batch, inputs, outputs, api_name="batch", **PUBLIC | {"concurrency_id": "batch"}
    )


def _numbers(values: Any) -> list[int]:
    try:
        return [int(value) for value in values or []]
    except (TypeError, ValueError) as error:
        raise HscError("The faces to leave must be a list of numbers, such as [2].") from error


def _by_face(edits: Any) -> dict[int, dict[str, float]]:
    try:
        return {int(face): edit_amounts(each) for face, each in (edits or {}).items()}
    except (AttributeError, TypeError, ValueError) as error:
        if isinstance(error, HscError):
            raise
        raise HscError(
            'The edits must be amounts by name, by face, such as {"0": {"smile": 0.5}}.'
        ) from error
