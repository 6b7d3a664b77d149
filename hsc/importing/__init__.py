"""One-off importers: weights carried by other packages, converted to safetensors."""

from argparse import Namespace
from importlib import import_module
from pathlib import Path

from hsc.errors import WeightsError

RECIPES = {
    "generator": ("hsc.importing.generator", "GENERATOR"),
    "backbone": ("hsc.importing.backbone", "BACKBONE"),
    "lpips": ("hsc.importing.perceptual", "LPIPS"),
    "identity": ("hsc.importing.identity", "IDENTITY"),
    "dists": ("hsc.importing.perceptual", "DISTS"),
}
"""Name of an importer to the module and the recipe in it, imported only when asked for."""


def run(name: str, args: Namespace) -> Path:
    """Run one importer.

    Args:
        name: a key of :data:`RECIPES`.
        args: ``package``, local archives to use instead of downloads (one, several or None), and
            ``out``, the folder to write to (None for the recipe's own).

    Returns:
        The file written.

    Raises:
        WeightsError: no such importer, or a package cannot be had or is not the pinned one.
    """
    if name not in RECIPES:
        raise WeightsError(f"expected one of {', '.join(RECIPES)}, got {name!r}.")
    module, recipe = RECIPES[name]
    given = getattr(args, "package", None) or []
    archives = [given] if isinstance(given, (str, Path)) else given
    out = getattr(args, "out", None)
    from hsc.importing.packages import cook

    return cook(
        getattr(import_module(module), recipe),
        [Path(archive) for archive in archives],
        Path(out) if out else None,
    )
