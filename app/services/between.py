"""Between two files: morphs, style mixes, and an animation of the way there and back."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from PIL import Image

from app.service import Studio
from app.services.editing import Face
from hsc.errors import HscError

MORPH = "morph"
MIXES = ("coarse", "middle", "fine")  # as hsc.editing.blend has them
FRAMES = 12  # one way
FRAME_PX = 384
FRAME_MS, REST_MS = 70, 500
FORMATS = {"webp": "WEBP", "gif": "GIF"}


class Between:
    """Draws faces made of two files, each read from its own bytes."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    def picture(
        self, a: Face, b: Face, kind: str, t: float, *, preview: bool = False
    ) -> Image.Image:
        """A face between two.

        Args:
            kind: MORPH, or which styles of `b` the face `a` takes, one of MIXES.
            t: from 0, `a`, to 1, `b` or the whole mix.
            preview: draw 256 px, fast enough to follow a slider.

        Raises:
            HscError: the kind is unknown.
        """
        if kind != MORPH and kind not in MIXES:
            raise HscError(f"The kinds are {MORPH}, {', '.join(MIXES)}, not {kind!r}.")
        files = [(face.data, face.layers) for face in (a, b)]
        picture, _ = self.studio.drawing.through(_drawn, files, kind, t, preview)
        return picture

    def frames(self, a: Face, b: Face, kind: str, count: int = FRAMES) -> Iterator[Image.Image]:
        """The way from one to the other, FRAME_PX a side."""
        for number in range(count):
            picture = self.picture(a, b, kind, number / (count - 1))
            yield picture.resize((FRAME_PX, FRAME_PX), Image.Resampling.LANCZOS)


def _drawn(codec: Any, one: Any, other: Any, kind: str, t: float, preview: bool) -> Image.Image:
    if kind == MORPH:
        between = codec.morph(one, other, t)
    else:
        between = codec.mix(one, other, kind, t)
    return codec.preview(between) if preview else codec.draw(between)


def animation(frames: list[Image.Image], kind: str = "webp") -> bytes:
    """There and back, for ever, with a rest at both ends.

    Args:
        frames: one way.
        kind: of FORMATS.
    """
    way = [*frames, *frames[-2:0:-1]]
    rests = {0, len(frames) - 1}
    durations = [REST_MS if number in rests else FRAME_MS for number in range(len(way))]
    options = {"quality": 82, "method": 4} if kind == "webp" else {"optimize": False}
    buffer = io.BytesIO()
    way[0].save(
        buffer,
        format=FORMATS[kind],
        save_all=True,
        append_images=way[1:],
        duration=durations,
        loop=0,
        **options,
    )
    return buffer.getvalue()
