"""The documents say what is there: links, paths, modules and commands; the README stays short."""

import re
import shlex
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from paths import ROOT

from hsc import cli

DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "RESULTS.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "assets" / "MODEL_CARD.md",
    ROOT / "assets" / "NOTICE.md",
]
TEXTS = sorted((ROOT / "assets" / "texts").glob("*.md"))
MOST_WORDS = 900
MADE = {"build", "dist", "runs"}  # by commands, so that no clone has them
TOP = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")} - MADE
PLACEHOLDER = "STAGE"  # in a path, for the reader to replace
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def ids(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


def quoted(page: Path) -> list[str]:
    """The words that a page has in backticks or in blocks of code."""
    text = page.read_text(encoding="utf-8")
    blocks = [re.sub(r"#.*", "", body) for _, body in FENCE.findall(text)]
    spans = re.findall(r"`([^`]+)`", FENCE.sub("", text))
    return [word.strip("\"'(),;:") for part in (*blocks, *spans) for word in part.split()]


def shell_commands(page: Path) -> list[list[str]]:
    """Every ``hsc`` command in a page's blocks of shell code."""
    lines = [
        line
        for language, body in FENCE.findall(page.read_text(encoding="utf-8"))
        if language == "sh"
        for line in body.splitlines()
    ]
    words = (shlex.split(line, comments=True) for line in lines)
    return [each[1:] for each in words if each[:1] == ["hsc"]]


@pytest.mark.parametrize("page", DOCUMENTS, ids=ids(DOCUMENTS))
def test_links_lead_somewhere(page: Path) -> None:
    dead = []
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    assert dead == []


@pytest.mark.parametrize("page", [*DOCUMENTS, *TEXTS], ids=ids([*DOCUMENTS, *TEXTS]))
def test_paths_exist(page: Path) -> None:
    paths = [
        word
        for word in quoted(page)
        if word.split("/")[0] in TOP or re.fullmatch(r"[\w.-]+(/[\w.-]+)+\.(py|md|txt)", word)
    ]
    missing = [path for path in paths if not (ROOT / path).exists()]
    assert [path for path in missing if PLACEHOLDER not in path] == []


@pytest.mark.parametrize("page", [*DOCUMENTS, *TEXTS], ids=ids([*DOCUMENTS, *TEXTS]))
def test_modules_exist(page: Path) -> None:
    dotted = {word for word in quoted(page) if re.fullmatch(r"(hsc|app)(\.[a-z_]\w*)+", word)}
    missing = []
    for name in dotted - {"app.py"}:
        package, _, last = name.rpartition(".")
        module = import_module(package)
        if not hasattr(module, last) and (
            not hasattr(module, "__path__") or find_spec(name) is None
        ):
            missing.append(name)
    assert missing == []


@pytest.mark.parametrize("page", DOCUMENTS, ids=ids(DOCUMENTS))
def test_commands_parse(page: Path) -> None:
    for words in shell_commands(page):
        cli._parser().parse_args(words)


def test_the_readme_is_short_and_shows_a_picture_first() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.split()) < MOST_WORDS
    first_screen = text.split("\n## ")[0]
    assert re.search(r"!\[.+\]\(assets/.+\)", first_screen)


def test_the_tree_has_every_package() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    tree = next(body for _, body in FENCE.findall(text) if body.startswith("hsc/ "))
    found = set(re.findall(r"^ *([\w]+)/ ", tree, re.MULTILINE))
    packages = {
        path.parent.name
        for top in (ROOT / "hsc", ROOT / "app")
        for path in top.rglob("__init__.py")
        if path.parent.parent.name != "tabs" and path.parent.name != "study"
    }
    assert packages <= found
    assert found - packages <= TOP
