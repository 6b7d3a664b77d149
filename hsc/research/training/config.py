"""Hyperparameters: one YAML file a stage in ``configs``, read into the stage's own dataclass."""

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar, get_origin, get_type_hints

import yaml

from hsc.errors import HscError

Kind = TypeVar("Kind")
SHARE = "share"
"""Every file has it: the stage's part of the minutes of ``hsc train all``; 0 leaves it out."""


@cache
def shipped(stage: str) -> dict[str, Any]:
    """``configs/<stage>.yaml``; stages such as ``preview-decoder`` have that of ``preview``."""
    name = stage.partition("-")[0]
    place = files("hsc.research.training").joinpath("configs", f"{name}.yaml")
    return yaml.safe_load(place.read_text(encoding="utf-8"))


def values_of(stage: str, file: Path | None, changes: Mapping[str, str]) -> dict[str, Any]:
    """A stage's hyperparameters: the shipped values, overridden by a file, then by single changes.

    Args:
        file: may have some of the keys only.
        changes: key to YAML text.

    Raises:
        HscError: a key that the stage does not have, or text that is no YAML.
    """
    try:
        own = yaml.safe_load(file.read_text(encoding="utf-8")) if file else {}
        own = (own or {}) | {key: yaml.safe_load(text) for key, text in changes.items()}
    except yaml.YAMLError as error:
        raise HscError(f"expected YAML in the configuration of {stage}: {error}") from error
    values = shipped(stage)
    unknown = sorted(set(own) - set(values))
    if unknown:
        known = ", ".join(sorted(values))
        raise HscError(f"stage {stage} has no {', '.join(unknown)}: expected one of {known}.")
    return values | own


def build(kind: type[Kind], values: Mapping[str, Any]) -> Kind:
    """The dataclass of a stage, each value as its field's type.

    YAML reads 1e-3 as text and 2 as a whole number; both are numbers here.

    Raises:
        HscError: a value is missing or is not of its type.
    """
    made = {}
    for field in fields(kind):  # type: ignore[arg-type]
        wanted = get_type_hints(kind)[field.name]
        try:
            value = values[field.name]
            made[field.name] = (
                tuple(float(v) for v in value) if get_origin(wanted) is tuple else wanted(value)
            )
        except (KeyError, TypeError, ValueError) as error:
            raise HscError(
                f"expected {field.name} of type {wanted} in the configuration."
            ) from error
    return kind(**made)
