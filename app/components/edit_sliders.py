"""One slider for every edit, under the headings of their groups: the same wherever edits are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import groupby
from typing import Any

import gradio as gr

from app.components.events import Update
from app.protocols import EditInfo, FaceCodec
from app.services.edit_words import ENDS
from app.services.editing import shipped_edits

ACCORDIONS = {"principal": "Principal directions of the latent space"}
"""Groups without a plain meaning, which are folded away, and the title of the accordion."""


class EditSliders:
    """The sliders of the shipped table; the codec, once loaded, says which of them it can serve.

    Args:
        prefix: begins their element ids.
        described: write what each edit does below its name.
        only: names of the edits to show, without headings; none: all.

    Attributes:
        edits: rows of the table, in the order of the sliders.
        by_name: name of the edit -> its slider.
    """

    def __init__(self, prefix: str, described: bool = False, only: Collection[str] = ()) -> None:
        self.edits: list[EditInfo] = [
            edit for edit in shipped_edits() if not only or edit.name in only
        ]
        self.by_name: dict[str, gr.Slider] = {}
        gr.HTML(_style(prefix, self.edits), elem_classes=["edit-style"])
        for group, edits in groupby(self.edits, lambda edit: "" if only else edit.group):
            with _group(group):
                for edit in edits:
                    self.by_name[edit.name] = _slider(edit, prefix, described)

    @property
    def sliders(self) -> list[gr.Slider]:
        """What events listen to and take their values from."""
        return list(self.by_name.values())

    def fit(self, codec: FaceCodec) -> Update:
        """The codec's own ranges; what it cannot do is not offered."""
        known = {edit.name: edit for edit in codec.edit_names}
        self.edits = [edit for edit in self.edits if edit.name in known]
        return {
            slider: gr.Slider(minimum=known[name].low, maximum=known[name].high)
            if name in known
            else gr.Slider(visible=False)
            for name, slider in self.by_name.items()
        }

    def amounts(self, values: tuple[float, ...]) -> dict[str, float]:
        """Amount by name of edit, of the values of `sliders`; those of 0 are left out."""
        known = {edit.name for edit in self.edits}
        named = zip(self.by_name, values)  # fewer values before anything was moved
        return {name: float(value) for name, value in named if value and name in known}

    def reset(self) -> Update:
        """Every slider back to 0."""
        return dict.fromkeys(self.sliders, 0)


def _group(name: str) -> Any:
    """Where the sliders of one kind are."""
    if name in ACCORDIONS:
        return gr.Accordion(ACCORDIONS[name], open=False, elem_classes=["edits", name])
    with gr.Column(elem_classes=["edits"]) as column:
        if name:
            gr.HTML(f"<h2>{name.capitalize()}</h2>", elem_classes=["group"])
    return column


def _slider(edit: EditInfo, prefix: str, described: bool) -> gr.Slider:
    return gr.Slider(
        edit.low,
        edit.high,
        value=0,
        step=edit.step,
        label=f"{edit.label}, {edit.unit}" if edit.unit else edit.label,
        info=edit.description if described else None,
        buttons=["reset"],
        elem_id=f"{prefix}-{edit.name}",
        interactive=True,  # also where only a script reads it
        elem_classes=["edit"],
    )


def _style(prefix: str, edits: Sequence[EditInfo]) -> str:
    """Where zero is on each slider, from where it fills, and what its ends mean."""
    rules = []
    for edit in edits:
        of = f"#{prefix}-{edit.name}"
        zero = -edit.low / (edit.high - edit.low)
        rules.append(f"{of} {{ --zero: {zero:.1%} }}")
        for end, words in zip(("min", "max"), ENDS.get(edit.name, ())):
            rules.append(f'{of} .{end}_value::before {{ content: "{words}" }}')
            rules.append(f"{of} .{end}_value {{ font-size: 0 }}")
    return f"<style>{' '.join(rules)}</style>"
