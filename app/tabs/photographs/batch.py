"""Many photographs: what goes in, a table that grows, and one ZIP of everything."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import gradio as gr
from gradio.blocks import Block

from app.components.events import MODEL_EVENT, QUICK, Update, friendly, keep_downloads
from app.components.html import busy_note, note
from app.executor import CancelToken
from app.files import address, keep_bytes, keep_picture
from app.services.batch import (
    MAX_PHOTOS,
    BatchResult,
    BatchRow,
    archive,
    collect,
)
from app.services.measure import Distances
from app.studio import Studio
from hsc.errors import HscError

BY_LEVEL, BY_BYTES = "One level", "One size in bytes"
# A queue of its own: other visitors' faces go in between the photographs of a batch.
BATCH_EVENT: dict[str, Any] = MODEL_EVENT | {"concurrency_id": "batch"}
INTRODUCTION = f"""\
Drop up to {MAX_PHOTOS} photographs, or a ZIP of them. Of each the largest face is compressed, all
to one level or into one size. The ZIP that comes back has every `.hsc` file, its picture and a
table.
"""
EMPTY = '<p class="batch-empty">A row for each photograph appears here as soon as it is done.</p>'


class BatchPart:
    """The part's components as attributes, their handlers and wiring; create it inside a `gr.Tab`.

    Args:
        studio: what compresses and measures.
    """

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.token = gr.State(CancelToken())
        self.result = gr.State(None)  # BatchResult, for the ZIP
        with gr.Row(elem_id="batch"):
            with gr.Column(scale=3, min_width=300, elem_id="batch-controls"):
                self._controls()
            with gr.Column(scale=7, min_width=320):
                self.table = gr.HTML(EMPTY, elem_id="batch-table")
        self._wire()

    def _controls(self) -> None:
        gr.Markdown(INTRODUCTION)
        # no list of file types: phones grey out endings that they do not know
        self.files = gr.File(
            label="Photographs, or a ZIP",
            file_count="multiple",
            type="filepath",
            height=170,
            elem_id="batch-files",
        )
        self.by = gr.Radio(
            [BY_LEVEL, BY_BYTES],
            value=BY_LEVEL,
            label="The same for all",
            elem_id="batch-by",
            elem_classes=["segmented"],
        )
        self.level = gr.Slider(
            1, 6, value=3, step=0.5, label="Bitrate level", buttons=["reset"], elem_id="batch-level"
        )
        self.bytes = gr.Number(
            1000,
            precision=0,
            minimum=1,
            label="Bytes a file at most",
            info="The level whose file is the largest that fits is found for each face.",
            visible=False,
            elem_id="batch-bytes",
        )
        with gr.Row():
            self.start = gr.Button("Compress all", variant="primary", elem_id="batch-start")
            self.stop = gr.Button("Stop", elem_id="batch-stop", interactive=False, min_width=80)
        self.note = gr.HTML(elem_id="batch-note", elem_classes=["note-box"])
        self.save = gr.DownloadButton(
            "Download the ZIP", visible=False, variant="primary", elem_id="batch-save"
        )

    def _wire(self) -> None:
        self.by.change(
            lambda by: (gr.Slider(visible=by == BY_LEVEL), gr.Number(visible=by == BY_BYTES)),
            self.by,
            [self.level, self.bytes],
            **QUICK,
        )
        outputs: list[Block] = [
            self.note, self.table, self.start, self.stop, self.save, self.result
        ]  # fmt: skip
        self.start.click(
            friendly(self.run, self.note, self.ready),
            [self.files, self.by, self.level, self.bytes, self.token],
            outputs,
            **BATCH_EVENT,
        ).then(
            friendly(self.pack), self.result, [self.save, self.start, self.stop], **BATCH_EVENT
        ).then(**keep_downloads("batch", [self.save]))
        self.stop.click(CancelToken.cancel, self.token, None, **QUICK)

    def run(
        self,
        files: list[str] | None,
        by: str,
        level: float,
        size: float | None,
        token: CancelToken,
    ) -> Iterator[Update]:
        """Compress what was dropped; a row appears with each photograph."""
        photos = collect(files or [])
        if by == BY_BYTES and not size:
            raise HscError("Give the number of bytes that a file may have.")
        max_bytes = int(size or 0) if by == BY_BYTES else None
        yield {
            self.start: gr.Button(interactive=False),
            self.stop: gr.Button(interactive=True),
            self.save: gr.DownloadButton(visible=False),
            self.result: None,
        }
        steps = self.studio.batches.steps(photos, level, max_bytes, token.watch())
        result = BatchResult()
        for result in steps:
            update: Update = {self.table: table(result)}
            if result.doing:
                words = f"{len(result.rows) + 1} of {result.total}: {result.doing} …"
                update[self.note] = busy_note(self.studio, words)
            yield update
        yield {
            self.note: note(summary(result), warn=result.cancelled),
            self.result: result,
        }

    def ready(self) -> Update:
        """Another batch may begin."""
        return {
            self.start: gr.Button(interactive=True),
            self.stop: gr.Button(interactive=False),
        }

    def pack(self, result: BatchResult | None) -> Update:
        """Offer the ZIP of what is done, and let another batch begin."""
        if result is None or not any(row.data for row in result.rows):
            return self.ready()
        path = keep_bytes(archive(result), "faces.zip")
        return self.ready() | {self.save: gr.DownloadButton(value=path, visible=True)}


def summary(result: BatchResult) -> str:
    """What a batch came to, in a sentence or two."""
    sizes = [len(row.data) for row in result.rows if row.data is not None]
    words = f"{len(sizes)} of {result.total} photographs compressed"
    if sizes:
        words += f": {sum(sizes):,} bytes in all, {sum(sizes) // len(sizes):,} a face"
    if result.cancelled:
        return f"Stopped. {words}."
    return f"{words}."


def table(result: BatchResult) -> str:
    """The rows so far as HTML, and how far the batch is."""
    if not result.rows:
        return EMPTY
    done, total = len(result.rows), result.total
    return (
        f'<progress max="{total}" value="{done}" aria-label="{done} of {total} photographs">'
        "</progress>"
        '<table class="batch"><thead><tr><th>Photograph</th><th>Face</th><th>Decoded</th>'
        "<th>Bytes</th><th>Level</th><th>Recognisers</th></tr></thead><tbody>"
        + "".join(map(_row, result.rows))
        + "</tbody></table>"
    )


def _row(row: BatchRow) -> str:
    name = f'<th scope="row">{escape(row.name)}</th>'
    if row.data is None or row.crop is None or row.thumbnail is None:
        return f'<tr class="problem">{name}<td colspan="5">{escape(row.problem)}</td></tr>'
    pictures = "".join(
        f'<td><img src="{escape(address(keep_picture(picture, "small.webp")))}" width="72"'
        f' height="72" loading="lazy" alt="{alt}"></td>'
        for picture, alt in ((row.crop, "The face"), (row.thumbnail, "The decoded face"))
    )
    return (
        f"<tr>{name}{pictures}<td>{len(row.data):,}</td><td>{row.level:g}</td>"
        f"<td>{escape(row.words or 'No face to compare')}{_distances(row.distances)}</td></tr>"
    )


def _distances(distances: Distances | None) -> str:
    """The recognisers' distances in small print."""
    if distances is None:
        return ""
    both = (("dlib", distances.identity), ("FaceRes", distances.faceres))
    said = ", ".join(f"{name} {value:.2f}" for name, value in both if value is not None)
    return f"<small>{said}</small>" if said else ""
