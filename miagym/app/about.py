"""About: what the page measures, what it cannot, and what becomes of what is uploaded."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files

import gradio as gr

import miagym
from miagym.app.site import Site

LIBRARIES = ("torch", "diffusers", "gradio", "gymnasium", "scikit-learn")

TEXT = "about.md"
"""Beside this file."""


def about_tab(site: Site) -> None:
    """Method, limits, ethics, privacy, citation, versions."""
    text = (files("miagym.app") / TEXT).read_text(encoding="utf-8")
    allowance = f"An hour holds {site.allowance.rows:,} UNet rows for one visitor."
    gr.Markdown(text.replace("{allowance}", allowance) + f"\n## Versions\n\n{versions()}\n")


def versions() -> str:
    """What answers here, in one line."""
    found = [f"miagym {miagym.__version__}"]
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)
