"""`miagym gate`: an exit code for a release, from the results of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from miagym.cli.shared.console import AsJson, console, print_json

NOT_PASSED = 1


def gate(
    results: Annotated[
        Path, typer.Argument(help="results.json, a run folder, or what `score --json` printed.")
    ],
    max_tpr: Annotated[
        float, typer.Option(help="What no attack's 95 % interval may reach above, 0.05 say.")
    ],
    at_fpr: Annotated[
        float, typer.Option(help="False positive rate at which members are found.")
    ] = 0.01,
    delta: Annotated[float, typer.Option(help="Of the empirical epsilons.")] = 0.0,
    as_json: AsJson = False,
) -> None:
    """Exit with 0 if no attack may find more members than allowed, else with 1.

    A run whose controls failed is refused, with 2.
    """
    import miagym

    found = miagym.gate(results, max_tpr=max_tpr, at_fpr=at_fpr, delta=delta)
    if as_json:
        print_json(found.as_json())
    else:
        for sentence in found.sentences():
            console.print(sentence, markup=False, soft_wrap=True)
    if not found.passed:
        raise typer.Exit(NOT_PASSED)
