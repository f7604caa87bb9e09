"""`miagym evaluate`: attacks on targets whose members are known."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from miagym.cli.console import Device, Out, Seed, attacks_named, console, phases, progress_bar

if TYPE_CHECKING:
    from miagym.evaluation.config import Config


def evaluate(
    target: Annotated[
        list[str], typer.Option(help="Embedded name, folder or hub id; repeat it for several.")
    ],
    data: Annotated[
        list[str], typer.Option(help="Embedded name, parquet file or folder; one for each target.")
    ],
    out: Out,
    attacks: Annotated[str, typer.Option(help="Names with commas, or `all`.")] = "all",
    reference: Annotated[
        list[str] | None,
        typer.Option(help="Public base of the target, to calibrate by; one for each target, or -."),
    ] = None,
    null: Annotated[
        list[str] | None,
        typer.Option(
            help="A target that saw neither side, or both alike, where attacks must find nothing; "
            "one for each target, or -. Embedded targets have one."
        ),
    ] = None,
    paper: Annotated[
        bool,
        typer.Option(
            "--paper", help="Score all variants on the test part too, as the paper's protocol asks."
        ),
    ] = False,
    budget: Annotated[
        int | None,
        typer.Option(
            help="Queries for one candidate: black-box attacks ask so many, attacks that need more "
            "are left out; encoding counts as one."
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="At most so many members, and so many non-members, of each part."),
    ] = None,
    seed: Seed = 0,
    batch_size: Annotated[int, typer.Option(min=1, help="Latents in one call of the target.")] = 64,
    chunk: Annotated[int, typer.Option(min=1, help="Candidates at work at a time.")] = 256,
    device: Device = "auto",
) -> None:
    """Run attacks on targets whose members are known, and measure what they find."""
    from miagym.embedded.pairings import pairing
    from miagym.errors import DataError
    from miagym.evaluation.config import Config, Match
    from miagym.oracle.budget import Budget

    Budget(queries=budget)
    references = reference or ["-"] * len(target)
    nulls = null or [((known := pairing(t)) and known.null) or "-" for t in target]
    if not len(target) == len(data) == len(references) == len(nulls):
        raise DataError(
            f"Got {len(target)} targets, {len(data)} data sets, {len(references)} references and "
            f"{len(nulls)} null targets; give each target one --data, and one --reference and one "
            "--null (or `-` for none) if you give any."
        )
    matches = tuple(
        Match(t, d, _attack_names(attacks, r != "-"), _named(r), _named(n))
        for t, d, r, n in zip(target, data, references, nulls, strict=True)
    )
    run_and_tell(
        Config(
            matches=matches,
            seed=seed,
            queries=budget,
            limit=limit,
            paper=paper,
            chunk=chunk,
            batch_size=batch_size,
            device=device,
        ),
        out,
    )


def _attack_names(attacks: str, with_reference: bool) -> tuple[str, ...]:
    """The attacks asked for, and the blind ones, since no table stands without their rows."""
    from attacks import attack_names, blind_names, make_attack

    if attacks == "all":
        return attack_names(with_reference=with_reference)
    names = attacks_named(attacks)
    for name in names:
        make_attack(name)  # raises for a name that is unknown
    return tuple(dict.fromkeys([*blind_names(), *names]))


def _named(name: str) -> str | None:
    return None if name == "-" else name


def run_and_tell(config: Config, out: Path) -> None:
    """Runs what is configured into a folder, writes its report, and prints what was found."""
    import pyarrow.parquet as pq

    from attacks import make_attack
    from miagym.data.dataset import TEST
    from miagym.evaluation.experiment import MatchRun
    from miagym.evaluation.provenance import identity
    from miagym.evaluation.run import evaluate
    from miagym.evaluation.store import RunFolder, at_full_budget
    from miagym.report.finding import finding, losses
    from miagym.report.page import write_report
    from miagym.report.terminal import results_tables

    command = shlex.join(["miagym", *sys.argv[1:]])
    found: dict[str, Any] = {}

    def open_folder(runs: list[MatchRun]) -> RunFolder:
        found.update(identity(config, runs, command))
        folder = RunFolder(out, found)
        if folder.finished:
            console.print(f"{out} holds this very run, finished.", markup=False)
        elif folder.begun:
            console.print(f"{out} holds the beginning of this run; going on.", markup=False)
        return folder

    with progress_bar() as bar:
        results = evaluate(config, make_attack, open_folder, phases(bar))
    test = pq.read_table(out / "scores.parquet", filters=[("part", "==", TEST)])
    about = {**found, "seed": config.seed}
    write_report(results, at_full_budget(test), about, out / "report.html")
    for table in results_tables(results["rows"]):
        console.print(table)
    for skipped in results["run"]["skipped"]:
        why = f"Skipped {skipped['attack']} on {skipped['target']}: {skipped['why']}"
        console.print(why, markup=False, soft_wrap=True)
    for doubt in results["run"]["doubts"]:
        why = f"Doubtful labels: {doubt['target']} with {doubt['data']}. {doubt['why']}"
        console.print(why, markup=False, soft_wrap=True)
    for line in losses(results["run"]["unreadable"]):
        console.print(line, markup=False, soft_wrap=True)
    charged, computed = results["run"]["rows_charged"], results["run"]["rows_computed"]
    console.print(f"UNet rows: {charged:,} charged to the attacks, {computed:,} computed.")
    console.print(finding(results["rows"]), markup=False, soft_wrap=True)
    console.print(f"Report: {out / 'report.html'}", markup=False, soft_wrap=True)
