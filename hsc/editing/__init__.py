"""Semantic edits of a face: directions in w+, found from the generator's own samples.

``table`` has the shipped edits and custom ones, ``apply`` and ``motion`` apply them, ``skin``
restores the colour of skin, ``blend`` mixes faces. ``hsc.research.edit_discovery`` finds the
shipped edits.
"""

from hsc.editing.apply import edit_feature, edit_styles
from hsc.editing.table import Edit, EditTable

__all__ = [
    "Edit",
    "EditTable",
    "edit_feature",
    "edit_styles",
]
