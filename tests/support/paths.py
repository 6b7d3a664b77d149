"""Where things lie in the repository."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ASTRONAUT = ROOT / "assets" / "examples" / "astronaut.png"
GOLDEN = ROOT / "tests" / "golden"
STREAMS = GOLDEN / "streams"


def stream(name: str) -> bytes:
    """A golden file, of a generated face: ``level3``."""
    return (STREAMS / f"{name}.hsc").read_bytes()
