"""``hsc train STAGE``: one training stage, or all of them, from a checkpoint to weights."""

from __future__ import annotations

import argparse
from pathlib import Path

from hsc.cli import parsing

STAGES = (
    "pairs",
    "preview",
    "exit128",
    "inversion",
    "inversion-pairs",
    "inversion-pictures",
    "truncation",
    "texture",
    "identity",
    "latents",
    "semantic",
    "feature",
    "joint",
    "decoder",
    "preview-decoder",
    "correction",
    "styles",
    "enhancement",
    "directions",
    "gains",
    "plausibility",
    "probe",
    "all",
    "stylegan2",
    "principal",
    "domain",
    "toy",
    "motion",
)


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser("train", help="train one stage of the codec, or all")
    parser.add_argument("stage", metavar="STAGE", choices=STAGES, help=", ".join(STAGES))
    parser.add_argument(
        "--data",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="a folder of aligned faces; may be repeated",
    )
    parser.add_argument(
        "--work",
        type=Path,
        default=Path("runs"),
        metavar="DIR",
        help="where checkpoints and logs go (default: runs)",
    )
    parser.add_argument("--steps", type=parsing.count, metavar="N", help="stop after N steps")
    parser.add_argument(
        "--minutes", type=parsing.positive, metavar="M", help="stop after M minutes"
    )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="YAML with hyperparameters (default: hsc/research/training/configs/STAGE.yaml)",
    )
    parser.add_argument(
        "--set",
        dest="changes",
        type=parsing.setting,
        action="append",
        metavar="KEY=VALUE",
        help="one hyperparameter, with all: STAGE.KEY=VALUE; may be repeated",
    )
    parser.add_argument("--batch", type=parsing.count, metavar="N", help="pictures a step")
    start = parser.add_mutually_exclusive_group()
    start.add_argument(
        "--resume",
        dest="resume",
        action="store_true",
        default=True,
        help="go on from the checkpoint if there is one (default)",
    )
    start.add_argument("--fresh", dest="resume", action="store_false", help="start from nothing")
    parser.add_argument(
        "--compile",
        action="store_true",
        help="compile the generator first: needs a C++ compiler and minutes, saves a third a step",
    )
    parsing.add_device(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from hsc.research import stages
    from hsc.research.options import TrainOptions

    args.changes = dict(args.changes or [])
    stages.run(args.stage, parsing.options(TrainOptions, args))
    return 0
