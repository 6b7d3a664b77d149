"""The look: one calm theme for dark and light, the reader's own fonts, nothing fetched."""

from __future__ import annotations

import gradio as gr
from gradio.themes import Color

FONT = (
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
TEAL = Color(
    c50="#eefaf8", c100="#d5f2ed", c200="#aee4dc", c300="#79cfc4", c400="#42b3a6", c500="#1f978b",
    c600="#137a70", c700="#12625b", c800="#134e49", c900="#13403d", c950="#042624", name="teal",
)  # fmt: skip


def theme() -> gr.themes.Base:
    """Warm greys, one teal accent, flat panels with a hairline border."""
    return gr.themes.Base(
        primary_hue=TEAL,
        secondary_hue=TEAL,
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
        body_text_color_subdued="*neutral_500",
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
        block_info_text_color="*neutral_500",
        block_info_text_color_dark="*neutral_400",
        input_background_fill="*neutral_50",
        input_background_fill_dark="*neutral_800",
        input_border_color="*neutral_200",
        input_border_color_dark="*neutral_700",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover_dark="*primary_500",
        button_primary_text_color="white",
        button_secondary_background_fill="white",
        button_secondary_background_fill_hover="*neutral_100",
        button_secondary_background_fill_dark="*neutral_800",
        button_secondary_background_fill_hover_dark="*neutral_700",
        button_secondary_border_color="*neutral_200",
        button_secondary_border_color_dark="*neutral_700",
        button_border_width="1px",
        slider_color="*primary_600",
        slider_color_dark="*primary_500",
        checkbox_background_color_selected="*primary_600",
        checkbox_background_color_selected_dark="*primary_500",
        checkbox_border_color_selected="*primary_600",
        checkbox_label_background_fill="transparent",
        layout_gap="14px",
    )
