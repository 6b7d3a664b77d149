"""``hsc export web OUT``: the decoder for other programs."""

from __future__ import annotations

import argparse
from pathlib import Path

KINDS = ("web",)


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser("export", help="write the decoder for other programs")
    parser.add_argument("kind", choices=KINDS, help="web: a receiver that runs in any browser")
    parser.add_argument("out", type=Path, metavar="OUT", help="a new folder")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from hsc.export.web import export_web

    files = export_web(args.out)
    total = sum(path.stat().st_size for path in files)
    print(f"{args.out}: {len(files)} files, {total:,} bytes; serve it with any static web server.")
    return 0
