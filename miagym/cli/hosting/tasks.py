"""Options that say what is played: a suite, or one task about models of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from miagym.errors import HostError

SUITE = "black-2026"
LEDGER = Path("host.sqlite")
QUESTIONS = "variation@0.3,variation@0.6"
BUDGET, HANDS = 60, 16

Db = Annotated[Path, typer.Option(help="The ledger, one SQLite file; made if there is none.")]
KnownDb = Annotated[Path, typer.Option(help="The ledger that the host serves from.")]
Tasks = Annotated[str, typer.Option(help="A suite: black-2026 or services-2026.")]
Phase = Annotated[str, typer.Option(help="dev or final: two halves of the test candidates.")]
Targets = Annotated[
    list[str] | None,
    typer.Option(help="Instead of a suite, one task about this model; repeatable."),
]
Data = Annotated[
    str | None, typer.Option(help="Pictures of the --target, with labels that stay here.")
]
Reference = Annotated[
    str | None, typer.Option(help="A public model, whose pictures are told beside.")
]
Questions = Annotated[
    str, typer.Option(help="Menu of the task about a --target, separated by commas.")
]
Budget = Annotated[
    int,
    typer.Option(
        min=1,
        help="Of a hand of 16 candidates, or 1 of a service; UNet rows, or as --tariff says.",
    ),
]
Hands = Annotated[int, typer.Option(min=1, help="Hands in a walk.")]


def check_own(context: typer.Context, *others: str) -> None:
    """Refuses options of a task of one's own beside a suite, which fixes what they say.

    Args:
        context: of the command.
        others: options that go with a suite.

    Raises:
        HostError: if there are any.
    """
    for name in context.params:
        if name not in others and is_given(context, name):
            flag = f"--{name.replace('_', '-')}"
            raise HostError(
                f"Expected --target, or --population, with {flag}, since tasks of a suite are as "
                f"they are; name a model of your own, or leave {flag} out."
            )


def is_given(context: typer.Context, name: str) -> bool:
    """Whether an option stands on the command line."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
