"""``validate directions``: what every shipped edit does to faces that the generator draws."""

from argparse import Namespace

from hsc.editing.table import EditTable
from hsc.research.edit_discovery.catalogue import CATALOGUE
from hsc.research.edit_discovery.directions import measure_edits
from hsc.research.edit_discovery.effects import Studio
from hsc.research.edit_discovery.report import write_effects
from hsc.research.evaluation import report

FILE = "edits.md"


def run(args: Namespace) -> None:
    """Measure every edit and write the page.

    Args:
        args: out and device.
    """
    table, folder = EditTable.load(), args.out or report.FOLDER
    device = "cpu" if args.device == "auto" else args.device
    effects = measure_edits(Studio.load(device), table)
    folder.mkdir(parents=True, exist_ok=True)
    write_effects(folder / FILE, table, CATALOGUE, effects)
