"""`miagym attacks`: what can be run."""

from __future__ import annotations

from rich.console import Console

from miagym.cli.shared.console import IN_TERMINAL, WIDE, AsJson, console, print_json


def attacks(as_json: AsJson = False) -> None:
    """List the attacks, what access each needs and what it costs a candidate."""
    from miagym.api.attacks import described_attacks

    described = described_attacks()
    if as_json:
        print_json(described)
        return
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table("name", "access", "learns", box=SIMPLE_HEAD)
    for heading in ("queries", "UNet rows", "backward"):
        table.add_column(heading, justify="right")
    table.add_column("paper")
    for column in table.columns:
        column.no_wrap = True
    for attack in described:
        names = ("queries", "unet_rows", "backward_rows")
        at_most = "≤ " if attack["adaptive"] else ""
        costs = (f"{at_most}{attack['cost'][name]}" for name in names)
        learns = "yes" if attack["needs_fitting"] else ""
        table.add_row(attack["name"], attack["access"], learns, *costs, attack["paper"])
    wide = console if IN_TERMINAL else Console(width=2 * WIDE)
    wide.print(table)
