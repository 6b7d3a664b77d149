"""Semantic edits of a face: directions in w+, found from the generator's own samples.

``table`` (the edits that ship), ``apply`` and ``motion`` (carry them out), ``skin`` (keeps its
colour) and ``between`` (several people) are all that a decoder needs. ``directions`` makes the
table out of ``samples``: ``readouts``, ``appearance`` and ``attributes`` measure faces, ``probe``
regresses, ``catalogue`` says what to look for, ``skin_finding`` where skin is, ``effects`` checks
the result.
"""

from hsc.editing.apply import edit_feature, edit_styles
from hsc.editing.table import Edit, EditTable

__all__ = [
    "Edit",
    "EditTable",
    "edit_feature",
    "edit_styles",
]
