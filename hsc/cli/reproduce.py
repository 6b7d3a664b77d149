"""``hsc reproduce FACE.json OUT.png``: check a sidecar and draw its picture again."""

from __future__ import annotations

import argparse
from pathlib import Path

from hsc.bitstream import with_layers
from hsc.cli import parsing
from hsc.errors import BitstreamError
from hsc.images import marks


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser(
        "reproduce", help="check a sidecar against its file and the weights, and draw it again"
    )
    parser.add_argument("sidecar", metavar="FACE.json", type=Path)
    parser.add_argument("target", metavar="OUT.png", type=Path)
    parser.add_argument(
        "--file",
        type=Path,
        metavar="FACE.hsc",
        help="the file (default: the one beside the sidecar; a generated face needs none)",
    )
    parsing.add_device(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    import hsc
    from hsc import sidecar

    recipe = sidecar.read(args.sidecar)
    path = args.file or args.sidecar.with_suffix(".hsc")
    codec = hsc.load(device=args.device)
    data = path.read_bytes() if path.is_file() else _made_again(codec, recipe, path)
    sidecar.check(recipe, data)
    draw = recipe["draw"]
    picture = codec.decode(data, draw["layers"], draw["edits"], draw["keep_details"])
    marks.save(picture, args.target)
    print(f"{path.name}: {len(data)} bytes as the sidecar says, to {args.target.name}")
    return 0


def _made_again(codec, recipe: dict, path: Path) -> bytes:
    """The file of a generated face, from its seed."""
    if recipe["source"].get("kind") != "generated" or "encode" not in recipe:
        raise BitstreamError(f"expected the sidecar's file at {path.name}, found none: add --file.")
    how = recipe["encode"]
    face = codec.random_face(recipe["source"]["seed"])
    data = codec.encode(face, how["level"], face=how["face"], align=how["align"])
    return with_layers(data, how["layers"])
