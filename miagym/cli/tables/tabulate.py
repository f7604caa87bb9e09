"""`miagym tabulate`: what each question answers about each candidate, as a table to play from."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from miagym.cli.shared.console import AsJson, Device, print_json, progress, say


def tabulate(
    out: Annotated[Path, typer.Option(help="File of the table, such as answers.parquet.")],
    target: Annotated[
        str, typer.Option(help="Embedded name, folder, file or hub id.")
    ] = "clipart-overfit",
    data: Annotated[
        str | None, typer.Option(help="Data set or file; known of embedded targets.")
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="A public model that is asked the same beside.")
    ] = None,
    reference_noise: Annotated[
        str, typer.Option(help="Of the reference's pictures: own or shared.")
    ] = "own",
    access: Annotated[str, typer.Option(help="black, grey or white.")] = "black",
    questions: Annotated[
        str | None, typer.Option(help="The menu, with commas; by default all of the access.")
    ] = None,
    splits: Annotated[str, typer.Option(help="Whose candidates, with commas.")] = "train,val,test",
    draws: Annotated[int, typer.Option(min=1, help="Noises of each question.")] = 16,
    budget: Annotated[
        int, typer.Option(min=1, help="Largest budget that will be played, in UNet rows.")
    ] = 120,
    steps: Annotated[int, typer.Option(min=1, help="DDIM steps of a whole text to image.")] = 10,
    guidance_scale: Annotated[float, typer.Option(help="Of pictures; 1 is off.")] = 1.0,
    defence: Annotated[str, typer.Option(help="What is done to pictures, as jpeg:80.")] = "",
    noise_seed: Annotated[int, typer.Option(help="Of the oracle's noise.")] = 0,
    batch_size: Annotated[
        int,
        typer.Option(min=1, help="Rows in one call; with 1 answers are a live game's to the bit."),
    ] = 1,
    pictures: Annotated[
        bool, typer.Option("--pictures", help="Keep the pictures that answer, too.")
    ] = False,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Ask every question of a game once, and keep the answers to play from.

    `gym.make("miagym/Pool-v0", answers=FILE)` then needs no model.
    """
    from miagym.envs.answers.file import write_table
    from miagym.envs.options import PoolOptions
    from miagym.envs.settings import Settings
    from miagym.envs.tables.tabulating import tabulate as ask_all

    options: PoolOptions = {
        "target": target,
        "data": data,
        "reference": reference,
        "reference_noise": reference_noise,
        "access": access,
        "questions": None if questions is None else [one.strip() for one in questions.split(",")],
        "draws": draws,
        "budget": budget,
        "steps": steps,
        "guidance_scale": guidance_scale,
        "defence": defence,
        "noise_seed": noise_seed,
        "batch_size": batch_size,
        "device": device,
    }
    parts = [one.strip() for one in splits.split(",")]
    with progress(shown=not as_json) as phases:
        table = ask_all(
            Settings.of(options, PoolOptions), parts, pictures=pictures, progress=phases
        )
    write_table(table, out)
    record = table.record
    if as_json:
        print_json({"file": str(out), "candidates": len(table.keys), **asdict(record)})
        return
    say(
        f"{len(table.keys):,} candidates, {len(record.questions)} questions, {draws} draws: {out}. "
        f'Play from it: gym.make("miagym/Pool-v0", answers="{out}", budget={budget})'
    )
