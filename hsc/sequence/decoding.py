"""``.hsv`` files to pictures, frame by frame: memory does not grow with a clip's length."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from PIL import Image
from torch import Tensor

from hsc.bitstream.header import check_model
from hsc.domains.ffhq_face.align import Square
from hsc.editing.apply import local_rms
from hsc.editing.motion import motion, warp
from hsc.errors import BitstreamError, HscError
from hsc.images import marks
from hsc.photograph.placement import Placement, to_crop
from hsc.sequence.container import (
    Frame,
    SequenceFile,
    unpack,
)
from hsc.sequence.temporal import CUT, State, TemporalCodec, apart
from hsc.sequence.video import Report, write_mp4
from hsc.types import DecodedLatents

if TYPE_CHECKING:
    from hsc.codec import Codec

LASTING = 10
"""Frames whose mean detail is what lasts in a clip, under an edit."""
EXPLAINED, UNEXPLAINED = 0.25, 0.45
"""What motion leaves of a change, in standard deviations: up to the first, both frames are mixed,
and from the second on the nearer one is shown."""


@dataclass(frozen=True)
class ShownFrame:
    """A picture of a decoded sequence.

    Attributes:
        picture: image_px x image_px, or a preview.
        number: of the coded frame at or before it.
        part: how far it is on the way to the next coded one, 0 up to 1.
        lost: whether its own frame did not arrive, and it repeats the last good one.
        place: of the crop in the clip.
    """

    picture: Image.Image
    number: int
    part: float
    lost: bool
    place: Placement


def decode_latents(codec: Codec, file: SequenceFile) -> Iterator[tuple[Frame, DecodedLatents]]:
    """The frames that arrived, in order, with what they decode to.

    Raises:
        BitstreamError: the file is of another model.
    """
    header = file.header
    check_model(header.model_id, codec.model_id)
    temporal = TemporalCodec(codec.networks, header.level)
    state: State | None = None
    for frame in file.frames:
        try:
            state = temporal.decode(frame.layers, state)
        except BitstreamError:  # its checksum is right and its symbols are not
            state = None
        if state is not None:
            yield frame, state.latents


@dataclass(frozen=True)
class FrameCost:
    """Bits of a frame's record: of S, of F, and of what says where it is and that it is whole."""

    scn: float
    fcn: float
    rest: float


def frame_costs(codec: Codec, file: SequenceFile) -> list[FrameCost]:
    """Of the frames that arrived, in order.

    Raises:
        BitstreamError: the file is of another model, or a frame holds impossible symbols.
    """
    check_model(file.header.model_id, codec.model_id)
    temporal = TemporalCodec(codec.networks, file.header.level)
    costs = []
    for frame, size in zip(file.frames, file.sizes, strict=True):
        scn, layers = temporal.scn_bits(frame.layers), 8 * sum(map(len, frame.layers))
        costs.append(FrameCost(scn, layers - scn, 8 * size - layers))
    return costs


def decode_frames(
    codec: Codec,
    data: bytes | SequenceFile,
    edits: Mapping[str, float] | None = None,
    keep_details: float = 1.0,
    *,
    between: bool = True,
    preview: bool = False,
) -> Iterator[ShownFrame]:
    """The pictures of a ``.hsv`` file in the order of time.

    Where a frame did not arrive, the last good picture stands until the next key frame.

    Args:
        data: the bytes of a file, or what ``unpack`` read.
        edits: amounts by name, for the whole clip.
        keep_details: as ``Codec.decode``.
        between: also the frames between coded ones; otherwise one picture a coded frame.
        preview: 256 px instead of the full size, several times faster.

    Raises:
        BitstreamError: nothing can be read, or the file is of another model.
        HscError: an unknown edit, or an amount outside its range.
    """
    file = data if isinstance(data, SequenceFile) else unpack(data)
    slots = file.header.shown if between else 1
    amounts = dict(edits or {})

    def draw(latents: DecodedLatents) -> Image.Image:
        return codec.draw_many(latents, amounts, keep_details, preview=preview)[0]

    arrived = decode_latents(codec, file)
    if amounts:
        lasting = Lasting(codec.networks.fcn.feature_std)
        arrived = ((frame, lasting.of(latents)) for frame, latents in arrived)
    now = next(arrived, None)
    if now is None:
        raise BitstreamError("No frame of the sequence can be decoded: get the file again.")
    if amounts:  # held back alike in all frames: a share that changes would flicker
        share = codec.held_back(now[1], amounts, keep_details).share
        amounts = {name: share * amount for name, amount in amounts.items()}
    picture = draw(now[1])
    for number in range(now[0].number):  # nothing good came before: the first good one stands
        for slot in range(slots):
            yield ShownFrame(picture, number, slot / slots, True, now[0].place)
    while now is not None:
        frame, latents = now
        after = next(arrived, None)
        yield ShownFrame(picture, frame.number, 0.0, False, frame.place)
        moving = slots > 1 and after is not None and after[0].number == frame.number + 1
        middle = Between(codec, latents, after[1]) if moving and after is not None else None
        last = picture
        for slot in range(1, slots):
            part = slot / slots
            place = frame.place
            if middle is not None and after is not None and not middle.cut:
                last = draw(middle.at(part))
                place = _place_between(frame.place, after[0].place, part)
            yield ShownFrame(last, frame.number, part, False, place)
        end = file.header.frames if after is None else after[0].number
        for number in range(frame.number + 1, end):
            for slot in range(slots):
                yield ShownFrame(last, number, slot / slots, True, frame.place)
        if after is not None:
            picture = draw(after[1])
        now = after


class Lasting:
    """What of a face's detail lasts over a clip: its mean over the last frames, moved along with
    the face.

    Args:
        std: spread of each channel of F over faces, (C,).
    """

    def __init__(self, std: Tensor) -> None:
        self._spread = std[:, None, None]
        self._seen = 0
        self._before: Tensor | None = None
        self._mean: Tensor | None = None

    @torch.no_grad()
    def of(self, latents: DecodedLatents) -> DecodedLatents:
        """The next frame's latents, and what of their detail lasts."""
        detail = latents.feature - latents.feature_s
        now = latents.feature / self._spread
        if self._mean is None or self._before is None or apart(self._before, now) > CUT:
            self._seen, self._mean = 1, detail
        else:
            self._seen += 1
            moved = warp(self._mean, motion(self._before, now))
            self._mean = torch.lerp(moved, detail, max(1 / self._seen, 1 / LASTING))
        self._before = now
        return replace(latents, lasting=self._mean)


class Between:
    """Frames between two decoded ones: both are moved towards each other and mixed.

    Where motion does not explain how one becomes the other, a mixture would show both faintly:
    there the nearer one is shown.

    Attributes:
        cut: whether the two show different scenes.
        believed: how far motion is believed at each place, 0 to 1, (1, 1, px, px).
    """

    @torch.no_grad()
    def __init__(self, codec: Codec, a: DecodedLatents, b: DecodedLatents) -> None:
        self.codec, self.a, self.b = codec, a, b
        spread = codec.networks.fcn.feature_std[:, None, None]
        one, other = a.feature / spread, b.feature / spread
        self.cut = apart(one, other) > CUT
        if not self.cut:
            self.to_b, self.to_a = motion(one, other), motion(other, one)
            left = local_rms(warp(one, self.to_b) - other)
            self.believed = 1 - ((left - EXPLAINED) / (UNEXPLAINED - EXPLAINED)).clamp(0, 1)

    @torch.no_grad()
    def at(self, part: float) -> DecodedLatents:
        """A part of the way from the first to the second."""
        a, b = self.a, self.b
        w_plus = torch.lerp(a.w_plus, b.w_plus, part)
        same = a.w_plus is b.w_plus
        feature_s = a.feature_s if same else self.codec.decoder.feature_of(w_plus)
        nearer = float(part > 0.5)
        share = nearer + (part - nearer) * self.believed  # of the second frame

        def mixed(one: Tensor, other: Tensor) -> Tensor:
            other = warp(other, (1 - part) * self.to_a)
            return torch.lerp(warp(one, part * self.to_b), other, share)

        lasting = None
        if a.lasting is not None and b.lasting is not None:
            lasting = mixed(a.lasting, b.lasting)
        feature = mixed(a.feature, b.feature)
        return DecodedLatents(w_plus, feature_s, feature, a.layers, lasting)


def decode_clip(
    codec: Codec,
    data: bytes,
    target: str | Path,
    edits: Mapping[str, float] | None = None,
    keep_details: float = 1.0,
    *,
    in_place: bool = False,
    preview: bool = False,
    progress: Report | None = None,
) -> SequenceFile:
    """A ``.hsv`` file to an MP4 file.

    Args:
        in_place: the face where it was in the clip's frame, on grey, instead of the crop.
        preview: 256 px instead of the full size.
        progress: called after every shown frame.

    Returns:
        What arrived of the file.

    Raises:
        BitstreamError: nothing can be read, or the file is of another model.
        HscError: an unknown edit, imageio-ffmpeg is missing, or FFmpeg failed.
    """
    if Path(target).suffix.lower() != ".mp4":
        raise HscError(f"Expected an output name that ends in .mp4, got {Path(target).name}.")
    file = unpack(data)
    header = file.header
    total = header.frames * header.shown

    def pictures() -> Iterator[Image.Image]:
        shown = decode_frames(codec, file, edits, keep_details, preview=preview)
        for done, frame in enumerate(shown, 1):
            size = header.width, header.height
            yield put_back(frame, size) if in_place else frame.picture
            if progress:
                progress(done, total)

    target = Path(target)
    write_mp4(target, pictures(), header.shown_fps, file.sound)
    mark = marks.decoded(data, "scn+fcn", edits, keep_details)
    target.write_bytes(marks.in_mp4(target.read_bytes(), mark))
    return file


def put_back(frame: ShownFrame, size: tuple[int, int]) -> Image.Image:
    """A frame where its crop was cut from the clip's picture of that size, on grey."""
    px = frame.picture.width
    canvas = Image.new("RGB", size, (128, 128, 128))
    coefficients = to_crop(frame.place.square, px)
    moved = frame.picture.convert("RGBA").transform(
        size, Image.Transform.AFFINE, coefficients, Image.Resampling.BICUBIC
    )
    canvas.paste(moved, (0, 0), moved)
    return canvas


def _place_between(a: Placement, b: Placement, part: float) -> Placement:
    one, other = a.square, b.square
    turn = math.remainder(other.angle - one.angle, 2 * math.pi)
    return Placement.nearest(
        Square(
            one.x + part * (other.x - one.x),
            one.y + part * (other.y - one.y),
            one.side + part * (other.side - one.side),
            one.angle + part * turn,
        )
    )
