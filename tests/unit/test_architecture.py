"""Dependencies run one way: the page, the app's services, the library; no package cycles."""

import ast
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest
from paths import ROOT

RESEARCH_MAY_BE_IMPORTED_BY = ("hsc.research", "hsc.cli")


def modules(package: str) -> dict[str, Path]:
    """Dotted names of a package's modules, with their files."""
    found = {}
    for path in sorted((ROOT / package.replace(".", "/")).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


KNOWN = modules("hsc") | modules("app")


def imports(module: str) -> set[str]:
    """The modules of this project that a module imports, those inside functions included.

    What only a type checker sees (``if TYPE_CHECKING``) does not count.
    """
    tree = ast.parse(KNOWN[module].read_text(encoding="utf-8"))
    unseen = {
        id(node)
        for test in ast.walk(tree)
        if isinstance(test, ast.If) and "TYPE_CHECKING" in ast.unparse(test.test)
        for child in test.body
        for node in ast.walk(child)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in unseen:
            continue
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            for name in node.names:  # a module of a package, or a name of a module
                whole = f"{node.module}.{name.name}"
                found.add(whole if whole in KNOWN else node.module or "")
    return {name for name in found if name in KNOWN and name != module}


IMPORTS = {module: imports(module) for module in KNOWN}


def inside(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def crossings(sources: tuple[str, ...], *targets: str, but: tuple[str, ...] = ()) -> list[str]:
    """Every import that leads from some packages to others."""
    return [
        f"{module} imports {other}"
        for module, others in IMPORTS.items()
        for other in sorted(others)
        if inside(module, *sources) and not inside(module, *but) and inside(other, *targets)
    ]


def test_the_library_knows_no_app() -> None:
    assert crossings(("hsc",), "app") == []


def test_the_library_knows_no_research() -> None:
    assert crossings(("hsc",), "hsc.research", but=RESEARCH_MAY_BE_IMPORTED_BY) == []


def test_entropy_coding_knows_no_generator() -> None:
    assert crossings(("hsc.latent_codecs", "hsc.bitstream"), "hsc.generators") == []


def test_the_app_knows_no_research() -> None:
    assert crossings(("app",), "hsc.research") == []


def test_the_page_gets_at_the_library_through_services() -> None:
    page = ("app.page", "app.tabs", "app.components", "app.viewer")
    assert crossings(page, "hsc") == [
        f"{module} imports hsc.errors"
        for module, others in IMPORTS.items()
        if inside(module, *page) and "hsc.errors" in others
    ]


@pytest.mark.parametrize("package", ["hsc", "hsc.research", "app"])
def test_packages_make_no_cycle(package: str) -> None:
    """A package's sub-packages and loose modules can be put into an order."""
    depth = package.count(".") + 2

    def part(module: str) -> str:
        return ".".join(module.split(".")[:depth])

    graph: dict[str, set[str]] = defaultdict(set)
    for module, others in IMPORTS.items():
        if inside(module, package) and module != package:
            graph[part(module)] |= {
                part(other)
                for other in others
                if inside(other, package) and other != package and part(other) != part(module)
            }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        cycle = list(reversed(error.args[1]))
        steps = [
            f"{module} imports {other}"
            for one, next_one in pairwise(cycle)
            for module, others in IMPORTS.items()
            for other in sorted(others)
            if part(module) == one and part(other) == next_one
        ]
        pytest.fail("\n".join(["a cycle of " + " -> ".join(cycle), *steps]))
