"""HTML that several tabs show: notes, tables, a file's bytes as a bar."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from app.results import Sizes
from app.studio import Studio

PARTS = (
    ("header", "Header", "says what the file is"),
    ("scn", "Essence (SCN)", "core semantics: what kind of face, in what pose"),
    ("fcn", "Likeness (FCN)", "features: what makes it this face"),
)
LOADING = "Loading the model, this takes a few seconds …"


def note(text: str, *, busy: bool = False, warn: bool = False) -> str:
    """One line under a control. `busy` adds a turning mark after half a second."""
    kind = " warn" if warn else " busy" if busy else ""
    return f'<p class="note{kind}">{escape(text)}</p>' if text else ""


def is_busy(html: object) -> bool:
    """Whether a note says that something is being done."""
    return isinstance(html, str) and '<p class="note busy">' in html


def busy_note(studio: Studio, text: str) -> str:
    """What is being done; as long as the model is loading, that."""
    return note(text if studio.ready else LOADING, busy=True)


def table(caption: str, rows: Iterable[tuple[str, object]]) -> str:
    """Names and values, one pair a row."""
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(str(value))}</td></tr>'
        for name, value in rows
    )
    return f'<table class="facts"><caption>{escape(caption)}</caption>{body}</table>'


def bytes_bar(sizes: Sizes, whole_file: Sizes | None = None) -> str:
    """A stacked bar of header, SCN and FCN.

    Args:
        sizes: of the file.
        whole_file: sizes of the file with both layers, when the other was cut from it: the FCN
            bytes that are missing are drawn hollow.
    """
    segments, legend, words = [], [], []
    for name, label, meaning in PARTS:
        count = getattr(sizes, name)
        width = count or (getattr(whole_file, name) if whole_file else 0)
        if not width:
            continue
        amount = f"{count:,} bytes" if count else "left out"
        kind = name if count else f"{name} hollow"
        words.append(f"{label} {amount}")
        segments.append(f'<span class="part {kind}" style="flex-grow:{width}"></span>')
        legend.append(f'<li class="{kind}" title="{meaning}"><b>{label}</b> {amount}</li>')
    return (
        f'<div class="bar" role="img" aria-label="{", ".join(words)}">{"".join(segments)}</div>'
        f'<ul class="legend">{"".join(legend)}</ul>'
    )
