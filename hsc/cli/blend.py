"""``hsc blend OUT.png A.hsc B.hsc ...``: one face out of several files."""

from __future__ import annotations

import argparse
from pathlib import Path

from hsc.cli import parsing
from hsc.images import marks

MIXED = ("coarse", "middle", "fine")


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser("blend", help="morph, mix or average faces from their files")
    parser.add_argument("target", metavar="OUT.png", type=Path)
    parser.add_argument("sources", metavar="IN.hsc", type=Path, nargs="+")
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--at",
        type=parsing.share,
        metavar="0..1",
        help="morph: how far from the first of two faces to the second",
    )
    how.add_argument(
        "--take",
        choices=MIXED,
        action="append",
        metavar="LAYER",
        help=f"mix: a layer of the second of two faces ({', '.join(MIXED)}); may be repeated",
    )
    parser.add_argument(
        "--edit",
        dest="edits",
        type=parsing.edit,
        action="append",
        default=[],
        metavar="NAME=AMOUNT",
        help="edit the result; may be repeated",
    )
    parsing.add_device(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if (args.at is not None or args.take) and len(args.sources) != 2:
        raise parsing.UsageError(f"argument IN.hsc: expected two files, got {len(args.sources)}")
    if args.target.suffix.lower() != ".png":
        raise parsing.UsageError(f"argument OUT.png: expected a .png, got {args.target.name!r}")
    files = [source.read_bytes() for source in args.sources]
    first, second = files[0], files[-1]
    import hsc

    codec = hsc.load(device=args.device)
    if args.at is not None:
        face = codec.morph(first, second, args.at)
    elif args.take:
        face = codec.mix(first, second, args.take)
    else:
        face = codec.average(files)
    marks.save(codec.draw(face, dict(args.edits)), args.target, "PNG")
    return 0
