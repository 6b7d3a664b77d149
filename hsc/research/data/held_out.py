"""The people that no training run may see."""

from functools import cache
from importlib.resources import files
from pathlib import Path

LARGER = {"ffhq1024": "ffhq"}
"""Folders that have pictures of another one under the same names, with more pixels."""


@cache
def held_out_names() -> frozenset[str]:
    """``folder/file.jpg`` of every validation picture."""
    text = files("hsc.research.data").joinpath("held_out.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


def is_held_out(path: Path) -> bool:
    """Whether a picture, by its folder and name, shows somebody of the list."""
    folder = path.parent.name
    return f"{LARGER.get(folder, folder)}/{path.name}" in held_out_names()
