"""The endpoint `/evaluate`: what `miagym evaluate` writes into results.json, for machines."""

from __future__ import annotations

from typing import Any

import gradio as gr

from miagym.app.evaluate.service import EvaluationRequest, paid_run
from miagym.app.server.client_id import client_id
from miagym.app.server.errors import api_errors
from miagym.app.server.jobs import EVALUATIONS, result_of
from miagym.app.server.mcp import json_answer
from miagym.app.site import Site


def evaluate_api(site: Site) -> None:
    """Registers `/evaluate`, also a tool for agents; within a Blocks context."""

    @api_errors
    async def evaluate(  # noqa: D417, Gradio gives the request, callers do not
        request: gr.Request,
        target: str,
        attacks: list[str],
        candidates: int = 100,
        queries: int = 0,
    ) -> dict[str, Any] | str:
        """Measures attacks on a target whose members are known, with intervals and blind rows.

        Attacks: text-to-image, rediffuse, loss, sima, pia, secmi, clid, quantile-regression,
        trajectory-logistic, gradient-masking. Targets: clipart-overfit, clipart-realistic,
        clipart-null, clipart-flow, clipart-pixels, clipart-pixels-null, icons-realistic,
        icons-overfit, or a checkpoint such as clipart-overfit@40. An attack has learned from the
        model only where its whole interval lies above those of all blind rows. It takes a minute or
        more; ask for few candidates first.

        Args:
            target: the name of a target, as listed above.
            attacks: names of attacks, as listed above; blind ones run always.
            candidates: members, and as many non-members, from 20 to 120.
            queries: budget for one candidate, from 1 to 16; 0 for what each attack needs.

        Returns:
            rows, controls, protocols, comparisons, audit, run, and `command` for the same numbers.
        """
        names = tuple(attacks) if isinstance(attacks, list) else ()
        asked = EvaluationRequest(target, names, candidates, queries or None, site.device)
        work = paid_run(asked, site.allowance, client_id(request))
        found = await result_of(EVALUATIONS, work)
        return json_answer({"command": found.command, **found.as_json()}, request)

    # Programs stand in one line with visitors, and take turns with them.
    gr.api(evaluate, api_name="evaluate", concurrency_limit=None)
