"""``hsc evaluate FOLDER``: our files beside other codecs' of the same bytes."""

from __future__ import annotations

import argparse
from pathlib import Path

from hsc.cli import on_ray, parsing


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser(
        "evaluate", help="measure the codec and others, in the same bytes, on a folder of photos"
    )
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="photos, in sub-folders too")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("runs/evaluation"),
        metavar="REPORT_DIR",
        help="where the report goes; figures that are there are kept (default: runs/evaluation)",
    )
    parser.add_argument(
        "--levels", type=parsing.levels, metavar="L,L,...", help="bitrate levels (default: all six)"
    )
    parser.add_argument(
        "--codecs",
        type=parsing.names,
        metavar="NAME,...",
        help="jpeg, webp, avif, heic, jxl, vvc (default: all that are installed)",
    )
    parser.add_argument("--limit", type=parsing.count, metavar="N", help="use N pictures at most")
    parser.add_argument(
        "--no-align",
        dest="align",
        action="store_false",
        help="take the centre of every picture instead of looking for a face",
    )
    parsing.add_device(parser)
    on_ray.add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from hsc.research.evaluation.study import run as study
    from hsc.research.options import EvaluateOptions

    study.run(parsing.options(EvaluateOptions, args))
    return 0
