"""How the page looks: a measuring instrument, quiet, in light and in dark."""

from __future__ import annotations

import gradio as gr

ACCENT = "#0072B2"
"""Okabe & Ito's blue, as in the figures."""

THEME = gr.themes.Base(
    primary_hue=gr.themes.Color(
        c50="#eef6fb",
        c100="#d5e9f5",
        c200="#abd2ea",
        c300="#7ab8dd",
        c400="#3f98cb",
        c500=ACCENT,
        c600="#00639b",
        c700="#00527f",
        c800="#003f62",
        c900="#002d47",
        c950="#001b2b",
    ),
    neutral_hue=gr.themes.colors.slate,
    # The system's own: the bold cuts that Gradio bundles lack most letters.
    font=["system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
    radius_size=gr.themes.sizes.radius_sm,
    spacing_size=gr.themes.sizes.spacing_md,
).set(
    # Small print is read, too: 4.5 to 1 and more on every ground.
    body_text_color_subdued="*neutral_600",
    body_text_color_subdued_dark="*neutral_300",
    block_info_text_color="*neutral_600",
    block_info_text_color_dark="*neutral_300",
    input_placeholder_color="*neutral_500",
    input_placeholder_color_dark="*neutral_400",
    # What is not chosen is seen, too: 3 to 1 on its ground.
    checkbox_border_color="*neutral_500",
    checkbox_border_color_dark="*neutral_300",
    block_border_width="1px",
    block_shadow="none",
    block_label_background_fill="transparent",
    block_label_border_width="0px",
    button_primary_background_fill=ACCENT,
    button_primary_background_fill_hover="#00639b",
    button_primary_text_color="white",
    button_large_radius="4px",
)
