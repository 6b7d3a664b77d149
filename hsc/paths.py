"""Paths of the files that ship with the code: weights, examples, texts, the receiver."""

from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parents[1]
_INSTALLED = Path(__file__).resolve().with_name("shipped")  # where the wheel puts them

SHIPPED = _INSTALLED if _INSTALLED.is_dir() else _REPOSITORY / "assets"
"""The repository's folder ``assets``, or the copy of it in an installed package."""
RECEIVER = _INSTALLED / "web" if _INSTALLED.is_dir() else _REPOSITORY / "web" / "dist"
"""The built receiver, which ``hsc export web`` copies."""
