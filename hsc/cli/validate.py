"""``hsc validate KIND``: measure the codec on a folder of faces, and write the results up."""

from __future__ import annotations

import argparse
from pathlib import Path

from hsc.cli import parsing

KINDS = (
    "inversion",
    "rate-distortion",
    "bound",
    "resolution",
    "robustness",
    "verification",
    "directions",
    "edits",
    "full-size",
    "photographs",
    "faults",
    "jitter",
    "detection",
    "sequence",
    "results",
)


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser("validate", help="measure the codec on a folder of faces")
    parser.add_argument("kind", metavar="KIND", choices=KINDS, help=", ".join(KINDS))
    parser.add_argument("--faces", type=Path, metavar="DIR", help="a folder of aligned faces")
    parser.add_argument(
        "--photos", type=Path, metavar="DIR", help="photographs: a folder of whole photographs"
    )
    parser.add_argument(
        "--clips", type=Path, metavar="DIR", help="sequence: a folder of clips of a moving face"
    )
    parser.add_argument(
        "--seconds",
        type=parsing.positive,
        metavar="N",
        help="sequence: how much of each clip (default: 1.2)",
    )
    parser.add_argument(
        "--kbits",
        type=parsing.rates,
        metavar="N,N,...",
        help="sequence: rates in kbit/s (default: 6,12,24)",
    )
    parser.add_argument("--limit", type=parsing.count, metavar="N", help="use N faces at most")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="where figures and sheets go, and results finds them (default: runs/validation)",
    )
    parser.add_argument(
        "--levels", type=parsing.levels, metavar="L,L,...", help="bitrate levels, such as 1,3,6"
    )
    parser.add_argument(
        "--codecs",
        type=parsing.names,
        metavar="NAME,...",
        help="other codecs to compare with: verification (default: jpeg, webp, avif, heic), "
        "sequence (default: x264, x265, AV1, VVC)",
    )
    parser.add_argument(
        "--steps",
        type=parsing.count,
        metavar="N",
        help="gradient steps of the oracle of bound (default: 60), of each search of resolution "
        "(default: 24)",
    )
    parser.add_argument(
        "--study",
        type=Path,
        metavar="DIR",
        help="where results finds the report of `hsc evaluate` (default: runs/evaluation)",
    )
    parser.add_argument(
        "--page",
        type=Path,
        metavar="FILE",
        help="the file that results writes (default: RESULTS.md)",
    )
    parser.add_argument(
        "--compare-decoder",
        metavar="FILE",
        help="full-size: render the same files by the blocks above F in FILE too, or by the "
        "generator's own with `original`",
    )
    parsing.add_refine(parser)
    parsing.add_device(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from hsc.research import evaluation
    from hsc.research.options import ValidateOptions

    options = parsing.options(ValidateOptions, args)
    if args.kind == "results":
        from hsc.research import results

        results.run(options)
    else:
        evaluation.run(args.kind, options)
    return 0
