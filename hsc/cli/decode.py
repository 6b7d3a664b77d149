"""``hsc decode IN.hsc OUT.png``: ``.hsc`` files, or the text of one, to pictures; clips to MP4."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from hsc.bitstream.text import from_text, is_text
from hsc.cli import batch, clip, on_ray, parsing
from hsc.images import marks


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser("decode", help="restore a face, a folder of faces, or a clip")
    parser.add_argument(
        "source", metavar="IN.hsc", type=Path, help="a .hsc file, a folder, or the text of a file"
    )
    parser.add_argument("target", metavar="OUT.png", type=Path, help="a folder if IN is one")
    parser.add_argument(
        "--layers",
        choices=("scn", "fcn", "scn+fcn"),
        default="scn+fcn",
        help="which layers to use (default: scn+fcn)",
    )
    parser.add_argument(
        "--edit",
        dest="edits",
        type=parsing.edit,
        action="append",
        default=[],
        metavar="NAME=AMOUNT",
        help="edit the face while decoding; may be repeated",
    )
    parser.add_argument(
        "--direction",
        dest="directions",
        type=parsing.direction,
        action="append",
        default=[],
        metavar="FILE.npy[,LOW,HIGH]",
        help="an edit of your own by the file's name: what 1 adds to w+, (512,) or (23, 512), and "
        "its range (default: -3,3); may be repeated",
    )
    parser.add_argument(
        "--keep-details",
        type=parsing.share,
        default=1.0,
        metavar="0..1",
        help="how much detail beyond the semantics an edit keeps (default: 1)",
    )
    parsing.add_device(parser)
    on_ray.add_options(parser)
    parser.add_argument(
        "--backend",
        choices=("reference", "float32", "bfloat16", "float16"),
        help="how the generator draws (default: what HSC_BACKEND says, or what suits the device)",
    )
    clip.add_decode_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    edits = dict(args.edits)
    if len(edits) < len(args.edits):
        raise parsing.UsageError("argument --edit: the same edit is given twice")
    if clip.is_clip(args.source):
        return clip.decode(args, edits)
    clip.refuse(args, clip.OPTIONS_OF_DECODE)
    if is_text(str(args.source)):
        sent = from_text(str(args.source))
        work = batch.single(Path("face.hsc"), args.target, to=".png")
    else:
        sent = None
        work = batch.plan(args.source, args.target, suffixes=(".hsc",), to=".png")
    options = {
        "layers": args.layers,
        "edits": edits or None,
        "keep_details": args.keep_details,
    }
    if args.ray:
        directions = [on_ray.Direction.read(*each) for each in args.directions]
        kept = {"backend": args.backend, "directions": [each.summary for each in directions]}
        return on_ray.process(
            work,
            on_ray.Decode(args.device, args.backend, directions, options),
            {"command": "decode"} | options | kept,
            address=args.ray,
            workers=args.workers,
            gpu=args.device != "cpu",
        )
    import hsc

    codec = hsc.load(device=args.device, backend=args.backend)
    for path, low, high in args.directions:
        codec.add_direction(path.stem, path, low, high)

    def decode(source: Path, target: Path) -> str:
        data = source.read_bytes() if sent is None else sent
        picture = codec.decode(data, **options)
        marks.save(picture, target, "PNG")
        if not edits:
            return f"to {target.name}"
        share = codec.held_back(codec.open(data, args.layers), edits, args.keep_details).share
        if share == 1:
            return f"to {target.name}"
        held = f"edits held back to {share:.0%} of what was asked"
        if not work.folder:  # of one file nothing else is said
            print(held, file=sys.stderr)
        return f"to {target.name}, {held}"

    return batch.process(work, decode)
