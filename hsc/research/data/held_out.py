"""The people that no training run may see."""

from functools import cache
from importlib.resources import files


@cache
def held_out_names() -> frozenset[str]:
    """``folder/file.jpg`` of every validation picture."""
    text = files("hsc.research.data").joinpath("held_out.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))
