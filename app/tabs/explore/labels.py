"""Labels on the map of faces: beside their places, without overlaps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

LETTER = 0.03
"""Width of a letter, in parts of the map's on a phone."""
ABOVE = 24
"""Pixels by which words are raised that do not fit beside their place."""
LINE_PX = 20
"""Height of a label with what lies around it."""
PLOT_PX = 480
"""Height of the map without its axis."""
DODGES = 5
"""Lines that words may go up or down to find room."""

Note = dict[str, Any]


def label(
    words: str,
    place: tuple[float, float],
    away_from: tuple[float, float],
    across: tuple[float, float],
    gap: int = 9,
) -> Note:
    """Words beside a place, on the side away from another place.

    Where the map, from ``across[0]`` to ``across[1]``, has no room for them, they are above the
    place and towards the middle.
    """
    right = place[0] >= away_from[0]
    room = (across[1] - place[0] if right else place[0] - across[0]) / (across[1] - across[0])
    cut = room < _width(words)
    right ^= cut
    return {
        "x": place[0], "y": place[1], "text": words, "showarrow": False,
        "xanchor": "left" if right else "right", "xshift": gap if right else -gap,
        "yshift": ABOVE if cut else 0, "bgcolor": "var(--block-background-fill)",
        "opacity": 0.9, "borderpad": 2, "font": {"color": "var(--body-text-color)", "size": 12},
    }  # fmt: skip


def spread(labels: Sequence[Note], ranges: Sequence[tuple[float, float]]) -> list[Note]:
    """The same labels, later ones moved up or down by whole lines where they would hide others.

    Args:
        labels: from :func:`label`, the most important first.
        ranges: what the map shows, from and to, across and up.
    """
    placed: list[Note] = []
    for note in labels:
        for line in sorted(range(-DODGES, DODGES + 1), key=abs):
            moved = note | {"yshift": note["yshift"] + line * LINE_PX}
            if not any(overlap(moved, other, ranges) for other in placed):
                break
        else:
            moved = note  # no room within reach: where it belongs is the best place left
        placed.append(moved)
    return placed


def overlap(a: Note, b: Note, ranges: Sequence[tuple[float, float]]) -> bool:
    """Whether two labels would touch on a narrow map."""
    (left_a, right_a), (left_b, right_b) = (_sides(note, ranges[0]) for note in (a, b))
    low, high = ranges[1]
    distance_px = (a["y"] - b["y"]) / (high - low) * PLOT_PX + a["yshift"] - b["yshift"]
    return left_a < right_b and left_b < right_a and abs(distance_px) < LINE_PX


def _sides(note: Note, across: tuple[float, float]) -> tuple[float, float]:
    """Where a label begins and ends, in parts of the map's width."""
    at = (note["x"] - across[0]) / (across[1] - across[0])
    width = _width(note["text"])
    return (at, at + width) if note["xanchor"] == "left" else (at - width, at)


def _width(words: str) -> float:
    """Of words without their tags, in parts of the map's width."""
    return LETTER * len(re.sub("<.*?>", "", words))
