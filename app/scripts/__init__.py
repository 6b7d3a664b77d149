"""The page's few scripts and its stage style, put into its head as they are.

`chart.js` is not among them: it belongs to a component. Nor is `switch.js`, which is an event's.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
STYLES, SCRIPTS = ("stage.css",), ("page.js", "link.js", "edit.js")


def head() -> str:
    """All of them, as HTML."""
    return _inside("style", STYLES) + _inside("script", SCRIPTS)


def function(name: str) -> str:
    """A script that is one function, to be called in the browser by an event."""
    return (FOLDER / name).read_text(encoding="utf-8")


def _inside(tag: str, names: tuple[str, ...]) -> str:
    texts = ((FOLDER / name).read_text(encoding="utf-8") for name in names)
    return "".join(f"<{tag}>{text}</{tag}>" for text in texts)
