"""Generators by the name that a ``GeneratorSpec`` has."""

import importlib

from hsc.errors import WeightsError
from hsc.generators.base import Family

MODULES = {
    "mobilestylegan": "hsc.generators.mobilestylegan",
    "stylegan2": "hsc.generators.stylegan2",
}
"""Where each architecture lies; its module has a ``Family`` called ``FAMILY``."""


def family(name: str) -> Family:
    """The architecture of that name.

    Raises:
        WeightsError: there is none.
    """
    if name not in MODULES:
        raise WeightsError(
            f"expected weights of a generator out of {', '.join(MODULES)}, got {name!r}: use the "
            "version of this program that wrote them."
        )
    made: Family = importlib.import_module(MODULES[name]).FAMILY
    return made
