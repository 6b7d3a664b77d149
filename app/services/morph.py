"""Between two files: morphs, style mixes, and an animation of the way there and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from PIL import Image

from app.protocols import FaceCodec
from app.services.clips import clip, there_and_back
from app.services.decoding import Decoding
from app.services.editing import EditTarget
from hsc.errors import HscError

if TYPE_CHECKING:  # it brings PyTorch, for which the page does not wait
    from hsc.types import DecodedLatents

MORPH = "morph"
MIXES = ("coarse", "middle", "fine")  # as hsc.editing.blend has them
FRAMES = 12  # one way
FRAME_PX = 384
FRAME_MS, REST_MS = 80, 480


class Morph:
    """Renders faces made of two files, each read from its own bytes."""

    def __init__(self, decoding: Decoding) -> None:
        self.decoding = decoding

    def picture(
        self, a: EditTarget, b: EditTarget, kind: str, t: float, *, preview: bool = False
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
        return self.decoding.call_opened(_draw_between, files, kind, t, preview).value

    def frames(
        self, a: EditTarget, b: EditTarget, kind: str, count: int = FRAMES
    ) -> Iterator[Image.Image]:
        """The way from one to the other, FRAME_PX a side."""
        for number in range(count):
            picture = self.picture(a, b, kind, number / (count - 1))
            yield picture.resize((FRAME_PX, FRAME_PX), Image.Resampling.LANCZOS)


def _draw_between(
    codec: FaceCodec, files: Sequence[DecodedLatents], kind: str, t: float, preview: bool
) -> Image.Image:
    a, b = files
    between = codec.morph(a, b, t) if kind == MORPH else codec.mix(a, b, kind, t)
    return codec.preview(between) if preview else codec.draw(between)


def animation(frames: list[Image.Image], kind: str = "webp") -> bytes:
    """There and back, for ever, with a rest at both ends.

    Args:
        frames: one way.
        kind: of `app.services.clips.kinds`.

    Raises:
        HscError: that kind cannot be made here.
    """
    return clip(there_and_back(frames, FRAME_MS, REST_MS), kind)
