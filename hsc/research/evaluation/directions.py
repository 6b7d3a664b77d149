"""``validate directions``: effects of every shipped edit on generated faces."""

from hsc.editing.table import EditTable
from hsc.research.edit_discovery.catalogue import CATALOGUE
from hsc.research.edit_discovery.directions import measure_edits
from hsc.research.edit_discovery.effects import SampleRenderer
from hsc.research.edit_discovery.report import write_effects
from hsc.research.options import ValidateOptions

FILE = "edits.md"


def run(options: ValidateOptions) -> None:
    """Measure every edit and write the page.

    Args:
        options: out and device.
    """
    table, folder = EditTable.load(), options.out
    device = "cpu" if options.device == "auto" else options.device
    effects = measure_edits(SampleRenderer.load(device), table)
    folder.mkdir(parents=True, exist_ok=True)
    write_effects(folder / FILE, table, CATALOGUE, effects)
