"""`miagym paper`: the experiments of Dubiński et al. in one command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from miagym.cli.evaluate import typed_command
from miagym.cli.shared.console import Device, Seed, progress, say
from miagym.cli.shared.targets import Dtype


def paper(
    out: Annotated[
        Path, typer.Option(help="Folder of all runs and of the page; what is unfinished goes on.")
    ],
    world: Annotated[
        str, typer.Option(help="embedded, or stable-diffusion: the same under other names.")
    ] = "embedded",
    cost_only: Annotated[
        bool, typer.Option("--cost-only", help="Say what it costs, and stop.")
    ] = False,
    target: Annotated[str | None, typer.Option(help="The large model: folder or hub id.")] = None,
    data: Annotated[
        str | None, typer.Option(help="Its members, and others; else LAION-mi is fetched.")
    ] = None,
    links: Annotated[
        str | None,
        typer.Option(help="Table of links to fetch instead: `url`, `caption` and `member`."),
    ] = None,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Links may lead into a private network.")
    ] = False,
    tune_data: Annotated[
        str | None,
        typer.Option(help="Data like POKEMON, on whose members the model is fine-tuned."),
    ] = None,
    settings: Annotated[
        str | None, typer.Option(help="Names with commas, of the sixteen settings; else all.")
    ] = None,
    draws: Annotated[
        int | None, typer.Option(help="Draws of noise a candidate; the paper's are 5.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(help="At most so many members, and so many non-members.")
    ] = None,
    tune_limit: Annotated[int | None, typer.Option(help="The same of --tune-data.")] = None,
    choose_on: Annotated[
        int | None, typer.Option(help="Members, and non-members, that calibrate.")
    ] = None,
    steps_trained: Annotated[
        int | None, typer.Option(help="Steps of the fine-tuning; the paper's are 30000.")
    ] = None,
    steps_between: Annotated[
        int | None, typer.Option(help="Steps between checkpoints; the paper's are 5000.")
    ] = None,
    generation_steps: Annotated[
        int | None, typer.Option(help="DDIM steps of the black box.")
    ] = None,
    splits: Annotated[
        int | None, typer.Option(help="Random splits of a classifier; the paper's are 100.")
    ] = None,
    chunk: Annotated[int | None, typer.Option(help="Candidates at work at a time.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Latents in one call.")] = None,
    seed: Seed = 0,
    device: Device = "auto",
    dtype: Dtype = "auto",
) -> None:
    """Run the experiments of Dubiński et al. 2024 and set their tables and figures beside ours."""
    from miagym.paper.run import paper_bill, run_paper
    from miagym.paper.worlds import find_world

    chosen = find_world(world).under(
        target=target,
        data=data,
        links=links,
        allow_private=allow_private or None,
        tune_data=tune_data,
        settings=None if settings is None else tuple(settings.split(",")),
        draws=draws,
        limit=limit,
        tune_limit=tune_limit,
        choose_on=choose_on,
        steps_trained=steps_trained,
        steps_between=steps_between,
        generation_steps=generation_steps,
        splits=splits,
        chunk=chunk,
        batch_size=batch_size,
        device=device,
        dtype=dtype,
    )
    said = paper_bill(chosen, out, seed)
    for sentence in said.sentences():
        say(sentence)
    if cost_only:
        return
    with progress() as phases:
        run_paper(
            chosen, out, said=said, seed=seed, command=typed_command(), progress=phases, tell=say
        )
