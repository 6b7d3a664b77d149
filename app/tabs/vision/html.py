"""What was read off pictures, as HTML: words first, the figure behind each after them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from app.services.vision import View, recognised, verdict

FEELS = {
    "neutral": "a neutral face",
    "happy": "a happy face",
    "sad": "a sad face",
    "angry": "an angry face",
    "fearful": "a fearful face",
    "disgusted": "a disgusted face",
    "surprised": "a surprised face",
}


def summary(views: Sequence[View]) -> str:
    """Does the machine still see the same person, by our file and by AVIF."""
    _, ours, other = views
    lines = "".join(
        f'<li class="{"yes" if good else "no"}"><b>{escape(view.label)}</b> '
        f"<span>{view.bytes:,} bytes</span> {escape(words)}</li>"
        for view in (ours, other)
        for words, good in [verdict(view)]
    )
    return f'<h2>Does a machine still see the same person?</h2><ul class="verdicts">{lines}</ul>'


def card(view: View) -> str:
    """One picture's read-outs."""
    face, agreement = view.readout.face, view.agreement
    if face is None:
        return _list([("Face", "none found", "")])
    rows = [("Face", "found", ""), *_compared(view)]
    change = agreement.age_change if agreement else None
    rows.append(("Guessed age", f"{face.age:.0f}", _years(change)))
    likely = face.expressions[face.expression]
    rows.append(("Guessed look", FEELS[face.expression], f"{likely:.0%} sure"))
    rows.append(("Head", _turned(face.yaw, face.pitch), ""))
    return _list(rows)


def _compared(view: View) -> list[tuple[str, str, str]]:
    """What can only be said beside the original, which is the measure of itself."""
    agreement = view.agreement
    names = ("Identity", "Landmarks", "Person")
    if agreement is None:
        return [(name, "the reference", "") for name in names]
    said, error = recognised(agreement), agreement.landmark_error
    if said is None or error is None:
        return [(name, "cannot be compared", "") for name in names]
    distances = f"dlib {agreement.identity_l2:.2f}, FaceRes {agreement.faceres_l2:.2f}"
    return [
        ("Identity", said.words, f"{distances}. {said.differ}".removesuffix(". ")),
        ("Landmarks", _moved(error), f"{error:.1%} of the eyes' distance"),
        ("Person", f"{agreement.mask_overlap:.0%} the same pixels", "overlap of the masks"),
    ]


def _list(rows: Sequence[tuple[str, str, str]]) -> str:
    body = "".join(
        f"<div><dt>{escape(name)}</dt>"
        f"<dd>{escape(words)} <small>{escape(figure)}</small></dd></div>"
        for name, words, figure in rows
    )
    return f'<dl class="seen">{body}</dl>'


def _years(change: float | None) -> str:
    """'+3 years'; nothing for the original, and no sign where the rounded change is 0."""
    if change is None:
        return ""
    years = round(change)
    if not years:
        return "as the original"
    return f"{years:+d} year{'' if abs(years) == 1 else 's'}"


def _moved(error: float) -> str:
    if error < 0.02:
        return "in place"
    return "nearly in place" if error < 0.05 else "moved"


def _turned(yaw: float, pitch: float) -> str:
    parts = []
    if abs(yaw) >= 5:
        parts.append(f"turned {abs(yaw):.0f}° to the {'right' if yaw > 0 else 'left'}")
    if abs(pitch) >= 5:
        parts.append(f"{'raised' if pitch > 0 else 'lowered'} {abs(pitch):.0f}°")
    return ", ".join(parts) or "straight"
