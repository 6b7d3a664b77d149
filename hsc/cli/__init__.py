"""The command line, ``hsc COMMAND``: one module a command.

Each command module has ``add_parser(subparsers)`` and ``run(args) -> int``. What is slow to import
is imported inside ``run``, so that ``--help`` and ``info`` answer at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from hsc import __version__
from hsc.cli import (
    ablate,
    bench,
    blend,
    decode,
    encode,
    evaluate,
    export,
    import_weights,
    info,
    photo,
    reproduce,
    text,
    train,
    validate,
)
from hsc.cli.parsing import Parser
from hsc.cli.report import print_error
from hsc.errors import HscError
from hsc.memory import keep_large_blocks

COMMANDS = (
    encode, decode, photo, blend, info, text, reproduce, train, validate, evaluate, ablate,
    import_weights, bench, export,
)  # fmt: skip
FAILED = 2
INTERRUPTED = 130  # 128 + SIGINT, as shells count


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the arguments; those of the process by default.

    Returns:
        The exit status: 0; 2 after an error, which is one line on stderr; 130 after Ctrl+C.
    """
    try:
        args = _parser().parse_args(argv)
        keep_large_blocks()
        return args.run(args)
    except (HscError, OSError) as error:
        print_error(error)
        return FAILED
    except KeyboardInterrupt:
        print_error(KeyboardInterrupt("Stopped."))
        return INTERRUPTED


def _parser() -> Parser:
    parser = Parser(prog="hsc", description="Hierarchical semantic compression of faces.")
    parser.add_argument("--version", action="version", version=f"hsc {__version__}")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_parser(subparsers)
    return parser
