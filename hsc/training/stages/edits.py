"""The stage that finds the edits."""

from hsc.training.setting import Setting


def directions(setting: Setting) -> None:
    """Find the directions of the edits in the generator's own samples."""
    from hsc.editing.directions import find_directions

    find_directions(setting)
