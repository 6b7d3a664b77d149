"""Two faces: what lies between them, and an animation of the way."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import gradio as gr

from app.components import LIVE, MODEL_EVENT, friendly
from app.files import address, keep_bytes, keep_picture
from app.results import CurrentFace
from app.services.editing import EditTarget
from app.services.morph import FRAMES, animation
from app.views import charts

MISSING = "Give the other face: drop a file, or invent one."


class BetweenEvents:
    """The events of the part for two faces; mixed into the Edit tab."""

    def _wire_between(self) -> None:
        self.between = self.studio.morph
        ask = [self.shown, self.file, self.other, self.kind, self.place]
        seen = [self.note, self.middle]
        self.invent.click(friendly(self.invent_other), None, self.other, **MODEL_EVENT)
        self.place.input(friendly(self.glance), ask, seen, **LIVE)
        gr.on(
            [self.other.change, self.kind.input, self.place.release],
            friendly(self.show_between),
            ask,
            seen,
            **LIVE,
        )
        self.animate.click(
            friendly(self.make_animation),
            [*ask[:4], self.kind_of_file],
            [self.note, self.moving, self.save],
            **MODEL_EVENT,
        )

    def invent_other(self) -> str:
        """A face that belongs to nobody, as the other one."""
        seed = random.randrange(1_000_000)
        return keep_picture(self.studio.random_face(seed), f"generated-face-{seed}.png")

    def glance(self, *ask: Any) -> tuple[str, Any]:
        """A small picture while the slider moves."""
        return self._between_picture(*ask, preview=True)

    def show_between(self, *ask: Any) -> Iterator[tuple[str, Any]]:
        """The whole picture."""
        yield charts.note("Drawing …", busy=True), gr.skip()
        try:
            yield self._between_picture(*ask)
        except Exception:
            yield "", gr.skip()
            raise

    def _between_picture(
        self, shown: CurrentFace | None, file: str | None, other: str | None, kind: str, place: float,
        preview: bool = False,
    ) -> tuple[str, Any]:  # fmt: skip
        a, b = self._two(shown, file, other)
        if a is None or b is None:
            return charts.note(MISSING), gr.skip()
        drawn = self.between.picture(a, b, kind, place, preview=preview)
        path = keep_picture(drawn, "between.png")
        return "", gr.Image(value=path, label=f"{place:.0%} of the way")

    def make_animation(
        self, shown: CurrentFace | None, file: str | None, other: str | None, kind: str, kind_of_file: str
    ) -> Iterator[tuple[Any, Any, Any]]:
        """There and back between the two, to watch and to keep."""
        a, b = self._two(shown, file, other)
        if a is None or b is None:
            yield charts.note(MISSING), gr.skip(), gr.skip()
            return
        frames = []
        for frame in self.between.frames(a, b, kind):
            frames.append(frame)
            yield charts.note(f"Frame {len(frames)} of {FRAMES} …", busy=True), gr.skip(), gr.skip()
        path = keep_bytes(animation(frames, kind_of_file), f"between.{kind_of_file}")
        image = f'<img src="{address(path)}" alt="One face turning into the other and back">'
        yield "", image, gr.DownloadButton(value=path, visible=True)

    def _two(
        self, shown: CurrentFace | None, file: str | None, other: str | None
    ) -> tuple[EditTarget | None, EditTarget | None]:
        return self._face(shown, file), self.editing.target(other) if other else None
