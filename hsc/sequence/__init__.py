"""Moving faces: the ``.hsv`` file, frames given the frame before, and clips in and out.

    from hsc import sequence

    data = sequence.encode_clip(codec, "clip.mp4", kbits=12)
    sequence.decode_clip(codec, data, "out.mp4", edits={"smile": 1.0})

``container`` is the file, ``temporal`` codes a frame given the one before, ``quantise`` chooses
what of it is coded, ``rates`` keeps a rate, ``track`` follows the face, ``encoding`` and
``decoding`` go frame by frame, ``live`` is for a camera, ``video`` reads and writes video files.
"""

from hsc.sequence.container import Frame, Header, SequenceFile, describe, is_sequence, pack, unpack
from hsc.sequence.decoding import (
    FrameCost,
    ShownFrame,
    decode_clip,
    decode_frames,
    decode_latents,
    frame_costs,
    put_back,
)
from hsc.sequence.encoding import (
    CODED_FPS,
    AnalysedFrame,
    EncodedFrame,
    analysed_frames,
    clip_steps,
    code_frames,
    encode_clip,
    encode_frames,
    expected_frames,
    header_of,
)
from hsc.sequence.video import Clip

__all__ = [
    "CODED_FPS",
    "AnalysedFrame",
    "Clip",
    "EncodedFrame",
    "Frame",
    "FrameCost",
    "Header",
    "SequenceFile",
    "ShownFrame",
    "analysed_frames",
    "clip_steps",
    "code_frames",
    "decode_clip",
    "decode_frames",
    "decode_latents",
    "describe",
    "encode_clip",
    "encode_frames",
    "expected_frames",
    "frame_costs",
    "header_of",
    "is_sequence",
    "pack",
    "put_back",
    "unpack",
]
