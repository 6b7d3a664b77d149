"""Where the files are that ship beside the code: weights, examples, texts."""

from pathlib import Path

_INSTALLED = Path(__file__).resolve().with_name("shipped")  # where the wheel puts them
SHIPPED = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).resolve().parents[1] / "assets"
"""The repository's folder ``assets``, or the copy of it in an installed package."""
