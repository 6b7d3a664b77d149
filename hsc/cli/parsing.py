"""The argument parser that fails in one line, and the types and options that commands share."""

from __future__ import annotations

import argparse
import math
from dataclasses import fields
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from hsc.errors import HscError
from hsc.levels import MAX_LEVEL, MIN_LEVEL, REFINE_STEPS

Options = TypeVar("Options")


class UsageError(HscError):
    """The command line itself is wrong."""


class Parser(argparse.ArgumentParser):
    """Raises ``UsageError`` where argparse prints its usage and exits.

    Options cannot be abbreviated, so that a new option never changes what a script means.
    """

    def __init__(self, *args, **kwargs) -> None:
        kwargs.setdefault("allow_abbrev", False)
        super().__init__(*args, **kwargs)

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {self.prog} --help)")


def options(kind: type[Options], args: argparse.Namespace) -> Options:
    """The typed options of a command, a field for each argument of that name; None: its default."""
    given: dict[str, Any] = {f.name: getattr(args, f.name, None) for f in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in given.items() if value is not None})


def add_device(parser: argparse.ArgumentParser) -> None:
    """``--device auto|cpu|cuda``."""
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="where to compute (default: auto, a CUDA device if there is one)",
    )


def add_refine(parser: argparse.ArgumentParser) -> None:
    """``--refine [N]``."""
    parser.add_argument(
        "--refine",
        type=index,
        nargs="?",
        const=REFINE_STEPS,
        default=0,
        metavar="N",
        help="spend N gradient steps on each face for a better picture in as many bytes "
        f"({REFINE_STEPS} without a number; default: none)",
    )


def level(text: str) -> float:
    """A bitrate level, fractions allowed."""
    value = _number(text)
    if not MIN_LEVEL <= value <= MAX_LEVEL:
        raise argparse.ArgumentTypeError(
            f"expected a number from {MIN_LEVEL} to {MAX_LEVEL}, got {text!r}"
        )
    return value


def levels(text: str) -> list[float]:
    """Bitrate levels with commas between them."""
    return [level(part) for part in text.split(",")]


def rates(text: str) -> list[float]:
    """Numbers above 0 with commas between them."""
    return [positive(part) for part in text.split(",")]


def count(text: str) -> int:
    """A whole number from 1."""
    return _whole(text, least=1)


def index(text: str) -> int:
    """A whole number from 0."""
    return _whole(text, least=0)


def positive(text: str) -> float:
    """A number above 0, such as minutes or kbit/s."""
    value = _number(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return value


def share(text: str) -> float:
    """A number from 0 to 1."""
    value = _number(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 1, got {text!r}")
    return value


def edit(text: str) -> tuple[str, float]:
    """``NAME=AMOUNT``."""
    name, equals, amount = text.partition("=")
    value = _number(amount)
    if not name.strip() or not equals or not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"expected NAME=AMOUNT such as smile=1.0, got {text!r}")
    return name.strip(), value


def direction(text: str) -> tuple[Path, float, float]:
    """``FILE.npy`` or ``FILE.npy,LOW,HIGH``."""
    parts = text.rsplit(",", 2) if text.count(",") > 1 else [text, "-3", "3"]
    low, high = map(_number, parts[1:])
    if not parts[0].endswith(".npy") or math.isnan(low + high):
        raise argparse.ArgumentTypeError(f"expected FILE.npy or FILE.npy,LOW,HIGH, got {text!r}")
    return Path(parts[0]), low, high


def names(text: str) -> list[str]:
    """Names with commas between them."""
    return text.split(",")


def setting(text: str) -> tuple[str, str]:
    """``KEY=VALUE``."""
    key, equals, value = text.partition("=")
    if not key.strip() or not equals:
        raise argparse.ArgumentTypeError(f"expected KEY=VALUE such as batch=8, got {text!r}")
    return key.strip(), value.strip()


def _whole(text: str, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f"expected a whole number from {least}, got {text!r}")
    return value


def _number(text: str) -> float:
    """NaN, which is in no range, for what is no number."""
    try:
        return float(text)
    except ValueError:
        return math.nan
