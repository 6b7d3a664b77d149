"""``hsc photo``: whole photographs to ``.hscp`` files and back, every face in its place.

hsc photo IN OUT.hscp          code it
hsc photo IN.hscp OUT.png      draw it
hsc photo IN OUT.png           both
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hsc.cli import parsing
from hsc.cli.report import print_progress
from hsc.errors import HscError

if TYPE_CHECKING:
    from hsc.photograph import EncodedPhotograph, PhotographFile

SUFFIX = ".hscp"


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser(
        "photo",
        help="compress a photograph with all of its faces, or draw one",
        description="Compress a photograph: every face as a .hsc file, the rest as a small "
        "picture. Drawn again, the faces are back in their places.",
    )
    parser.add_argument(
        "source", metavar="IN", type=Path, help="a photograph, or a .hscp file to draw"
    )
    parser.add_argument(
        "target", metavar="OUT", type=Path, help="a .hscp file, or a .png file to draw"
    )
    parser.add_argument(
        "--level",
        type=parsing.level,
        default=3.0,
        metavar="1..6",
        help="bitrate level of every face; fractions are allowed (default: 3)",
    )
    parser.add_argument(
        "--background-bytes",
        type=parsing.index,
        metavar="N",
        help="budget of what is not a face (default: 4000)",
    )
    parser.add_argument(
        "--skip",
        type=parsing.index,
        action="append",
        default=[],
        metavar="N",
        help="leave face N, 0 being the largest: while coding, in the background; while drawing, "
        "undrawn; may be repeated",
    )
    parser.add_argument(
        "--edit",
        dest="edits",
        type=face_edit,
        action="append",
        default=[],
        metavar="N:NAME=AMOUNT",
        help="edit face N while drawing, such as 0:smile=1.5; may be repeated",
    )
    parser.add_argument(
        "--allow-cut", action="store_true", help="draw what is there of a cut or damaged file"
    )
    parser.add_argument(
        "--compare",
        action="store_true",
        help="while coding, also write the photograph as AVIF, WebP and JPEG of as many bytes",
    )
    parsing.add_refine(parser)
    parsing.add_device(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    target = args.target.suffix.lower()
    drawing = args.source.suffix.lower() == SUFFIX
    if target != ".png" and (drawing or target != SUFFIX):
        expected = ".png" if drawing else f"{SUFFIX} or .png"
        raise HscError(f"Expected an output name that ends in {expected}, got {args.target}.")
    if drawing and args.compare:
        raise parsing.UsageError("argument --compare: it needs the photograph, not a .hscp file")
    edits = _by_face(args.edits)
    if edits and target == SUFFIX:
        raise parsing.UsageError("argument --edit: edits are made while drawing a .png")
    source = args.source.read_bytes()
    from hsc import photograph
    from hsc.domains import domain as domain_of
    from hsc.domains import tried_turns
    from hsc.images import marks

    if drawing:
        file = photograph.unpack(source, allow_cut=args.allow_cut)
    codec = _load(args.device)
    args.target.parent.mkdir(parents=True, exist_ok=True)
    skip = args.skip
    if not drawing:
        budget = args.background_bytes
        domain = codec.networks.config.generator.domain
        coded = photograph.encode(
            codec,
            source,
            args.level,
            background_bytes=photograph.BACKGROUND_BYTES if budget is None else budget,
            skip=skip,
            refine=args.refine,
            domain=domain,
            progress=_progress,
        )
        file = coded.file
        if not coded.found:
            print(f"no face was found{tried_turns(domain_of(domain))}: all of it is background")
        skip, edits = (), _in_file(edits, coded)
        if args.compare:
            for whole in photograph.compare(coded.photograph, len(coded.data)):
                path = args.target.with_suffix(f".{whole.codec.name}")
                path.write_bytes(whole.data)
                width, height = whole.coded_size
                print(f"{path.name}: {len(whole.data)} bytes, coded at {width} x {height}")
        if coded.shrunk_from:
            width, height = coded.shrunk_from
            print(f"{width} x {height} pixels were given: {max(coded.photograph.size)} are kept")
        print_parts(file, coded.coded)
    if target == SUFFIX:
        args.target.write_bytes(file.pack())
        return 0
    shown = photograph.decode(codec, file, skip=skip, edits=edits, progress=_progress)
    marks.save(shown.picture, args.target, "PNG")
    for number in shown.missing:
        print(f"face {number} is not in the file: its place is left smooth")
    for number in shown.partial:
        print(f"face {number} is drawn from SCN alone")
    return 0


def print_parts(file: PhotographFile, numbers: tuple[int, ...]) -> None:
    """The bytes of every part of a file, a line each."""
    print(f"header: {file.header_bytes} bytes")
    print(f"background: {len(file.background)} bytes")
    for number, face in zip(numbers, file.faces):
        side = face.placement.square.side
        print(f"face {number}: {len(face.data)} bytes, a square of {side:.0f} pixels")
    total = file.header_bytes + len(file.background) + sum(len(face.data) for face in file.faces)
    print(f"total: {total} bytes, {file.width} x {file.height} pixels")


def face_edit(text: str) -> tuple[int, str, float]:
    """``N:NAME=AMOUNT``."""
    number, colon, rest = text.partition(":")
    if not colon:
        raise argparse.ArgumentTypeError(
            f"expected N:NAME=AMOUNT such as 0:smile=1.5, got {text!r}"
        )
    return (parsing.index(number), *parsing.edit(rest))


def _by_face(edits: list[tuple[int, str, float]]) -> dict[int, dict[str, float]]:
    by_face: dict[int, dict[str, float]] = {}
    for number, name, amount in edits:
        amounts = by_face.setdefault(number, {})
        if name in amounts:
            raise parsing.UsageError(f"argument --edit: {name} of face {number} is given twice")
        amounts[name] = amount
    return by_face


def _in_file(
    edits: dict[int, dict[str, float]], coded: EncodedPhotograph
) -> dict[int, dict[str, float]]:
    """Edits by number in the photograph -> by number in the file."""
    places = {number: place for place, number in enumerate(coded.coded)}
    for number in edits:
        if number not in places:
            raise HscError(f"There is no face {number} to edit: it was not found, or skipped.")
    return {places[number]: amounts for number, amounts in edits.items()}


def _progress(done: int, total: int, what: str) -> None:
    print_progress(done + 1, total, what)


def _load(device: str) -> Any:
    import hsc

    return hsc.load(device=device)
