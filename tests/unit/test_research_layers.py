"""The laboratory's packages depend one way, and the codec and the page never on them."""

import ast
from pathlib import Path

import pytest
from paths import ROOT

LAYERS = (
    {"distributed"},
    {"options", "data", "convert"},
    {"training"},
    {"edit_discovery"},
    {"stages", "evaluation"},
    {"ablation"},
    {"results"},
)
"""From the lowest; packages of one layer do not import each other."""
RESEARCH = "hsc.research"


def imported(path: Path) -> set[str]:
    """Every module that a file imports, inside functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def package_of(name: str) -> str | None:
    """The package of the laboratory that a module belongs to."""
    parts = name.split(".")
    return parts[2] if name.startswith(f"{RESEARCH}.") and len(parts) > 2 else None


def test_every_package_has_a_layer() -> None:
    entries = (ROOT / "hsc" / "research").iterdir()
    found = {p.stem for p in entries if p.suffix == ".py" or (p / "__init__.py").is_file()}
    assert found - {"__init__", "__pycache__"} == set().union(*LAYERS)


@pytest.mark.parametrize("package", sorted(set().union(*LAYERS)))
def test_packages_import_only_lower_ones(package: str) -> None:
    level = next(n for n, layer in enumerate(LAYERS) if package in layer)
    allowed = {package}.union(*LAYERS[:level])
    folder = ROOT / "hsc" / "research" / package
    for path in folder.rglob("*.py") if folder.is_dir() else [folder.with_suffix(".py")]:
        used = {p for name in imported(path) if (p := package_of(name))}
        assert used <= allowed, f"{path.relative_to(ROOT)} imports {sorted(used - allowed)}"


def test_only_the_command_line_imports_the_laboratory() -> None:
    for path in [*(ROOT / "hsc").rglob("*.py"), *(ROOT / "app").rglob("*.py")]:
        place = path.relative_to(ROOT).parts
        if place[1] in ("research", "cli"):
            continue
        assert not any(n.startswith(RESEARCH) for n in imported(path)), path


def test_commands_load_the_laboratory_only_when_they_run() -> None:
    for path in (ROOT / "hsc" / "cli").rglob("*.py"):
        top = ast.Module(ast.parse(path.read_text(encoding="utf-8")).body, [])
        heads = [n for n in top.body if isinstance(n, ast.Import | ast.ImportFrom)]
        modules = [n.module or "" for n in heads if isinstance(n, ast.ImportFrom)]
        assert not any(m.startswith(RESEARCH) for m in modules), path


def test_the_laboratory_knows_no_argparse() -> None:
    for path in (ROOT / "hsc" / "research").rglob("*.py"):
        assert not any(name.startswith("argparse") for name in imported(path)), path
