"""Clips for ``hsc encode`` and ``hsc decode``: video files to ``.hsv`` and back.

hsc encode clip.mp4 clip.hsv --kbits 12
hsc encode clip.mp4 clip.hsv --level 2 --fps 10
hsc decode clip.hsv out.mp4 --edit smile=1
"""

from __future__ import annotations

import argparse
from pathlib import Path

from hsc.cli import parsing
from hsc.cli.report import print_progress
from hsc.errors import HscError

SUFFIX = ".hsv"
OPTIONS_OF_ENCODE = {
    "kbits": "--kbits", "fps": "--fps", "seconds": "--seconds", "sound": "--sound",
}  # fmt: skip
OPTIONS_OF_DECODE = {"in_place": "--in-place", "preview": "--preview"}


def add_encode_options(parser: argparse.ArgumentParser) -> None:
    """Options of ``hsc encode`` that clips have and pictures have not."""
    group = parser.add_argument_group("clips", "IN is a video file and OUT ends in .hsv")
    group.add_argument(
        "--fps",
        type=parsing.positive,
        metavar="N",
        help="coded frames a second (default: 10); others are interpolated when shown",
    )
    group.add_argument(
        "--kbits",
        type=parsing.positive,
        metavar="N",
        help="a rate in kbit/s instead of a level: the file takes at most that, sound apart",
    )
    group.add_argument(
        "--seconds", type=parsing.positive, metavar="N", help="take the first N seconds only"
    )
    group.add_argument(
        "--sound", action="store_true", default=None, help="keep the sound: Opus of 8 kbit/s"
    )


def add_decode_options(parser: argparse.ArgumentParser) -> None:
    """Options of ``hsc decode`` that clips have and pictures have not."""
    group = parser.add_argument_group("clips", "IN ends in .hsv and OUT in .mp4")
    group.add_argument(
        "--in-place",
        action="store_true",
        default=None,
        help="show the face where it was in the clip's frame, on grey",
    )
    group.add_argument(
        "--preview", action="store_true", default=None, help="256 px, several times faster"
    )


def is_clip(path: Path) -> bool:
    """Whether a name is that of a ``.hsv`` file."""
    return path.suffix.lower() == SUFFIX


def refuse(args: argparse.Namespace, options: dict[str, str]) -> None:
    """Raise UsageError for options of clips where there is no clip."""
    for name, option in options.items():
        if getattr(args, name) is not None:
            raise parsing.UsageError(f"argument {option}: it is for clips ({SUFFIX}) only")


def encode(args: argparse.Namespace) -> int:
    """``hsc encode clip.mp4 clip.hsv``."""
    for given, option in (
        (args.max_bytes, "--bytes"), (args.ray, "--ray"), (args.refine or None, "--refine"),
    ):  # fmt: skip
        if given is not None:
            raise parsing.UsageError(f"argument {option}: it is not for clips")
    import hsc
    from hsc import sequence

    clip = sequence.Clip.open(args.source)
    data = sequence.encode_clip(
        hsc.load(device=args.device),
        clip,
        args.level,
        kbits=args.kbits,
        fps=args.fps or sequence.CODED_FPS,
        seconds=args.seconds,
        align=args.align,
        face=args.face,
        sound=bool(args.sound),
        progress=_progress,
    )
    args.target.parent.mkdir(parents=True, exist_ok=True)
    args.target.write_bytes(data)
    said = sequence.describe(data)
    print(
        f"{len(data)} bytes, {said['frames']['coded']} coded frames, {said['seconds']} s, "
        f"level {said['level']:g}, {said['kbit_per_second']} kbit/s"
    )
    if args.kbits and said["kbit_per_second"] > args.kbits:
        print("Its key frames alone take more than the rate that was asked for.")
    return 0


def decode(args: argparse.Namespace, edits: dict[str, float]) -> int:
    """``hsc decode clip.hsv out.mp4``."""
    if args.ray is not None:
        raise parsing.UsageError("argument --ray: it is not for clips")
    if args.layers != "scn+fcn":
        raise parsing.UsageError("argument --layers: clips are decoded from both layers")
    if args.target.suffix.lower() != ".mp4":
        raise HscError(f"Expected an output name that ends in .mp4, got {args.target}.")
    data = args.source.read_bytes()
    import hsc
    from hsc import sequence

    sequence.unpack(data)  # says what is wrong before seconds go into loading the model
    codec = hsc.load(device=args.device, backend=args.backend)
    for path, low, high in args.directions:
        codec.add_direction(path.stem, path, low, high)
    args.target.parent.mkdir(parents=True, exist_ok=True)
    file = sequence.decode_clip(
        codec,
        data,
        args.target,
        edits,
        args.keep_details,
        in_place=bool(args.in_place),
        preview=bool(args.preview),
        progress=_progress,
    )
    if file.lost:
        print(
            f"{file.lost} of {file.header.frames} frames did not arrive: the last good one stands"
        )
    return 0


def _progress(done: int, total: int) -> None:
    print_progress(done, total, "frames")
