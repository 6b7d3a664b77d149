"""Two faces: what lies between them, and an animation of the way."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr
from gradio.blocks import Block

from app.components.events import LIVE, MODEL_EVENT, Opens, Update, friendly, keep_downloads
from app.components.html import note
from app.files import keep_bytes, keep_picture
from app.results import CurrentFace
from app.services.editing import EditTarget
from app.services.morph import FRAMES, animation
from app.studio import Studio
from app.tabs.edit import html
from app.tabs.edit.view import EditView
from hsc.errors import HscError

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

    def wire(self, tab: Opens, current: gr.State) -> None:
        view = self.view
        faces: list[Block] = [current, view.file, view.other, view.kind]
        outputs = [view.note, view.between]
        ends = [view.first, view.second]
        view.invent.click(friendly(self.invent), None, view.other, **MODEL_EVENT)
        view.amount.input(friendly(self.preview), [*faces, view.amount], outputs, **LIVE)
        gr.on(
            [view.other.change, view.kind.input, view.amount.release],
            friendly(self.draw, view.note),
            [*faces, view.amount],
            [*outputs, *ends, view.other],
            **LIVE,
        )
        gr.on([tab.select, view.file.change], friendly(self.ends), faces[:3], ends, **LIVE)
        view.animate.click(
            friendly(self.animate, view.note),
            [*faces, view.animation_format],
            [view.note, view.animation, view.save_animation],
            **LIVE,
        ).then(**keep_downloads("animation", [view.save_animation]))

    def invent(self) -> str:
        """A face that belongs to nobody, as the other one."""
        seed = random.randrange(1_000_000)
        return keep_picture(self.studio.random_face(seed), f"generated-face-{seed}.png")

    def preview(self, *request: Any) -> Update:
        """A small picture while the slider moves."""
        return self._picture(True, *request)

    def draw(self, *request: Any) -> Iterator[Update]:
        """The whole picture."""
        yield {self.view.note: note("Drawing …", busy=True)}
        try:
            yield self._picture(False, *request) | self.ends(*request[:3])
        except HscError:
            yield {self.view.other: None}  # its name is not to be beside another face
            raise

    def ends(self, current: CurrentFace | None, file: str | None, other: str | None) -> Update:
        """Both faces, on either side of what lies between."""
        view, faces = self.view, self._faces(current, file, other)
        return {
            component: keep_picture(self.studio.editing.picture(face), "face.png")
            for component, face in zip((view.first, view.second), faces)
            if face is not None
        }

    def animate(
        self,
        current: CurrentFace | None,
        file: str | None,
        other: str | None,
        kind: str,
        animation_format: str,
    ) -> Iterator[Update]:
        """There and back between the two, to watch and to keep."""
        view = self.view
        a, b = self._faces(current, file, other)
        if a is None or b is None:
            yield {view.note: note(MISSING)}
            return
        frames = []
        for frame in self.studio.morph.frames(a, b, kind):
            frames.append(frame)
            yield {view.note: note(f"Frame {len(frames)} of {FRAMES} …", busy=True)}
        yield {view.note: note("Making the clip …", busy=True)}
        path = keep_bytes(animation(frames, animation_format), f"between.{animation_format}")
        yield {
            view.note: "",
            view.animation: html.clip(path, animation_format),
            view.save_animation: gr.DownloadButton(value=path, visible=True),
        }

    def _picture(
        self,
        small: bool,
        current: CurrentFace | None,
        file: str | None,
        other: str | None,
        kind: str,
        amount: float,
    ) -> Update:
        view = self.view
        a, b = self._faces(current, file, other)
        if a is None or b is None:
            return {view.note: note(MISSING)}
        picture = self.studio.morph.picture(a, b, kind, amount, preview=small)
        path = keep_picture(picture, "between.png")
        return {view.note: "", view.between: gr.Image(value=path, label=f"{amount:.0%} of the way")}

    def _faces(
        self, current: CurrentFace | None, file: str | None, other: str | None
    ) -> tuple[EditTarget | None, EditTarget | None]:
        return self.first_face(current, file), self.studio.editing.target(other) if other else None
