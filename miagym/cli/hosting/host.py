"""`miagym host`: a game on a server of one's own, its players, and its leaderboard."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from miagym.cli.hosting.codabench import codabench
from miagym.cli.hosting.tasks import (
    BUDGET,
    HANDS,
    LEDGER,
    QUESTIONS,
    SUITE,
    Budget,
    Data,
    Db,
    Hands,
    KnownDb,
    Phase,
    Questions,
    Reference,
    Targets,
    Tasks,
    check_own,
    is_given,
)
from miagym.cli.shared.console import AsJson, console, print_json, say

OF_A_SUITE = ("tasks", "db", "phase", "port", "address", "openenv", "open_board")
"""Options that go with a suite; all others are of a task about a --target or --population."""

host = typer.Typer(help="Host a game: serve it, add players, read the leaderboard.")
host.command()(codabench)


@host.callback(invoke_without_command=True)
def serve(
    context: typer.Context,
    tasks: Tasks = SUITE,
    db: Db = LEDGER,
    phase: Phase = "dev",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    address: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in.")
    ] = "127.0.0.1",
    target: Targets = None,
    population: Annotated[
        str,
        typer.Option(
            help="Instead of a --target: a folder that `miagym train` made of many models, each "
            "with pictures of its own."
        ),
    ] = "",
    data: Data = None,
    reference: Reference = None,
    questions: Questions = QUESTIONS,
    budget: Budget = BUDGET,
    hands: Hands = HANDS,
    service: Annotated[
        str,
        typer.Option(
            help="Instead of a menu: prompt-only, image-to-image, inpainting or full, which take "
            "prompts and pictures of the players' own."
        ),
    ] = "",
    tariff: Annotated[
        str,
        typer.Option(
            help="What calls of a --service cost, in whose coin the budget is: rows, pictures, "
            "calls, or prices as in call=1,picture=4,unit=cents."
        ),
    ] = "rows",
    refuse: Annotated[
        list[str] | None,
        typer.Option(help="A word or phrase in prompts that the --service refuses; repeatable."),
    ] = None,
    charge_refused: Annotated[
        bool, typer.Option("--charge-refused", help="Refused calls cost as much as others.")
    ] = False,
    calls_a_minute: Annotated[
        int | None, typer.Option(help="How often a key may call, or ask; no limit if absent.")
    ] = None,
    jpeg: Annotated[
        int | None, typer.Option(help="Quality of the JPEG as which a --service's pictures arrive.")
    ] = None,
    answer_size: Annotated[
        int | None, typer.Option(help="Side of a --service's pictures that arrive, in pixels.")
    ] = None,
    defence: Annotated[
        str, typer.Option(help="Done to the pictures of a menu, as jpeg:80+resize:0.75.")
    ] = "",
    openenv: Annotated[
        bool, typer.Option("--openenv", help="Speak OpenEnv's protocol, too, over WebSockets.")
    ] = False,
    open_board: Annotated[
        bool,
        typer.Option("--open-board", help="Show the leaderboard of the final phase, too."),
    ] = False,
) -> None:
    """Serve a game. Labels, weights and the meter stay here; players see pictures.

    The labels of the embedded data are in the package for everybody to read: for an examination,
    name a model and data of your own.
    """
    if context.invoked_subcommand is not None:
        return
    from miagym.envs.service.prompt_filter import PromptFilter
    from miagym.errors import HostError
    from miagym.hosting.serving import serve_forever
    from miagym.hosting.suite import own_task, suite

    if target or population:
        if service and is_given(context, "questions"):
            raise HostError("A service has no menu; leave --questions or --service out.")
        if charge_refused and not refuse:
            raise HostError("Expected --refuse with --charge-refused: what is refused.")
        menu = questions.split(",")
        words = PromptFilter(refuse, charge_refused) if refuse else None
        own = own_task(target or (), data, reference, menu, budget, hands, service, population)
        played = (
            replace(
                own,
                tariff=tariff,
                prompt_filter=words,
                calls_a_minute=calls_a_minute,
                jpeg=jpeg,
                answer_size=answer_size,
                defence=defence,
            ),
        )
    else:
        check_own(context, *OF_A_SUITE)
        played = suite(tasks)

    def ready() -> None:
        names = ", ".join(task.name for task in played)
        say(f"Tasks {names}, phase {phase}, at http://{address}:{port} (its API: /docs).")
        if openenv:
            say(f"OpenEnv: http://{address}:{port}/openenv/TASK, for each of them.")
        say(f"`miagym host add NAME --db {db}` gives a player a key.")

    serve_forever(played, db, phase, address, port, ready, openenv, open_board)


@host.command()
def add(
    names: Annotated[list[str], typer.Argument(help="Of players, as on the leaderboard.")],
    db: Db = LEDGER,
    days: Annotated[float | None, typer.Option(min=0, help="Until the keys expire.")] = None,
    as_json: AsJson = False,
) -> None:
    """Add players, and print their keys, which can be read this once."""
    from miagym.hosting.records.keys import add_players
    from miagym.hosting.records.ledger import Ledger

    with Ledger(db) as ledger, ledger.transaction() as open_ledger:
        keys = add_players(open_ledger, names, days)
    if as_json:
        print_json(keys)
        return
    for name, key in keys.items():
        say(f"{name}: {key}")


@host.command()
def revoke(
    names: Annotated[list[str], typer.Argument(help="Of players.")],
    db: KnownDb = LEDGER,
    as_json: AsJson = False,
) -> None:
    """Make keys useless; what was played stays."""
    from miagym.hosting.records.keys import revoke as revoke_key
    from miagym.hosting.records.ledger import Ledger

    with Ledger.existing(db) as ledger:
        for name in names:
            revoke_key(ledger, name)
    if as_json:
        print_json({"revoked": names})
        return
    for name in names:
        say(f"The key of {name} opens nothing any more.")


@host.command()
def board(
    task: Annotated[
        str, typer.Argument(help="Name of a task: of the suite, or served from this ledger.")
    ],
    tasks: Tasks = SUITE,
    db: KnownDb = LEDGER,
    phase: Phase = "dev",
    as_json: AsJson = False,
) -> None:
    """Print the leaderboard of a task, beside a player who never asks."""
    from miagym.hosting.board import board as standings
    from miagym.hosting.host import Host
    from miagym.hosting.records.ledger import Ledger
    from miagym.hosting.records.tasks import find_task
    from miagym.hosting.standings import closing, standings_table
    from miagym.hosting.suite import suite
    from miagym.report.terminal import print_parts

    with Ledger.existing(db) as ledger:
        played = find_task(ledger, task, suite(tasks))
        found = standings(Host([played], ledger, phase), task)
    if as_json:
        print_json([one.as_row() for one in found])
        return
    print_parts(console, (standings_table(found, played.prices.unit), closing(found)))
