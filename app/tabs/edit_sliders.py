"""One slider for every edit that the codec has."""

from __future__ import annotations

from typing import Any

import gradio as gr

MOST = 40
"""Sliders that are kept ready; a table of edits may not be longer."""


class EditSliders:
    """Sliders that are hidden until the codec is loaded and says which edits there are.

    Args:
        prefix: begins their element ids.

    Attributes:
        sliders: what events listen to and take their values from.
    """

    def __init__(self, prefix: str) -> None:
        self.sliders = [
            gr.Slider(-1, 1, value=0, visible=False, buttons=["reset"], elem_id=f"{prefix}-{n}")
            for n in range(MOST)
        ]

    def fit(self, codec: Any) -> dict[gr.Slider, gr.Slider]:
        """Give the sliders the names and ranges of the codec's edits."""
        return {
            slider: gr.Slider(
                minimum=edit.low,
                maximum=edit.high,
                step=getattr(edit, "step", 0.05),
                label=f"{edit.label}, {edit.unit}" if edit.unit else edit.label,
                info=edit.description,
                visible=True,
            )
            for slider, edit in zip(self.sliders, codec.edit_names)
        }

    def amounts(self, codec: Any, values: tuple[float, ...]) -> dict[str, float]:
        """Amount by name of edit, of the values of `sliders`; those of 0 are left out."""
        edits = zip(codec.edit_names, values)
        return {edit.name: float(value) for edit, value in edits if value}

    def reset(self) -> dict[gr.Slider, int]:
        """Every slider back to 0."""
        return dict.fromkeys(self.sliders, 0)
