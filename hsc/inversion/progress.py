"""How far the gradient steps for one picture are."""

from __future__ import annotations

from collections.abc import Callable

ProgressReport = Callable[[int, int], None]
"""Called with the number of steps done and the total. What it raises ends the work."""
Stepped = Callable[[], None]
"""Called after each step."""


def nothing() -> None:
    """Where nobody counts steps."""


def counted(progress: ProgressReport | None, total: int) -> Stepped:
    """Reports each step of so many to ``progress``."""
    if progress is None:
        return nothing
    done = 0

    def stepped() -> None:
        nonlocal done
        done += 1
        progress(done, total)

    return stepped
