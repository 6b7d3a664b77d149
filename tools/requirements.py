"""Write requirements.txt, which a Space reads, from pyproject.toml and constraints.txt.

    python tools/requirements.py

It lists what the library and the page need directly, each at the version that constraints.txt
names. PyTorch alone stays a range: a Space installs the build for its device beforehand
(pre-requirements.txt).
"""

from __future__ import annotations

from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
EXTRA = "app"
RANGE = "torch"
HEADER = "# What the page needs. Made by tools/requirements.py; do not edit.\n"


def requirements() -> str:
    """The contents of requirements.txt."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins: dict[str, list[Requirement]] = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            pin = Requirement(line)
            pins.setdefault(canonicalize_name(pin.name), []).append(pin)
    lines = []
    for text in [*project["dependencies"], *project["optional-dependencies"][EXTRA]]:
        requirement = Requirement(text)
        if requirement.name == RANGE:
            lines.append(str(requirement))
        else:
            lines += [str(pin) for pin in pins[canonicalize_name(requirement.name)]]
    return HEADER + "".join(f"{line}\n" for line in dict.fromkeys(lines))


if __name__ == "__main__":
    (ROOT / "requirements.txt").write_text(requirements(), encoding="utf-8")
