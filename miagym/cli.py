"""The command line: `miagym evaluate`, `demo`, `attacks`, `train`, `art`."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from miagym.errors import MiagymError

if TYPE_CHECKING:
    from miagym.evaluation.config import Config

app = typer.Typer(
    help="Membership inference on diffusion models, as a fair game.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
WIDE = 120
"""Columns where there is no terminal to ask, so that no table is cut."""

console = Console(width=None if sys.stdout.isatty() else WIDE)

DEMO = (
    "blind-captions",
    "blind-pixels",
    "text-to-image",
    "rediffuse",
    "loss",
    "sima",
    "pia",
    "secmi",
    "clid",
    "trajectory-partial-denoising",
    "trajectory-reversed-noise",
)
"""What the demo runs: one attack of each kind, in minutes; `--attacks all` takes much longer."""

INTERRUPTED = 130
FAILED = 2

Out = Annotated[Path, typer.Option(help="Folder of the run; an unfinished run in it goes on.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of noise, order and resampling.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda.")]


def main() -> None:
    """Entry point: our own errors end in one sentence, Ctrl-C in another; neither exits with 0."""
    try:
        app(standalone_mode=True)
    except MiagymError as error:
        print(f"miagym: {error}", file=sys.stderr)
        sys.exit(FAILED)
    except SystemExit as stop:
        if stop.code == INTERRUPTED:  # typer turns Ctrl-C into this
            print("\nStopped. What is finished is kept; the same command goes on.", file=sys.stderr)
        raise


@app.command()
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
    from miagym.budget import Budget
    from miagym.errors import DataError
    from miagym.evaluation.config import Config, Match

    Budget(queries=budget)
    references = reference or ["-"] * len(target)
    if not len(target) == len(data) == len(references):
        raise DataError(
            f"Got {len(target)} targets, {len(data)} data sets and {len(references)} references; "
            "give each target one --data, and one --reference (or `-` for none) if you give any."
        )
    matches = tuple(
        Match(t, d, _attack_names(attacks, r != "-"), None if r == "-" else r)
        for t, d, r in zip(target, data, references, strict=True)
    )
    _run(
        Config(
            matches=matches,
            seed=seed,
            queries=budget,
            limit=limit,
            chunk=chunk,
            batch_size=batch_size,
            device=device,
        ),
        out,
    )


@app.command()
def demo(
    out: Out = Path("runs/demo"),
    seed: Seed = 0,
    app: Annotated[bool, typer.Option(help="End on the page, once there is one.")] = True,
) -> None:
    """Run eleven attacks on both embedded targets: overfit against realistic."""
    from miagym.evaluation.config import Config, Match

    calibrated = tuple(f"{name}+reference" for name in DEMO if not name.startswith("blind"))
    matches = (
        Match("clipart-realistic", "clipart", DEMO),
        Match("clipart-overfit", "clipart-tune", (*DEMO, *calibrated), "clipart-realistic"),
    )
    # Small chunks, so that both cores are busy to the end.
    _run(Config(matches=matches, seed=seed, chunk=64), out)


@app.command()
def attacks(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List the attacks, what access each needs and what it costs a candidate."""
    from attacks import attack_names, describe_attack

    described = [describe_attack(name) for name in attack_names()]
    if as_json:
        print(json.dumps(described, indent=2, ensure_ascii=False))
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
    wide = console if sys.stdout.isatty() else Console(width=2 * WIDE)
    wide.print(table)


@app.command()
def train(
    name: Annotated[str, typer.Argument(help="clipart-realistic, clipart-overfit, clipart-null.")],
    out: Annotated[
        Path, typer.Option(help="Folder for the finished targets and unfinished states.")
    ],
    device: Device = "auto",
    threads: Annotated[int | None, typer.Option(help="CPU threads.")] = None,
) -> None:
    """Rebuild an embedded target from the embedded art; a stopped training goes on where it was."""
    import torch

    from miagym.train.worlds import train_target

    if threads:
        torch.set_num_threads(threads)
    with _bar() as bar:
        folder = train_target(name, out, device, _steps(bar))
    console.print(f"{name} is in {folder}; `--target {folder}` evaluates it.", markup=False)


@app.command()
def art(
    source: Annotated[Path, typer.Option(help="Folder with png/ and svg/.")] = Path(
        "/usr/share/openclipart"
    ),
    out: Annotated[Path, typer.Option(help="The parquet file to write.")] = Path("clipart.parquet"),
) -> None:
    """Rebuild the embedded art from Debian's packages openclipart-png and openclipart-svg."""
    from miagym.data.clipart.build import build

    with _bar() as bar:
        count = build(
            source, out, lambda drawings, n: bar.track(drawings, n, description="reading")
        )
    for reason, n in count.most_common():
        console.print(f"{n:6,} {reason}")


def _attack_names(attacks: str, with_reference: bool) -> tuple[str, ...]:
    from attacks import attack_names, make_attack

    if attacks == "all":
        return attack_names(with_reference=with_reference)
    names = tuple(dict.fromkeys(name.strip() for name in attacks.split(",") if name.strip()))
    for name in names:
        make_attack(name)  # raises for a name that is unknown
    return names


def _run(config: Config, out: Path) -> None:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from attacks import make_attack
    from miagym.evaluation.identity import identity
    from miagym.evaluation.match import MatchRun
    from miagym.evaluation.report import finding, write_report
    from miagym.evaluation.run import evaluate
    from miagym.evaluation.store import RunFolder, at_full_budget
    from miagym.evaluation.table import results_tables

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

    with _bar() as bar:
        results = evaluate(config, make_attack, open_folder, _phases(bar))
    scores = pq.read_table(out / "scores.parquet")
    scores = at_full_budget(scores.filter(pc.field("part") == "test"))
    run = {**found, **results["run"], "seed": config.seed}
    write_report(results["rows"], scores, run, out / "report.html")
    for table in results_tables(results["rows"]):
        console.print(table)
    for skipped in results["run"]["skipped"]:
        why = f"Skipped {skipped['attack']} on {skipped['target']}: {skipped['why']}"
        console.print(why, markup=False, soft_wrap=True)
    charged, computed = results["run"]["rows_charged"], results["run"]["rows_computed"]
    console.print(f"UNet rows: {charged:,} charged to the attacks, {computed:,} computed.")
    console.print(finding(results["rows"]), markup=False, soft_wrap=True)
    console.print(f"Report: {out / 'report.html'}", markup=False, soft_wrap=True)


@contextmanager
def _bar() -> Iterator[Progress]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=console) as bar:
        yield bar


def _phases(bar: Progress) -> Callable[[str, int], Callable[[], None]]:
    def start(label: str, steps: int) -> Callable[[], None]:
        task = bar.add_task(label, total=steps)
        return lambda: bar.advance(task)

    return start


def _steps(bar: Progress) -> Callable[[range, str], Iterable[int]]:
    return lambda steps, label: bar.track(
        steps, total=steps.stop, completed=steps.start, description=label
    )
