"""The form of a tab in the address of the page: written there, and read when the page is opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.events import Dependency

from miagym.app.html import script


@dataclass(frozen=True)
class Permalink:
    """What of a form stands in the address.

    Args:
        tab: whose form it is.
        fields: components by the parameters of the address that hold their values.
        followers: components that no parameter holds, and that are set with the others.
    """

    tab: str
    fields: Mapping[str, Any]
    followers: tuple[Any, ...] = ()

    @property
    def components(self) -> list[Any]:
        """All that an address fills in, in the order of what is read in it."""
        return [*self.fields.values(), *self.followers]

    def write_at(self, *events: Callable[..., Dependency]) -> None:
        """Has the values written into the address whenever one of these happens."""
        written = script("form_address.js", self.tab, " ".join(self.fields))
        for event in events:
            event(None, list(self.fields.values()), None, js=written, api_visibility="private")

    def read_at_load(self, read: Callable[[Mapping[str, str]], Sequence[Any] | None]) -> Dependency:
        """Has the form filled in when the page is opened, but for what a visitor changed already.

        Args:
            read: the values that the parameters of an address, from anybody, ask for, in the order
                of `components`; None for one, or for all, that are not asked for.
        """
        asked = gr.JSON(visible=False)
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

        def opened(request: gr.Request) -> Sequence[Any] | None:
            return read(dict(request.query_params))

        names = [*self.fields, *(None for _ in self.followers)]
        filled = script("asked_form.js", names, [one.value for one in self.components])
        # What the server says does not go into the form at once: it may be late.
        said = gr.on(None, opened, None, asked, queue=False, **quiet)
        return said.success(None, [asked, *self.components], self.components, js=filled, **quiet)
