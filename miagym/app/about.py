"""About: what the page measures, what it cannot, and what becomes of what is uploaded."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files

import gradio as gr

import miagym
from miagym.app.server.body_limit import KILOBYTES_AN_HOUR
from miagym.app.site import Site

LIBRARIES = ("torch", "diffusers", "gradio", "gymnasium", "scikit-learn")

TEXT = "about.md"
"""Beside this file."""


def about_tab(site: Site) -> None:
    """Method, limits, ethics, privacy, citation, versions."""
    text = (files("miagym.app") / TEXT).read_text(encoding="utf-8")
    text = text.replace("{allowance}", _allowance(site)) + f"\n## Versions\n\n{versions()}\n"
    gr.Markdown(text, elem_id="about")


def _allowance(site: Site) -> str:
    if not site.allowance.is_limited:
        return "This page counts nothing: it runs on one's own machine."
    known = "browser, known by a cookie with a random number" if site.per_browser else "address"
    return (
        f"A visitor has an hourly allowance of {site.allowance.most:,} units (one unit: a "
        "model looks once at a picture) and "
        f"{KILOBYTES_AN_HOUR // 1000} MB of uploads, counted in memory by {known}, and forgotten "
        "when the page restarts."
    )


def versions() -> str:
    """What answers here, in one line."""
    found = [f"miagym {miagym.__version__}"]
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)
