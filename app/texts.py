"""The page's longer texts and drawings, which ship as Markdown and SVG."""

from __future__ import annotations

from hsc.paths import SHIPPED


def text(name: str) -> str:
    """The text of that name."""
    return (SHIPPED / "texts" / f"{name}.md").read_text(encoding="utf-8")


def drawing(name: str) -> str:
    """The SVG of that name, to be part of a page: its colours follow the theme."""
    return (SHIPPED / "diagram" / f"{name}.svg").read_text(encoding="utf-8")
