"""The page's few scripts and its stage style, put into its head as they are."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent


def head() -> str:
    """All of them, as HTML."""
    return _inside("style", "*.css") + _inside("script", "*.js")


def _inside(tag: str, pattern: str) -> str:
    texts = (path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob(pattern)))
    return "".join(f"<{tag}>{text}</{tag}>" for text in texts)
