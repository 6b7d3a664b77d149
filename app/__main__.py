"""Start the studio: ``python app.py``, ``hsc-studio``, or ``python -m app``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app import cleanup
from app.page import build, launch_options
from app.studio import Studio
from hsc.memory import keep_large_blocks

if TYPE_CHECKING:
    from hsc.codec import Codec


def load() -> Codec:
    """Load the codec; imported here because it takes seconds that the page need not wait for."""
    import hsc

    return hsc.load()


def main() -> None:
    """Build the page and serve it until the process ends."""
    keep_large_blocks()
    cleanup.start()
    build(Studio(load, refine_by_itself=True)).launch(**launch_options())


if __name__ == "__main__":
    main()
