"""What the endpoints share."""

from __future__ import annotations

from typing import Any

from app.components import MODEL_EVENT
from hsc.errors import HscError

PUBLIC: dict[str, Any] = MODEL_EVENT | {"api_visibility": "public"}


def amounts(edits: Any) -> dict[str, float]:
    """Amounts by name, from what a caller sent. Raises HscError."""
    if not edits:
        return {}
    try:
        return {str(name): float(amount) for name, amount in edits.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise HscError(
            'The edits must be amounts by name, such as {"smile": 0.5}.'
        ) from error


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
