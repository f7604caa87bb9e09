"""HTML, CSS and JavaScript of the page, from the files in `templates` and `static`."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from jinja2 import PackageLoader
from markupsafe import Markup

from miagym.report.html import environment

ENVIRONMENT = environment(PackageLoader("miagym.app"))
"""Of the templates of the page, and those of the report."""


def render(template: str, **values: Any) -> Markup:
    """A template, filled in; values that are not markup already are escaped."""
    return Markup(ENVIRONMENT.get_template(template).render(**values))


def part(macro: str, *values: Any, **options: Any) -> Markup:
    """A piece of the page by its macro in `templates/parts.html`."""
    return getattr(ENVIRONMENT.get_template("parts.html").module, macro)(*values, **options)


def downloads(contents: Mapping[str, tuple[str, str | bytes]]) -> Markup:
    """Links that hold what they offer.

    Args:
        contents: by file name, the media type, and the text or the bytes.
    """
    coded = [
        (name, kind, base64.b64encode(_bytes(content)).decode())
        for name, (kind, content) in contents.items()
    ]
    return part("downloads", coded)


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def static(name: str) -> str:
    """The text of a file in `static`, where each kind has a folder."""
    kind = name.rpartition(".")[2]
    return (files("miagym.app") / "static" / kind / name).read_text(encoding="utf-8")


def at_load(*names: str) -> str:
    """Functions in `static` as one, which a page calls when it has loaded."""
    return "() => {" + "".join(f"({static(name).strip()})();" for name in names) + "}"


def script(name: str, *arguments: Any) -> str:
    """A function in `static`, as Gradio's `js` takes it; the arguments go before Gradio's own."""
    given = "".join(f"{json.dumps(argument)}, " for argument in arguments)
    return f"(...values) => ({static(name).strip()})({given}...values)"
