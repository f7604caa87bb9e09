"""Tables and figures of the report, as the page shows them in light and in dark."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import plotly.graph_objects as go

from miagym.report.style import safe_text
from miagym.report.tables import safe

STYLE = """<style>
.figure .gridlayer path { stroke: var(--border-color-primary) !important; }
.figure .errorbars path { stroke: var(--body-text-color-subdued) !important; }
.numbers { overflow-x: auto; border: 1px solid var(--border-color-primary); margin: .4rem 0; }
.numbers table { border-collapse: collapse; width: 100%; margin: 0; font-size: .82rem; }
.numbers th, .numbers td { padding: .35rem .6rem; text-align: left; vertical-align: top;
  border: 0; border-bottom: 1px solid var(--border-color-primary); white-space: nowrap; }
.numbers thead th { vertical-align: bottom; }
.numbers thead th, .numbers th[scope=row] { font-weight: 600; }
.numbers th[scope=row] { position: sticky; left: 0; min-width: 8.5rem; max-width: 11rem;
  white-space: normal; background: var(--body-background-fill); }
.numbers th[scope=rowgroup] { background: var(--background-fill-secondary); }
.numbers th[scope=rowgroup] span { position: sticky; left: .6rem; display: inline-block;
  max-width: 78vw; white-space: normal; }
.numbers.wide td:last-child { white-space: normal; min-width: 15rem; }
.numbers tr.blind td, .numbers tr.blind th { font-style: italic; }
.downloads a { display: inline-block; margin: .3rem .6rem .3rem 0; padding: .35rem .8rem;
  border: 1px solid var(--border-color-primary); border-radius: 4px; text-decoration: none;
  color: var(--body-text-color); background: var(--button-secondary-background-fill); }
.downloads a:hover, .downloads a:focus-visible { border-color: var(--color-accent); }
.working progress { width: 100%; height: .5rem; accent-color: var(--color-accent); }
.working p { margin: .2rem 0; }
.figure, .figure .plot-container { overflow: hidden; }
</style>"""
"""Figures are transparent; Gradio leaves their ink as it is, so that the page colours it."""

FIGURE = "figure"
"""The class of a `gr.Plot` that `STYLE` colours."""


def numbers(table: str, about: str, *, wide: bool = False) -> str:
    """A table that scrolls sideways where it must, by mouse, finger or keyboard.

    Args:
        table: HTML, as `report.tables.table` makes it.
        about: what a screen reader calls it.
        wide: whether its last column holds long text.
    """
    kind = "numbers wide" if wide else "numbers"
    return (
        f'<div class="{kind}" role="region" aria-label="{safe(about)}" tabindex="0">{table}</div>'
    )


def verdict(heading: str, text: str) -> str:
    """The answer, before all numbers."""
    return f'<div class="verdict"><h3>{safe(heading)}</h3><p>{safe(text)}</p></div>'


def downloads(contents: Mapping[str, tuple[str, str]]) -> str:
    """Links that hold what they offer, so that no file is kept on the server.

    Args:
        contents: by file name, the media type and the text.
    """
    links = []
    for name, (kind, text) in contents.items():
        data = base64.b64encode(text.encode()).decode()
        link = f'href="data:{kind};base64,{data}" download="{safe(name)}"'
        links.append(f"<a {link}>Download {safe(name)}</a>")
    return f'<div class="downloads">{"".join(links)}</div>'


def working(label: str, done: int, total: int) -> str:
    """How far work is."""
    bar = f'<progress max="{total}" value="{done}" aria-label="progress"></progress>'
    count = f", {done} of {total}" if total > 1 else ""
    return f'<div class="working" role="status">{bar}<p>{safe(label)}{count}</p></div>'


def said(text: str) -> str:
    """A line in the place of a progress bar."""
    return f'<div class="working" role="status"><p>{safe(text)}</p></div>'


def into_sight(name: str, when: str = "true") -> str:
    """A script that scrolls to an element, if it is out of sight.

    Args:
        name: its id.
        when: a condition in JavaScript.
    """
    scroll = 'scrollIntoView({ behavior: "smooth", block: "nearest" })'
    return f'() => {{ if ({when}) document.getElementById("{name}").{scroll} }}'


def captioned(figure: go.Figure, text: str) -> go.Figure:
    """A figure without data, which says why."""
    return figure.add_annotation(
        text=safe_text(text), x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False
    )
