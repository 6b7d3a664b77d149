"""What the command line says on stderr."""

from __future__ import annotations

import sys


def print_error(error: BaseException, about: str | None = None) -> None:
    """One line on stderr, whatever the error's own text looks like.

    Args:
        error: what went wrong.
        about: the picture or file that it happened to, when there are several.
    """
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        # Without "[Errno 2]", and the name as the user wrote it.
        text = error.strerror if error.filename is None else f"{error.filename}: {error.strerror}"
    if about:
        text = f"{about}: {text}"
    print("hsc: error:", " ".join(text.split()), file=sys.stderr, flush=True)


def print_progress(number: int, total: int, text: str) -> None:
    """One line on stderr, such as ``3/12 name.jpg 1012 bytes``."""
    print(f"{number}/{total} {text}", file=sys.stderr, flush=True)
