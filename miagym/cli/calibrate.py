"""`miagym calibrate`: scores of known members and others, kept for checks and the page."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from miagym.cli.shared.console import AsJson, Device, MemberValue, Seed, print_json, progress, say
from miagym.cli.shared.targets import (
    AskedAccess,
    AskedAttacks,
    BatchSize,
    Dtype,
    Embedding,
    KnownData,
    Lora,
    PublicBase,
    Scheduler,
    Vae,
    base_named,
    with_additions,
)


def calibrate(
    target: Annotated[str, typer.Option(help="Embedded name, folder, file or hub id.")],
    out: Annotated[Path, typer.Option(help="A new folder for the calibration.")],
    data: KnownData = None,
    member_value: MemberValue = None,
    attacks: AskedAttacks = None,
    access: AskedAccess = "grey",
    reference: PublicBase = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many members, and so many non-members.")
    ] = None,
    seed: Seed = 0,
    batch_size: BatchSize = 64,
    lora: Lora = None,
    embedding: Embedding = None,
    vae: Vae = None,
    scheduler: Scheduler = None,
    device: Device = "auto",
    dtype: Dtype = "auto",
    as_json: AsJson = False,
) -> None:
    """Ask a model about known members and others once, and keep what checks need of it.

    The folder holds scores and digests, and none of the pictures.
    """
    import miagym

    with progress(shown=not as_json) as phases:
        found = miagym.calibrate(
            with_additions([target], lora, embedding, vae, scheduler)[0],
            data,
            out=out,
            attacks=attacks,
            access=access,
            reference=base_named(reference),
            member_value=member_value,
            limit=limit,
            seed=seed,
            batch_size=batch_size,
            device=device,
            dtype=dtype,
            progress=phases,
        )
    if as_json:
        print_json(found.as_json())
        return
    say(str(found))
    asked = shlex.join(["--target", found.record.target, "--calibration", str(out)])
    say(f"A check by it: miagym check PICTURE {asked}")
