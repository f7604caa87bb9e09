"""The page, tab by tab, and how it is served."""

from __future__ import annotations

from typing import Any

import gradio as gr

from miagym.app.site import Site
from miagym.app.theme import CSS, THEME


def build(site: Site | None = None) -> gr.Blocks:
    """The page. Nothing is loaded until a visitor asks for it."""
    site = Site() if site is None else site
    with gr.Blocks(title="miagym", analytics_enabled=False, delete_cache=(300, 1500)) as page:
        gr.Markdown(
            "# miagym\nWas this picture used to train that image generator? A fair test, which "
            "mostly answers: we cannot tell.",
            elem_classes="masthead",
        )
        with gr.Tabs(selected=site.first):
            pass
    return page


SERVED: dict[str, Any] = {
    "theme": THEME,
    "css": CSS,
    "max_file_size": "10mb",
    "show_error": False,
    "run_history": False,
    "footer_links": ["api", "settings"],
    "mcp_server": True,
}
"""How it is launched, everywhere."""


def serve(page: gr.Blocks, **options: Any) -> Any:
    """Launches the page; the queue is bounded, so that a crowd is told that the page is busy."""
    page.queue(max_size=32, default_concurrency_limit=2)
    return page.launch(**SERVED, **options)
