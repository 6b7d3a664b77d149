"""A camera's frames as they come: to the records of a ``.hsv`` file, and from them to pictures.

    encoder = LiveEncoder(codec, level=2)
    decoder = LiveDecoder(codec, encoder.header)
    for image in camera:
        if (coded := encoder.code(image)) is not None:
            picture = decoder.draw(coded.record, {"smile": 1.0})

Unlike a clip's, the crop is smoothed by what came before only, and nothing waits for frames to
come. The first frame is a key frame, and so is the first one after the face was out of view.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PIL import Image

from hsc.bitstream.header import check_model
from hsc.domains.ffhq_face.align import Square, cut_square
from hsc.errors import BitstreamError
from hsc.photograph.placement import Placement
from hsc.sequence.container import (
    MAX_FRAMES,
    MAX_RATE,
    MIN_RATE,
    Frame,
    Header,
    pack,
    read_record,
)
from hsc.sequence.decoding import Lasting
from hsc.sequence.encoding import CODED_FPS, KEY_SECONDS, FrameCoder, shown_for_each
from hsc.sequence.temporal import State, TemporalCodec
from hsc.sequence.track import Follower, towards

if TYPE_CHECKING:
    from hsc.codec import Codec

KEPT = 600
"""Frames of a session that are kept for its file; older ones are dropped up to a key frame."""
STILL = 0.3
"""Part of a change of the crop that is followed at once where the change is as small as the
landmarks' own jumps."""


@dataclass(frozen=True)
class CodedPicture:
    """A camera's frame, coded.

    Attributes:
        record: its bytes, as they stand in a ``.hsv`` file.
        frame: what they say.
        scn_bits: what S took of them.
    """

    record: bytes
    frame: Frame
    scn_bits: float


class LiveEncoder:
    """Frames of a camera to records.

    Args:
        codec: with an encoder.
        level: bitrate level of every frame, 1 to 6.
        size: width and height of the camera's frames.
        fps: about how many a second will be coded.

    Attributes:
        header: the header that the records belong to, as bytes.

    Raises:
        BitstreamError: the level or the size is out of range.
    """

    def __init__(
        self, codec: Codec, level: float, size: tuple[int, int], fps: float = CODED_FPS
    ) -> None:
        self._codec = codec
        self._head = Header(codec.model_id, level, fps, 1, *size, MAX_FRAMES)
        self.header = self._head.pack()
        self._spec = codec.networks.config.generator
        self._follower = Follower(self._spec.domain)
        self._temporal = TemporalCodec(codec.networks, self._head.level)
        self._coder = FrameCoder(self._temporal, max(1, round(KEY_SECONDS * fps)))
        self._square: Square | None = None
        self._number = 0
        self._place: Placement | None = None
        self._kept: list[Frame] = []

    @property
    def full(self) -> bool:
        """Whether a new sequence must begin, because this one has as many frames as it may."""
        return self._number >= MAX_FRAMES

    def code(self, image: Image.Image) -> CodedPicture | None:
        """The record of the next frame; None where it shows no face.

        Args:
            image: RGB, of the session's size.
        """
        found = self._follower.square(image)
        if found is None:
            self._square = None
            self._coder.begin()
            return None
        square = towards(self._square, found, STILL) if self._square else found
        self._square = square
        place = Placement.nearest(square)
        crop = cut_square(image, place.square, self._spec.image_px)
        layers, _ = self._coder.code(self._codec.analyse(crop, correct=False))
        frame = Frame(self._number, place, layers)
        record = frame.pack(self._head, self._place)
        self._place = place
        self._number += 1
        self._keep(frame)
        return CodedPicture(record, frame, self._temporal.scn_bits(layers))

    def file(self, fps: float) -> bytes:
        """A ``.hsv`` file of the frames that are kept.

        Args:
            fps: how many of them were a second.

        Raises:
            BitstreamError: there are none yet.
        """
        if not self._kept:
            raise BitstreamError("No frame was coded yet: let the camera see a face.")
        fps = min(max(fps, MIN_RATE), MAX_RATE)
        shown = shown_for_each(fps)
        header = replace(self._head, coded_fps=fps, shown=shown, frames=len(self._kept))
        return pack(header, tuple(replace(f, number=n) for n, f in enumerate(self._kept)))

    def _keep(self, frame: Frame) -> None:
        self._kept.append(frame)
        if len(self._kept) > KEPT:
            keys = (n for n, each in enumerate(self._kept) if each.key and n)
            del self._kept[: next(keys, 0)]


class LiveDecoder:
    """Records to pictures, each from its bytes and the frames before it.

    Args:
        header: bytes of the header that the records belong to.

    Raises:
        BitstreamError: it cannot be read, or is of another model.
    """

    def __init__(self, codec: Codec, header: bytes) -> None:
        self._codec = codec
        self._head = Header.unpack(header)
        check_model(self._head.model_id, codec.model_id)
        self._temporal = TemporalCodec(codec.networks, self._head.level)
        self._before: Frame | None = None
        self._state: State | None = None
        self._asked: Mapping[str, float] = {}
        self._share: float | None = None
        self._lasting = Lasting(codec.networks.fcn.feature_std)

    def draw(
        self, record: bytes, edits: Mapping[str, float] | None = None, preview: bool = True
    ) -> Image.Image:
        """The picture of the next record.

        Args:
            edits: amounts by name. How far they are held back is decided by the first frame that
                they apply to: a share that changes would flicker.
            preview: 256 px instead of the full size.

        Raises:
            BitstreamError: the record is damaged, or does not follow the one before.
            HscError: an unknown edit, or an amount outside its range.
        """
        frame = read_record(record, self._head, self._before)
        self._state = self._temporal.decode(frame.layers, self._state)
        self._before = frame
        latents = self._state.latents
        amounts = {name: amount for name, amount in (edits or {}).items() if amount}
        if amounts:
            latents = self._lasting.of(latents)
        if amounts != self._asked or self._share is None:
            self._share = self._codec.held_back(latents, amounts).share if amounts else 1.0
            self._asked = amounts
        held = {name: self._share * amount for name, amount in amounts.items()}
        return self._codec.draw_many(latents, held, preview=preview)[0]
