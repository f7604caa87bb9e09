"""The endpoint `/audit`: what `miagym audit --json` prints, for machines."""

from __future__ import annotations

from functools import partial
from typing import Any

import gradio as gr
from anyio.to_thread import run_sync

from miagym.app.audit.service import audit_split, audit_table, bill_of, sent_table
from miagym.app.server.client_id import client_id
from miagym.app.server.errors import api_errors
from miagym.app.server.jobs import AUDITS, result_of
from miagym.app.server.mcp import json_answer
from miagym.app.site import Site


def audit_api(site: Site) -> None:
    """Registers `/audit`, also a tool for agents; within a Blocks context."""

    @api_errors
    async def audit(  # noqa: D417, Gradio gives the request, callers do not
        request: gr.Request,
        split: str = "",
        captions: list[str] | None = None,
        member: list[bool] | None = None,
    ) -> dict[str, Any] | str:
        """Asks whether members can be told from non-members without any model.

        Name an embedded split, or send captions and labels of your own. Splits: clipart (fair),
        clipart-by-category and clipart-without-punctuation (both shifted on purpose). "Fair" means
        that nothing was found, "too small" that nothing could have been.

        Args:
            split: the name of an embedded split; empty for captions of your own.
            captions: at most 20,000 texts, of which 2,000 a side are looked at.
            member: true or false for each text: does it belong to a member?

        Returns:
            verdict (fair, shifted, too small), why, blind, shift, cues, duplicates.
        """
        client = client_id(request)
        if split:
            work = site.allowance.free(client, partial(audit_split, split))
        else:
            subject = await run_sync(sent_table, captions, member)
            work = site.allowance.paid(client, bill_of(subject), partial(audit_table, subject))
        return json_answer((await result_of(AUDITS, work)).as_json(), request)

    # Programs stand in one line with visitors, and take turns with them.
    gr.api(audit, api_name="audit", concurrency_limit=None)
