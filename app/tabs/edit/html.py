"""Edits in words, and the grid of strength by bitrate."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from app.components.html import note
from app.files import address, keep_picture
from app.protocols import EditInfo
from app.results import Edits
from app.services.edit_words import edits_in_words, held_in_words
from app.services.editing import GridRow, amounts_over
from app.services.links import FaceLink


def meanings(table: Sequence[EditInfo], edits: Edits, share: float = 1.0) -> str:
    """What the edits that were moved do, from their table, and whether they are held back.

    Args:
        share: of the edits that is carried out.
    """
    known = {edit.name: edit for edit in table}
    rows = "".join(
        f"<li><b>{escape(known[name].label)}</b> {escape(known[name].description)}</li>"
        for name, _ in edits.named
        if name in known
    )
    held = note(held_in_words(share), warn=True)
    return held + (f'<ul class="meanings">{rows}</ul>' if rows else "")


def caption(table: Sequence[EditInfo], edits: Edits, share: float = 1.0) -> str:
    """The edits in words, below the edited picture, and whether they are held back."""
    held = f", held back to {share:.0%}" if held_in_words(share) else ""
    return edits_in_words(edits, table) + held


def saved(link: FaceLink | None, size: int = 0) -> str:
    """That the edited face is a file now, and its link."""
    if link is None:
        return ""
    return (
        f'<p class="note">The edited face as a file: {size:,} bytes. {escape(link.carries)} '
        f'<button type="button" class="copy" data-copy="{escape(link.link)}">Copy its link</button>'
        "</p>"
    )


def clip(path: str, kind: str) -> str:
    """A clip that plays by itself and again."""
    words = "One face turning into the other and back"
    if kind == "mp4":
        return (
            f'<video src="{address(path)}" autoplay loop muted playsinline controls '
            f'aria-label="{words}"></video>'
        )
    return f'<img src="{address(path)}" alt="{words}">'


def grid(edit: EditInfo, rows: Sequence[GridRow]) -> str:
    """Strength to the right, bitrate downwards, each picture 256 px from that row's own bytes."""
    if not rows:
        return ""
    amounts = amounts_over(edit, len(rows[0].pictures))
    head = "".join(f'<th scope="col">{_signed(amount)}</th>' for amount in amounts)
    body = "".join(
        f'<tr><th scope="row">{row.total:,} bytes<small>level {row.level:g}</small></th>'
        + "".join(
            f'<td><img src="{address(keep_picture(picture, "grid.png"))}" '
            f'alt="{escape(edit.label)} {_signed(amount)} at level {row.level:g}"></td>'
            for amount, picture in zip(amounts, row.pictures, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    unit = f" ({escape(edit.unit)})" if edit.unit else ""
    return (
        f'<table class="sheet"><caption>{escape(edit.label)}{unit} by bitrate, 256-pixel previews'
        f"</caption><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _signed(amount: float) -> str:
    return f"{amount:+g}" if amount else "0"
