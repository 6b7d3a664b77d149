"""Stages on the latent space w+: edit directions, their gains and limits, the semantic probe."""

from hsc.research import distributed
from hsc.research.training.setting import Setting


@distributed.by_the_first
def directions(setting: Setting) -> None:
    """Find the directions of the edits in the generator's own samples."""
    from hsc.research.edit_discovery.directions import find_directions

    find_directions(setting)


@distributed.by_the_first
def gains(setting: Setting) -> None:
    """Measure on photographs how much stronger edits must be for files with a feature map."""
    from hsc.research.edit_discovery.gains import find_gains

    find_gains(setting)


def plausibility(setting: Setting) -> None:
    """Measure how the generator's own faces vary, to hold back edits that leave them."""
    from hsc.research.edit_discovery.samples import measure_plausibility

    measure_plausibility(setting)


def probe(setting: Setting) -> None:
    """Fit the linear read-outs of the semantics."""
    from hsc.research.training.probe import run

    run(setting)
