"""The viewer: two pictures of one subject on one canvas, each side chosen from a list.

See `app.viewer.view` for how a tab uses it.
"""

from __future__ import annotations

from app.viewer.view import (
    Choice,
    Wanted,
    content,
    drawn,
    patch,
    script,
    style,
    viewer,
    wanted,
)

__all__ = ["Choice", "Wanted", "content", "drawn", "patch", "script", "style", "viewer", "wanted"]
