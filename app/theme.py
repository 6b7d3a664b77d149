"""The look: one calm theme for dark and light, one typeface of its own, nothing fetched."""

from __future__ import annotations

import gradio as gr
from gradio.themes import Color

FAMILY = "Figtree"
"""The typeface that `app.page` serves; the others stand in where it lacks a sign."""
FONT = (
    FAMILY,
    "ui-sans-serif",
    "system-ui",
    "-apple-system",
    "Segoe UI",
    "Roboto",
    "Helvetica Neue",
    "Cantarell",
    "DejaVu Sans",
    "sans-serif",
)
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace")

INK = Color(
    c50="#f8f8f6", c100="#f1f1ee", c200="#e4e4df", c300="#cfcfc8", c400="#a3a39b", c500="#73736c",
    c600="#56564f", c700="#3b3b37", c800="#262624", c900="#1a1a19", c950="#111110", name="ink",
)  # fmt: skip


def theme() -> gr.themes.Base:
    """Warm greys, controls in ink, flat panels: the only colours are those of a file's layers."""
    return gr.themes.Base(
        primary_hue=INK,
        secondary_hue=INK,
        neutral_hue=INK,
        radius_size="lg",
        spacing_size="md",
        font=FONT,
        font_mono=MONO,
    ).set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        body_text_color="*neutral_900",
        body_text_color_dark="*neutral_100",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        background_fill_primary="white",
        background_fill_primary_dark="*neutral_900",
        block_background_fill="white",
        block_background_fill_dark="*neutral_900",
        block_border_color="*neutral_200",
        block_border_color_dark="*neutral_800",
        border_color_primary_dark="*neutral_800",
        block_label_background_fill="rgb(255 255 255 / 0.86)",
        block_label_background_fill_dark="rgb(26 26 25 / 0.82)",
        block_label_border_width="0px",
        block_label_text_color="*neutral_800",
        block_label_text_color_dark="*neutral_100",
        block_label_text_weight="550",
        block_title_text_color="*neutral_800",
        block_title_text_color_dark="*neutral_100",
        block_title_text_weight="600",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_400",
        input_background_fill="*neutral_50",
        input_background_fill_dark="*neutral_800",
        input_border_color="*neutral_200",
        input_border_color_dark="*neutral_700",
        button_primary_background_fill="*primary_800",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_100",
        button_primary_background_fill_hover_dark="*primary_300",
        button_primary_text_color="white",
        button_primary_text_color_dark="*primary_950",
        button_secondary_background_fill="white",
        button_secondary_background_fill_hover="*neutral_100",
        button_secondary_background_fill_dark="*neutral_800",
        button_secondary_background_fill_hover_dark="*neutral_700",
        button_secondary_border_color="*neutral_200",
        button_secondary_border_color_dark="*neutral_700",
        button_border_width="1px",
        slider_color="*primary_800",
        slider_color_dark="*primary_200",
        checkbox_background_color_selected="*primary_800",
        checkbox_background_color_selected_dark="*primary_500",
        checkbox_border_color_selected="*primary_800",
        link_text_color="*primary_800",
        link_text_color_dark="*primary_100",
        link_text_color_hover="*primary_950",
        link_text_color_hover_dark="white",
        link_text_color_visited="*primary_800",
        link_text_color_visited_dark="*primary_100",
        checkbox_label_background_fill="transparent",
        layout_gap="14px",
    )
