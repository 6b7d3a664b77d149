"""Edits in words, and the grid of strength by bitrate."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from app.files import address, keep_picture
from app.protocols import EditInfo
from app.results import Edits
from app.services.editing import GridRow, amounts_over


def edits_in_words(edits: Edits) -> str:
    """'Edited: age +10, smile +1', or that nothing is."""
    if not edits.named:
        return "Edited: nothing yet"
    named = (f"{name.replace('_', ' ')} {amount:+g}" for name, amount in edits.named)
    return "Edited: " + ", ".join(named)


def meanings(table: Sequence[EditInfo], edits: Edits) -> str:
    """What the edits that were moved do, from their table."""
    known = {edit.name: edit for edit in table}
    rows = "".join(
        f"<li><b>{escape(known[name].label)}</b> {escape(known[name].description)}</li>"
        for name, _ in edits.named
        if name in known
    )
    return f'<ul class="meanings">{rows}</ul>' if rows else ""


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
