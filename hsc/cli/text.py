"""``hsc text IN.hsc``: a file as text to send, and as a QR code."""

from __future__ import annotations

import argparse
from pathlib import Path

from hsc.cli.parsing import UsageError

KINDS = (".png", ".svg")


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser("text", help="print a .hsc file as text, which decode takes too")
    parser.add_argument("source", metavar="IN.hsc", type=Path)
    parser.add_argument(
        "--layers",
        choices=("scn", "scn+fcn"),
        default="scn",
        help="which layers to put into the text (default: scn, the shorter by far)",
    )
    parser.add_argument(
        "--qr", type=Path, metavar="OUT", help="also write a QR code, as .png or .svg"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.qr is not None and args.qr.suffix.lower() not in KINDS:
        raise UsageError(f"argument --qr: expected a name that ends in .png or .svg, got {args.qr}")
    from hsc.bitstream import with_layers
    from hsc.bitstream.qr import QUIET_ZONE, qr_code
    from hsc.bitstream.text import to_text

    text = to_text(with_layers(args.source.read_bytes(), args.layers))
    if args.qr is not None:
        qr_code(text).save(str(args.qr), border=QUIET_ZONE, scale=8)
    print(text)
    return 0
