"""Semantic edits of a face: directions in w+, found from the generator's own samples.

``table`` has the edits that ship and a user's own, ``apply`` and ``motion`` carry them out,
``skin`` keeps its colour under them, ``blend`` mixes faces. How edits are found:
``hsc.research.edit_discovery``.
"""

from hsc.editing.apply import edit_feature, edit_styles
from hsc.editing.table import Edit, EditTable

__all__ = [
    "Edit",
    "EditTable",
    "edit_feature",
    "edit_styles",
]
