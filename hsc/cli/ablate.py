"""``hsc ablate``: what each idea of the codec is worth in bytes."""

from __future__ import annotations

import argparse
from pathlib import Path

from hsc.cli import parsing


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser(
        "ablate", help="train the codec's parts without one idea each, and compare bytes"
    )
    parser.add_argument(
        "--faces", type=Path, required=True, metavar="DIR", help="a folder of aligned faces"
    )
    parser.add_argument(
        "--groups",
        type=parsing.names,
        metavar="NAME,...",
        help="priors (context and slices of F), semantics (coding of S), losses (default: all)",
    )
    parser.add_argument(
        "--steps",
        type=parsing.count,
        metavar="N",
        help="optimiser steps of every variant (default: 100 for priors, 1500 for semantics, 60 "
        "for losses: minutes of one core each)",
    )
    parser.add_argument(
        "--train-faces",
        type=parsing.count,
        default=320,
        metavar="N",
        help="faces to train variants on (default: 320)",
    )
    parser.add_argument(
        "--limit",
        type=parsing.count,
        default=12,
        metavar="N",
        help="held-out faces to measure on (default: 12)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="where ablation.json goes, and `validate results` finds it (default: runs/validation)",
    )
    parsing.add_device(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from hsc.research.ablation import run as ablation
    from hsc.research.options import AblateOptions

    ablation.run(parsing.options(AblateOptions, args))
    return 0
