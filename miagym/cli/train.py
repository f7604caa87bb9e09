"""`miagym train`: new targets by fine-tuning, and the embedded ones anew."""

from __future__ import annotations

import shlex
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from miagym.cli.shared.console import (
    AsJson,
    Device,
    MemberValue,
    console,
    print_json,
    progress_bar,
    steps,
)
from miagym.errors import RunError


def train(
    out: Annotated[
        Path, typer.Option(help="Folder for what is trained; an unfinished training goes on.")
    ],
    name: Annotated[
        str | None,
        typer.Argument(help="An embedded target, to rebuild it: clipart-overfit, say."),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option("--from", help="Target to fine-tune: embedded name, folder, file or hub id."),
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="Data set whose members it learns: name, parquet or folder.")
    ] = None,
    member_value: MemberValue = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="How often each member is seen; else 100.")
    ] = None,
    checkpoints: Annotated[
        str | None,
        typer.Option(help="Epochs to keep, such as 0,5,20; 0 is the base. Else 0 and halvings."),
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Pictures in a step, at most; else 16.")
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Else 1e-5, and 1e-3 for a small UNet.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of order and noise; else 0.")
    ] = None,
    lora_rank: Annotated[
        int | None,
        typer.Option(min=1, help="Learn a LoRA of this rank, and leave the base as it is."),
    ] = None,
    lora_layers: Annotated[
        str | None,
        typer.Option(help="Which layers the LoRA changes: attention, convolutions or all."),
    ] = None,
    population: Annotated[
        int | None,
        typer.Option(
            min=2, help="Train so many LoRAs, each on a random half of the same pictures."
        ),
    ] = None,
    pictures: Annotated[
        int | None,
        typer.Option(min=8, help="How many a population shares, one of each group; else 80."),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="At most so many members of each part, as `evaluate` picks them."),
    ] = None,
    defence: Annotated[
        str | None,
        typer.Option(help="Against memory of pictures, such as mirror+u-shaped:4 or dp-sgd:8."),
    ] = None,
    others: Annotated[
        str | None,
        typer.Option(help="Data with pictures that are no members, for --defence smp:1."),
    ] = None,
    device: Device = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads.")] = None,
    as_json: AsJson = False,
) -> None:
    """Fine-tune a target on the members of a data set and keep checkpoints, or rebuild one by NAME.

    A stopped training goes on where it was.
    """
    options: dict[str, Any] = {
        "member_value": member_value,
        "epochs": epochs,
        "checkpoints": None if checkpoints is None else _epochs(checkpoints),
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "seed": seed,
        "limit": limit,
        "lora_rank": lora_rank,
        "lora_layers": lora_layers,
        "defence": defence,
        "others": others,
    }
    given = {option: value for option, value in options.items() if value is not None}
    if population is None and pictures is not None:
        raise RunError("--pictures is of a population; give --population too, or leave it out.")
    plans = [base, data, population]
    if name is not None and (given or any(each is not None for each in plans)):
        raise RunError(
            f"{name} is a recipe, with data and epochs of its own; give its name and --out alone, "
            "or no name but --from and --data."
        )
    if defence is not None:
        from miagym.training.defences import TrainingDefence

        given["defence"] = TrainingDefence.named(defence)
    if threads:
        import torch

        torch.set_num_threads(threads)
    if name is not None:
        _rebuild(name, out, device, as_json)
    elif base is not None and data is not None and population is not None:
        given |= {"models": population} | ({} if pictures is None else {"pictures": pictures})
        _train_population(base, data, given, out, device, as_json)
    elif base is not None and data is not None:
        _fine_tune(base, data, given, out, device, as_json)
    else:
        raise RunError(
            "Expected the name of a recipe, such as clipart-overfit, or --from and --data: the "
            "target to fine-tune, and the data set whose members it learns."
        )


def _rebuild(name: str, out: Path, device: str, as_json: bool) -> None:
    from miagym.embedded.recipes import train_target

    with progress_bar(shown=not as_json) as bar:
        folder = train_target(name, out, device, steps(bar))
    if as_json:
        print_json({"name": name, "target": str(folder)})
        return
    console.print(f"{name} is in {folder}; `--target {folder}` evaluates it.", markup=False)


def _fine_tune(
    base: str, data: str, given: dict[str, Any], out: Path, device: str, as_json: bool
) -> None:
    from miagym.targets.registry import checkpoints
    from miagym.training.fine_tune import fine_tune
    from miagym.training.lora import lora_file
    from miagym.training.plan import FineTuning

    plan = replace(FineTuning(base, data), **given)
    with progress_bar(shown=not as_json) as bar:
        fine_tune(plan, out, device, steps(bar))
    command = ["miagym", "evaluate", "--attacks", "loss"]
    kept = [*checkpoints(str(out)), str(out)]
    if plan.lora_rank is not None:
        files = [lora_file(out, epoch) for epoch in plan.kept if epoch]
        kept = [base, *(f"{base}+{file}" for file in (*files, lora_file(out)))]
    for target in kept:
        command += ["--target", target, "--data", data]
    for option in ("member_value", "limit", "seed"):  # so that those are called members who are
        name = option.replace("_", "-")
        command += [f"--{name}", str(given[option])] if option in given else []
    if as_json:
        evaluate = shlex.join(command)
        print_json(
            {"from": base, "data": data, "targets": kept, "evaluate": evaluate} | _guarantee(out)
        )
        return
    if told := _guarantee(out).get("privacy"):
        console.print(
            f"Differentially private: epsilon {told['epsilon']:.2f} at delta {told['delta']:g} for "
            f"each {told['unit']}, against whoever does not know the seed.",
            markup=False,
            soft_wrap=True,
        )
    console.print(f"{base}, fine-tuned on {data}, is in {out}. Epoch by epoch:", markup=False)
    console.print(f"{shlex.join(command)} --out runs/NAME", markup=False, soft_wrap=True)


def _train_population(
    base: str, data: str, given: dict[str, Any], out: Path, device: str, as_json: bool
) -> None:
    from miagym.training.population import PopulationPlan, train_population

    if unused := [name for name in ("checkpoints", "limit", "member_value") if name in given]:
        option = unused[0].replace("_", "-")
        raise RunError(
            f"--{option} has no meaning for a population, which deals pictures by itself and keeps "
            "the last epoch; leave it out."
        )
    plan = replace(PopulationPlan(base, data), **given)
    with progress_bar(shown=not as_json) as bar:
        folders = train_population(plan, out, device, steps(bar))
    first, targets = str(folders[0]), [str(folder) for folder in folders]
    command = ["miagym", "evaluate", "--target", first, "--data", first, "--shadows", str(out)]
    command += ["--attacks", "sima,sima+lira,sima+bavaria"]
    if as_json:
        evaluate = shlex.join(command)
        told = {"from": base, "data": data, "targets": targets, "evaluate": evaluate}
        print_json(told | _guarantee(folders[0]))
        return
    console.print(f"{len(targets)} LoRAs on {base} are in {out}. One of them:", markup=False)
    console.print(f"{shlex.join(command)} --out runs/NAME", markup=False, soft_wrap=True)


def _guarantee(folder: Path) -> dict[str, Any]:
    """What a training guarantees, for `--json`; nothing if it is not private."""
    from miagym.training.record import record_of

    record = record_of(str(folder))
    privacy = None if record is None else record.privacy
    return {} if privacy is None else {"privacy": asdict(privacy)}


def _epochs(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(epoch) for epoch in text.split(","))
    except ValueError as error:
        raise RunError(f"Expected epochs with commas, such as 0,5,10, got {text!r}.") from error
