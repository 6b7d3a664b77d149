"""Two faces: what lies between them, and an animation of the way."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr
from gradio.blocks import Block

from app.components.events import LIVE, MODEL_EVENT, friendly, keep_downloads
from app.components.html import note
from app.files import address, keep_bytes, keep_picture
from app.results import CurrentFace
from app.services.editing import EditTarget
from app.services.morph import FRAMES, animation
from app.studio import Studio
from app.tabs.edit.view import EditView

MISSING = "Give the other face: drop a file, or invent one."


class TwoFaces:
    """Handlers and wiring of the part for two faces.

    Args:
        first_face: the face that the tab edits, from what Compress shows and the tab's own file.
    """

    def __init__(
        self,
        studio: Studio,
        view: EditView,
        first_face: Callable[[CurrentFace | None, str | None], EditTarget | None],
    ) -> None:
        self.studio = studio
        self.view = view
        self.first_face = first_face

    def wire(self, current: gr.State) -> None:
        view = self.view
        faces: list[Block] = [current, view.file, view.other, view.kind]
        outputs = [view.note, view.between]
        view.invent.click(friendly(self.invent), None, view.other, **MODEL_EVENT)
        view.amount.input(friendly(self.preview), [*faces, view.amount], outputs, **LIVE)
        gr.on(
            [view.other.change, view.kind.input, view.amount.release],
            friendly(self.draw),
            [*faces, view.amount],
            outputs,
            **LIVE,
        )
        view.animate.click(
            friendly(self.animate),
            [*faces, view.animation_format],
            [view.note, view.animation, view.save_animation],
            **MODEL_EVENT,
        ).then(**keep_downloads("animation", [view.save_animation]))

    def invent(self) -> str:
        """A face that belongs to nobody, as the other one."""
        seed = random.randrange(1_000_000)
        return keep_picture(self.studio.random_face(seed), f"generated-face-{seed}.png")

    def preview(self, *request: Any) -> tuple[str, Any]:
        """A small picture while the slider moves."""
        return self._picture(True, *request)

    def draw(self, *request: Any) -> Iterator[tuple[str, Any]]:
        """The whole picture."""
        yield note("Drawing …", busy=True), gr.skip()
        try:
            yield self._picture(False, *request)
        except Exception:
            yield "", gr.skip()
            raise

    def animate(
        self,
        current: CurrentFace | None,
        file: str | None,
        other: str | None,
        kind: str,
        animation_format: str,
    ) -> Iterator[tuple[Any, Any, Any]]:
        """There and back between the two, to watch and to keep."""
        a, b = self._faces(current, file, other)
        if a is None or b is None:
            yield note(MISSING), gr.skip(), gr.skip()
            return
        frames = []
        for frame in self.studio.morph.frames(a, b, kind):
            frames.append(frame)
            yield note(f"Frame {len(frames)} of {FRAMES} …", busy=True), gr.skip(), gr.skip()
        path = keep_bytes(animation(frames, animation_format), f"between.{animation_format}")
        image = f'<img src="{address(path)}" alt="One face turning into the other and back">'
        yield "", image, gr.DownloadButton(value=path, visible=True)

    def _picture(
        self,
        small: bool,
        current: CurrentFace | None,
        file: str | None,
        other: str | None,
        kind: str,
        amount: float,
    ) -> tuple[str, Any]:
        a, b = self._faces(current, file, other)
        if a is None or b is None:
            return note(MISSING), gr.skip()
        path = keep_picture(
            self.studio.morph.picture(a, b, kind, amount, preview=small), "between.png"
        )
        return "", gr.Image(value=path, label=f"{amount:.0%} of the way")

    def _faces(
        self, current: CurrentFace | None, file: str | None, other: str | None
    ) -> tuple[EditTarget | None, EditTarget | None]:
        return self.first_face(current, file), self.studio.editing.target(other) if other else None
