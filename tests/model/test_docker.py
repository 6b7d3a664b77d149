"""What the Dockerfile copies is there, is all that the studio needs, and nothing else slips in.

No Docker is needed: the files are laid out as its COPY lines say, and the studio is made of them.
"""

import fnmatch
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from paths import ROOT

RECIPE = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
STUDIO = """
import pathlib, hsc, app.page
from app.studio import Studio
studio = Studio(lambda: hsc.load("cpu"))
app.page.build(studio)
face = pathlib.Path("assets/examples/face-1/face.hsc").read_bytes()
print(studio.decode(face).picture.size, hsc.__file__)
"""


def copied() -> list[tuple[str, str]]:
    """Sources and targets of the COPY lines."""
    lines = [line.split()[1:] for line in RECIPE.splitlines() if line.startswith("COPY ")]
    return [(source, target) for *sources, target in lines for source in sources]


def ignored(path: Path) -> bool:
    """Whether a path of the repository never reaches Docker."""
    names = [path, *path.parents][:-1]
    return any(
        fnmatch.fnmatch(name.as_posix(), pattern)
        or (pattern.startswith("**/") and fnmatch.fnmatch(name.name, pattern[3:]))
        for name in names
        for pattern in IGNORED
    )


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image's working directory."""
    folder = tmp_path_factory.mktemp("image")
    for source, target in copied():
        start = ROOT / source
        files = [start] if start.is_file() else [p for p in start.rglob("*") if p.is_file()]
        assert files, f"{source} is not there"
        for file in files:
            if ignored(file.relative_to(ROOT)):
                continue
            place = file.name if start.is_file() else Path(target) / file.relative_to(start)
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            (folder / place).symlink_to(file)
    return folder


def test_the_studio_works_from_what_is_copied(image: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", STUDIO], cwd=image, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"(1024, 1024) {image}")


def test_nothing_else_is_copied(image: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    there = {p.relative_to(image).as_posix() for p in image.rglob("*") if p.is_symlink()}
    assert there <= set(listed)
    assert {"app.py", "requirements.txt", "constraints.txt"} <= there
    assert not any(name.startswith(("tests/", "runs/", ".git")) for name in there)


def test_it_runs_as_nobody_in_particular_on_a_python_that_fits() -> None:
    version = re.search(r"^FROM python:3\.(\d+)-", RECIPE, re.M)
    assert version and 10 <= int(version[1]) <= 12
    user, port = (
        re.search(r"^USER (\d+)$", RECIPE, re.M),
        re.search(r"^EXPOSE (\d+)$", RECIPE, re.M),
    )
    assert user and int(user[1]) > 0
    assert port and f"-p {port[1]}:{port[1]}" in RECIPE
    assert re.search(r'^CMD \["python", "app.py"\]$', RECIPE, re.M)
