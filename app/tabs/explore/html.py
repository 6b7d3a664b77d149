"""The Explore tab's words as HTML."""

from __future__ import annotations

from html import escape

from app.components.html import note
from app.services.bit_allocation import BitSummary
from app.services.rd_curve import Curve


def bits_in_words(spending: BitSummary, size: int) -> str:
    """Where the bits went, in a few sentences with the figures behind them."""
    total = spending.scn or 1
    groups = "".join(
        f"<li><b>{bits / total:.0%}</b> {escape(name)} styles: {escape(draws)}</li>"
        for name, draws, _, bits in spending.groups
    )
    words = [
        f"<h2>Where the {size:,} bytes went</h2>",
        f'<p>SCN spends {spending.scn:,.0f} bits:</p><ul class="shares">{groups}</ul>',
    ]
    if spending.person is not None:
        words.append(
            f"<p>FCN spends {spending.fcn:,.0f} bits, {spending.fine:,.0f} of them on fine styles. "
            f"<b>{spending.person:.0%}</b> of the others lie on the person, who takes "
            f"{spending.area:.0%} of the picture.</p>"
        )
    return "".join(words)


def progress(curve: Curve) -> str:
    """How far the measurement has come."""
    if not curve.doing:
        return note(
            f"{len(curve.points)} files measured. Every point is a real file of this photo; click "
            "it to see its picture."
        )
    part = curve.done / max(curve.total, 1)
    return note(f"{curve.doing} … {curve.done} of {curve.total}", busy=True) + (
        f'<div class="progress" role="progressbar" aria-valuenow="{part:.0%}">'
        f'<i style="width:{part:.1%}"></i></div>'
    )
