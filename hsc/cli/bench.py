"""``hsc bench``: how long the codec takes on this machine, stage by stage."""

from __future__ import annotations

import argparse
from pathlib import Path

from hsc.cli import parsing


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser("bench", help="time encoding and decoding on this machine")
    parser.add_argument(
        "--photo",
        type=Path,
        metavar="FILE",
        help="a photograph of a person (default: the example that is shipped)",
    )
    parser.add_argument(
        "--rounds",
        type=parsing.count,
        default=10,
        metavar="N",
        help="take the median of N rounds (default: 10)",
    )
    parser.add_argument(
        "--level",
        type=parsing.level,
        default=3.0,
        metavar="1..6",
        help="bitrate level (default: 3)",
    )
    parser.add_argument(
        "--backends",
        type=parsing.names,
        metavar="NAME,...",
        help="ways to run the generator, as HSC_BACKEND names them (default: the usual one)",
    )
    parser.add_argument(
        "--openvino",
        action="store_true",
        help="time the generator beside OpenVINO with the same weights too (extra `lab`)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="where bench.json goes, and `validate results` finds it (default: runs/validation)",
    )
    parsing.add_device(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from hsc.research.evaluation import bench
    from hsc.research.options import BenchOptions

    bench.run(parsing.options(BenchOptions, args))
    return 0
