"""HTML through Jinja2: every value that a template is given is escaped."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import BaseLoader, ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape


@cache
def environment(*loaders: BaseLoader) -> Environment:
    """An environment with the templates of the report, and further ones before them.

    Templates get `{% from "table.html" import table %}`, and the filters `nbsp` (no line break
    before a percent sign) and `breakable` (a line may break after an opening bracket).
    """
    made = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
        loader=ChoiceLoader([*loaders, PackageLoader("miagym", "report/templates")]),
    )
    made.filters |= {"nbsp": _nbsp, "breakable": _breakable}
    return made


def render(name: str, **values: Any) -> Markup:
    """A template of the report, filled in: `result.html` takes `parts`, tables and sentences.

    Args:
        name: of a file in report/templates.
        values: what it asks for; a value that it lacks is an error.
    """
    return Markup(environment().get_template(name).render(values))


def piece(name: str, macro: str, *values: Any) -> Markup:
    """One macro of a template of the report.

    `table.html` has `table(content)` and `scrolling(content, about)` for a `report.model.Table`;
    `run_lists.html` has `doubts(found)`, `skipped(found)`, `of_the_data(sentences)` and
    `unreadable(found, losses)`.
    """
    return getattr(environment().get_template(name).module, macro)(*values)


def _nbsp(text: object) -> Markup:
    return escape(str(text).replace(" %", "\N{NO-BREAK SPACE}%"))


def _breakable(text: object) -> Markup:
    """Variants are spelled as constructor calls, which are long and have no spaces."""
    return escape(str(text)).replace("(", Markup("(<wbr>"))
