"""Edits in words: 'head 12 degrees left', not 'yaw -12'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.protocols import EditInfo
from app.results import Edits

WORDS: Mapping[str, tuple[str, str]] = {
    "smile": ("more smile", "less smile"),
    "mouth_open": ("mouth open", "mouth closed"),
    "eyes_open": ("eyes wide", "eyes narrow"),
    "brow": ("brows raised", "brows lowered"),
    "yaw": ("head {} degrees right", "head {} degrees left"),
    "pitch": ("head {} degrees up", "head {} degrees down"),
    "age": ("{} years older", "{} years younger"),
    "gender": ("more masculine", "more feminine"),
    "beard": ("more beard", "less beard"),
    "makeup": ("more make-up", "less make-up"),
    "glasses": ("glasses", "no glasses"),
    "hair_light": ("lighter hair", "darker hair"),
    "hair_warm": ("redder hair", "cooler hair"),
    "hair_length": ("longer hair", "shorter hair"),
    "light": ("light from the right", "light from the left"),
    "warmth": ("warmer colours", "cooler colours"),
}
"""By name of edit: above zero and below. Where there is no place for the amount it follows."""
ENDS: Mapping[str, tuple[str, str]] = {
    "smile": ("serious", "smiling"),
    "mouth_open": ("closed", "open"),
    "eyes_open": ("narrow", "wide"),
    "brow": ("lowered", "raised"),
    "yaw": ("left", "right"),
    "pitch": ("down", "up"),
    "age": ("younger", "older"),
    "gender": ("feminine", "masculine"),
    "beard": ("shaved", "bearded"),
    "makeup": ("none", "strong"),
    "glasses": ("none", "glasses"),
    "hair_light": ("dark", "blond"),
    "hair_warm": ("ash", "copper"),
    "hair_length": ("short", "long"),
    "light": ("left", "right"),
    "warmth": ("cool", "warm"),
}
"""By name of edit: what a slider's lower and upper end mean."""


def in_words(name: str, amount: float, label: str = "") -> str:
    """One edit: 'head 12 degrees left', 'more smile (+1.5)'.

    Args:
        label: of an edit without words of its own; its name unless given.
    """
    if name not in WORDS:
        return f"{label or name.replace('_', ' ')} {amount:+g}"
    words = WORDS[name][amount < 0]
    if "{}" not in words:
        return f"{words} ({amount:+g})"
    size = f"{abs(amount):g}"
    one = words.replace("degrees", "degree").replace("years", "year") if size == "1" else words
    return one.format(size)


def edits_in_words(edits: Edits, table: Sequence[EditInfo] = ()) -> str:
    """All of them: 'head 12 degrees left, 10 years older', or that nothing is edited."""
    if not edits.named:
        return "nothing edited yet"
    labels = {edit.name: edit.label for edit in table}
    return ", ".join(in_words(name, x, labels.get(name, "")) for name, x in edits.named)


def held_in_words(share: float) -> str:
    """That edits are held back, and by how much; nothing where they are not."""
    if share >= 0.995:
        return ""
    return (
        f"Held back to {share:.0%}: together these edits would leave the faces that the generator "
        "knows, and the picture would melt."
    )
