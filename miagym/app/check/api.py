"""The endpoint `/check`, for programs and for agents: a picture in, `miagym check --json` out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from miagym.app.check.service import check_service
from miagym.app.check.tab import MODEL
from miagym.app.server.client_id import client_id
from miagym.app.server.errors import api_errors
from miagym.app.server.mcp import json_answer, raw_json
from miagym.app.server.uploads import picture_input
from miagym.app.site import Site
from miagym.errors import DataError


def check_api(site: Site) -> None:
    """Adds `/check` to the page that is being built; nothing of it is seen.

    `gr.api` would take any value for a file; these inputs check what they are given.
    """

    @api_errors
    def check(  # noqa: D417, Gradio gives the request, callers do not
        picture: str | None, caption: str, target: str, request: gr.Request
    ) -> dict[str, Any] | str:
        """Does a picture score as the training pictures of an image generator do?

        Verdicts: "member-like", "cannot tell" (the ordinary answer), "not comparable". The p-value
        is the share of pictures that were not used in training and score at least as high; it is
        no probability that this one was used. "Cannot tell" does not mean that it was not used.
        Pictures are uploads: POST the file to /gradio_api/upload of this server, as the form field
        "files", and give SERVER/gradio_api/file=PATH with the path that comes back. Agents may give
        a data: URL of at most 1 MB instead. Other addresses are refused.

        Args:
            picture: an uploaded JPEG, PNG, GIF or WebP, at most 10 MB, 25 million pixels (WebP: 8).
            caption: as it may have stood beside the picture in training; empty if unknown.
            target: the generator, one of those that the page offers.

        Returns:
            verdict, p_value, likelihood_ratio, guard, power, and the whole answer in `words`.
        """
        if picture is None:
            raise DataError("Expected an uploaded picture, got none.")
        service = check_service(site.device, site.offers)
        with site.allowance.paying(client_id(request)) as pay:
            answer = service.check(Path(picture), caption, target, pay=pay)
        return json_answer(answer.as_json(), request)

    names = [offer.name for offer in site.offers]
    with gr.Row(visible=False):
        picture = picture_input(label="picture")
        caption = gr.Textbox("", label="caption")
        target = gr.Radio(names, value=names[0], label="target")
        answer = raw_json(label="answer")
        gr.Button().click(check, [picture, caption, target], answer, api_name="check", **MODEL)
