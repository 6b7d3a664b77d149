"""The page's longer texts, kept as Markdown in assets/texts."""

from __future__ import annotations

from hsc.paths import SHIPPED

FOLDER = SHIPPED / "texts"


def text(name: str) -> str:
    """The text of that name."""
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8")
