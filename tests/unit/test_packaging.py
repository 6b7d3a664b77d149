"""Pins, requirements.txt in step with pyproject.toml, and what the wheel takes."""

import sys
from importlib.metadata import entry_points

import pytest
import requirements
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from paths import ROOT

import hsc
from hsc.cli import main
from hsc.paths import RECEIVER, SHIPPED

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def lines(name: str) -> list[str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_requirements_are_in_step_with_the_project() -> None:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert text == requirements.requirements(), "run python tools/requirements.py"
    for line in lines("requirements.txt"):
        assert "==" in line or line.startswith("torch"), line


def test_every_package_has_one_version_which_the_project_allows() -> None:
    here: dict[str, str] = {}
    for line in lines("constraints.txt"):
        requirement = Requirement(line)  # no options, and so no address
        assert not requirement.url and str(requirement.specifier).startswith("=="), line
        if requirement.marker is None or requirement.marker.evaluate():
            assert requirement.name not in here, line
            here[requirement.name] = str(requirement.specifier)[2:]
    project = PROJECT["project"]
    extras = project["optional-dependencies"]
    for line in [*project["dependencies"], *(line for extra in extras.values() for line in extra)]:
        wanted = Requirement(line)
        if wanted.name == project["name"] or (wanted.marker and not wanted.marker.evaluate()):
            continue
        assert here[canonicalize_name(wanted.name)] in wanted.specifier, line


def test_what_the_wheel_takes_is_there() -> None:
    taken = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert all((ROOT / source).is_dir() for source in taken)
    assert SHIPPED == ROOT / "assets" and "assets" in taken
    assert RECEIVER == ROOT / "web" / "dist" and "web/dist" in taken
    assert (ROOT / "hsc" / "py.typed").is_file()


def test_the_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"hsc {hsc.__version__}\n"


@pytest.mark.parametrize("name", ["hsc", "hsc-studio"])
def test_commands_lead_somewhere(name: str) -> None:
    module, _, function = PROJECT["project"]["scripts"][name].partition(":")
    assert callable(getattr(__import__(module, fromlist=[function]), function))
    for installed in entry_points(group="console_scripts", name=name):
        assert installed.value == f"{module}:{function}"
