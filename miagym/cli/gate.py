"""`miagym gate`: an exit code for a release, from the results of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from miagym.cli.shared.console import AsJson, console, print_json

NOT_PASSED = 1

MaxTpr = Annotated[
    float, typer.Option(help="What no attack's 95 % interval may reach above, 0.05 say.")
]
AtFpr = Annotated[float, typer.Option(help="False positive rate at which members are found.")]
Delta = Annotated[float, typer.Option(help="Of the empirical epsilons.")]


def gate(
    results: Annotated[
        Path, typer.Argument(help="results.json, a run folder, or what `score --json` printed.")
    ],
    max_tpr: MaxTpr,
    at_fpr: AtFpr = 0.01,
    delta: Delta = 0.0,
    as_json: AsJson = False,
) -> None:
    """Exit with 0 if no attack may find more members than allowed, else with 1.

    A run whose controls failed is refused, with 2.
    """
    from miagym.api.gate import gate as held

    answer(held(results, max_tpr=max_tpr, at_fpr=at_fpr, delta=delta), as_json)


def answer(found: object, as_json: bool) -> None:
    """Prints the answer of a gate, and exits with 1 if it is no."""
    from miagym.api.gate import Gate

    assert isinstance(found, Gate)
    if as_json:
        print_json(found.as_json())
    else:
        for sentence in found.sentences():
            console.print(sentence, markup=False, soft_wrap=True)
    if not found.passed:
        raise typer.Exit(NOT_PASSED)
