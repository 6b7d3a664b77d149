"""``hsc info IN.hsc``: what a file says of itself, as one JSON object on stdout."""

from __future__ import annotations

import argparse
import json
from pathlib import Path


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser("info", help="describe a .hsc, .hscp or .hsv file as JSON")
    parser.add_argument("source", metavar="IN.hsc", type=Path)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    import hsc

    data = args.source.read_bytes()
    if data.startswith(b"HSCP"):
        from hsc import photograph

        print(json.dumps(photograph.describe(data)))
    elif data.startswith(b"HSCV"):
        from hsc import sequence

        print(json.dumps(sequence.describe(data)))
    else:
        print(json.dumps(hsc.describe(data)))
    return 0
