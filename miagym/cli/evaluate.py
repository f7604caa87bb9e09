"""`miagym evaluate`: attacks on targets whose members are known."""

from __future__ import annotations

import shlex
import sys
from contextlib import ExitStack
from enum import StrEnum
from typing import Annotated

import typer

from miagym.cli.shared.console import AsJson, Device, MemberValue, Out, Seed, progress, say, show
from miagym.cli.shared.json_progress import JsonProgress
from miagym.cli.shared.targets import (
    BatchSize,
    Compiled,
    Dtype,
    Embedding,
    Lora,
    Posterior,
    Scheduler,
    Vae,
    with_additions,
)


class Shown(StrEnum):
    """How progress is shown."""

    BAR = "bar"
    JSON = "json"


def evaluate(
    target: Annotated[
        list[str],
        typer.Option(help="Embedded name, folder, file or hub id; repeat it for several."),
    ],
    out: Out,
    data: Annotated[
        list[str] | None,
        typer.Option(
            help="Embedded name, parquet file or folder; one for each target. Known if embedded."
        ),
    ] = None,
    attacks: Annotated[
        str,
        typer.Option(
            help="Names with commas, or all; pia(timestep=50) is one under a parameter of yours, "
            "trajectory-* all that match."
        ),
    ] = "all",
    reference: Annotated[
        list[str] | None,
        typer.Option(
            help="Public base of the target, to calibrate by; one for each target, or -. Embedded "
            "targets have one, where an attack calibrates by it."
        ),
    ] = None,
    null: Annotated[
        list[str] | None,
        typer.Option(
            help="A target that saw neither side, or both alike, where attacks must find nothing; "
            "one for each target, or -. Embedded targets have one."
        ),
    ] = None,
    other_generator: Annotated[
        list[str] | None,
        typer.Option(
            help="A different model, asked about the same candidates: what attacks find there, the "
            "split gives, not the target. One for all, or one for each target."
        ),
    ] = None,
    shadows: Annotated[
        list[str] | None,
        typer.Option(
            help="Models trained like the target on known pictures, for attacks as sima+lira: the "
            "folder of a population, or models of `miagym train`; repeatable."
        ),
    ] = None,
    member_value: MemberValue = None,
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
    generated: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Pictures the target generates, to see how many attacks call members; else 20, "
            "where it is told anything.",
        ),
    ] = None,
    seed: Seed = 0,
    batch_size: BatchSize = 64,
    chunk: Annotated[int, typer.Option(min=1, help="Candidates at work at a time.")] = 256,
    lora: Lora = None,
    embedding: Embedding = None,
    vae: Vae = None,
    scheduler: Scheduler = None,
    device: Device = "auto",
    dtype: Dtype = "auto",
    compiled: Compiled = False,
    posterior: Posterior = "mean",
    defence: Annotated[
        str,
        typer.Option(
            help="What is done to the target's pictures before a black box hands them out: round:4 "
            "(bits), jpeg:60, resize:0.5, or several as jpeg:60+resize:0.5."
        ),
    ] = "",
    keep_latents: Annotated[
        str | None,
        typer.Option(help="Folder for what pictures are encoded to, for runs of other attacks."),
    ] = None,
    join: Annotated[
        bool,
        typer.Option(
            "--join", help="Work on a run in --out that other processes have begun, here or there."
        ),
    ] = False,
    together: Annotated[
        bool,
        typer.Option(
            "--together", help="As --join, but begin the run if nobody has: one command for all."
        ),
    ] = False,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="I/N", help="Score one part of the run, for `miagym merge`: 1/4, say."
        ),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(metavar="ray|slurm", help="Have an engine start --jobs that share the run."),
    ] = None,
    jobs: Annotated[int | None, typer.Option(help="Processes that an engine starts.")] = None,
    deadline: Annotated[
        float | None,
        typer.Option(
            help="Seconds that a chunk may take before an engine starts its process anew."
        ),
    ] = None,
    progress_as: Annotated[
        Shown, typer.Option("--progress", help="Bars for people, or JSON lines on stderr.")
    ] = Shown.BAR,
    log: Annotated[
        str | None,
        typer.Option(metavar="TRACKER", help="Log the results to trackio, mlflow or wandb."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run attacks on targets whose members are known, and measure what they find."""
    import miagym
    from miagym.evaluation.config import AUTO

    tracker, tell = None, (lambda sentence: None) if as_json else say
    with ExitStack() as stack:
        if progress_as is Shown.JSON:
            phases = JsonProgress()
            stack.enter_context(phases.failing())
            tell = phases.say
        else:
            phases = stack.enter_context(progress(shown=not as_json))
        if log is not None:  # before anything is scored: what is not installed is said at once
            from miagym.api.tracking import Tracker

            tracker = Tracker(log)
        run = miagym.evaluate(
            with_additions(target, lora, embedding, vae, scheduler),
            data,
            attacks,
            reference=AUTO if reference is None else [_named(name) for name in reference],
            null=AUTO if null is None else [_named(name) for name in null],
            other_generator=other_generator,
            shadows=shadows or (),
            member_value=member_value,
            out=out,
            budget=budget,
            limit=limit,
            generated=generated,
            seed=seed,
            paper=paper,
            chunk=chunk,
            batch_size=batch_size,
            device=device,
            dtype=dtype,
            compiled=compiled,
            posterior=posterior,
            defence=defence,
            keep_latents=keep_latents,
            join="begin" if together else join,
            shard=shard,
            engine=engine,
            jobs=jobs,
            deadline=deadline,
            command=typed_command(),
            progress=phases,
            tell=tell,
        )
    show(run, as_json)
    if tracker and run.rows:
        tracker.log(run)
    if not as_json and run.rows:
        say(f"Report: {out / 'report.html'}")


def _named(name: str) -> str | None:
    return None if name == "-" else name


def typed_command() -> str:
    """The command as it was typed."""
    return shlex.join(["miagym", *sys.argv[1:]])
