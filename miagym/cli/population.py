"""`miagym population`: attacks on every model of a population, with intervals over models."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from miagym.cli.shared.console import AsJson, Device, Seed, console, print_json, progress
from miagym.cli.shared.targets import BatchSize


def population(
    folder: Annotated[str, typer.Argument(help="Folder of a population, or clipart-population.")],
    attacks: Annotated[
        str, typer.Option(help="Names with commas, as `evaluate` takes them.")
    ] = "sima,sima+reference,sima+lira,sima+bavaria",
    against: Annotated[
        str | None, typer.Option(help="Attack over which the others' gains are told.")
    ] = None,
    seed: Seed = 0,
    device: Device = "auto",
    batch_size: BatchSize = 64,
    as_json: AsJson = False,
) -> None:
    """Run attacks on all models of a population; intervals are over models and pictures."""
    from miagym.api.population import evaluate_population

    with progress(shown=not as_json) as phases:
        run = evaluate_population(
            folder, attacks, seed=seed, device=device, batch_size=batch_size, progress=phases
        )
    gains = {}
    if against is not None:
        gains = {name: run.gain(name, against) for name in run.rows if name != against}
    if as_json:
        told = {name: gain.as_row() for name, gain in gains.items()}
        print_json(run.as_json() | ({"against": against, "gains": told} if gains else {}))
        return
    first = next(iter(run.rows.values()))
    table = Table(title=f"{run.name}: {first.models} models, {first.pictures} pictures")
    for column in ("attack", "access", "AUC", "between models", "TPR@1%FPR"):
        table.add_column(column)
    for name, row in run.rows.items():
        auc, tpr = _shown(row.auc, row.auc_ci), _shown(row.tpr, row.tpr_ci)
        table.add_row(name, run.access[name], auc, f"± {row.auc_spread:.3f}", tpr)
    console.print(table)
    for name, gain in gains.items():
        auc, tpr = _signed(gain.auc, gain.auc_ci), _signed(gain.tpr, gain.tpr_ci)
        console.print(f"{name} over {against}: AUC {auc}, TPR@1%FPR {tpr}", markup=False)


def _shown(value: float, ci: tuple[float, float]) -> str:
    return f"{value:.3f} \\[{ci[0]:.3f}–{ci[1]:.3f}]"


def _signed(value: float, ci: tuple[float, float]) -> str:
    return f"{value:+.3f} [{ci[0]:+.3f}, {ci[1]:+.3f}]"
