"""``hsc encode IN OUT.hsc``: pictures to ``.hsc`` files, and a clip to a ``.hsv`` file."""

from __future__ import annotations

import argparse
from pathlib import Path

from hsc.cli import batch, clip, on_ray, parsing
from hsc.images import PICTURE_SUFFIXES


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser("encode", help="compress a face, a folder of faces, or a clip")
    parser.add_argument("source", metavar="IN", type=Path, help="a picture, or a folder of them")
    parser.add_argument("target", metavar="OUT.hsc", type=Path, help="a folder if IN is one")
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        "--level",
        type=parsing.level,
        default=3.0,
        metavar="1..6",
        help="bitrate level; fractions are allowed (default: 3)",
    )
    size.add_argument(
        "--bytes",
        dest="max_bytes",
        type=parsing.count,
        metavar="N",
        help="the largest file of at most N bytes, whatever its level is",
    )
    parser.add_argument(
        "--no-align",
        dest="align",
        action="store_false",
        help="take the centre of the picture instead of looking for a face",
    )
    parser.add_argument(
        "--face",
        type=parsing.index,
        default=0,
        metavar="N",
        help="which face, 0 being the largest (default: 0)",
    )
    parsing.add_refine(parser)
    parsing.add_device(parser)
    on_ray.add_options(parser)
    clip.add_encode_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if clip.is_clip(args.target):
        return clip.encode(args)
    clip.refuse(args, clip.OPTIONS_OF_ENCODE)
    work = batch.plan(args.source, args.target, suffixes=PICTURE_SUFFIXES, to=".hsc")
    options = {
        "level": args.level,
        "align": args.align,
        "face": args.face,
        "refine": args.refine,
        "max_bytes": args.max_bytes,
    }
    if args.ray:
        return on_ray.process(
            work,
            on_ray.Encode(args.device, options),
            {"command": "encode"} | options,
            address=args.ray,
            workers=args.workers,
            gpu=args.device != "cpu",
        )
    import hsc

    codec = hsc.load(device=args.device)

    def encode(source: Path, target: Path) -> str:
        data = codec.encode(source, **options)
        target.write_bytes(data)
        return f"{len(data)} bytes"

    return batch.process(work, encode)
