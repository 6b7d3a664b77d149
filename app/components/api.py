"""What the named endpoints share.

An endpoint has components of its own that are never shown: Gradio takes its names and types from
them.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from app.components.events import MODEL_EVENT
from hsc.errors import HscError

PUBLIC: dict[str, Any] = MODEL_EVENT | {"api_visibility": "public"}


def edit_amounts(edits: Any) -> dict[str, float]:
    """Amounts by name, from what a caller sent. Raises HscError."""
    if not edits:
        return {}
    try:
        return {str(name): float(amount) for name, amount in edits.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise HscError('The edits must be amounts by name, such as {"smile": 0.5}.') from error


def number(value: Any, what: str) -> float:
    """A number that a caller sent. Raises HscError."""
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise HscError(f"The {what} must be a number.") from error


def require(value: Any, what: str) -> None:
    """Raise HscError when a caller left out a file."""
    if not value:
        raise HscError(f"Expected {what} and got none: upload one first.")


def level_input() -> gr.Number:
    return gr.Number(3, label="Bitrate level, 1 to 6")


def face_inputs() -> list[gr.Number | gr.Checkbox]:
    """Which face of a photo, and whether to look for one."""
    return [
        gr.Number(0, precision=0, label="Face, 0 is the largest"),
        gr.Checkbox(True, label="Look for a face"),
    ]


def picture_output() -> gr.Image:
    return gr.Image(label="picture", format="png", type="filepath")
