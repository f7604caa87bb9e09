"""`miagym check`: pictures against unused ones, or against calibration pictures of the target."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from miagym.cli.shared.console import AsJson, Device, MemberValue, progress, say, show
from miagym.cli.shared.targets import (
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


def check(
    pictures: Annotated[list[Path], typer.Argument(help="Pictures, or folders of them.")],
    target: Annotated[str, typer.Option(help="Embedded name, folder, file or hub id.")],
    unused: Annotated[
        list[Path] | None,
        typer.Option(
            help="Pictures like these that were not used, or folders of them; repeatable. Then no "
            "member has to be known."
        ),
    ] = None,
    caption: Annotated[
        str | None, typer.Option(help="Of the one picture; else files beside pictures.")
    ] = None,
    data: KnownData = None,
    member_value: MemberValue = None,
    calibration: Annotated[
        Path | None, typer.Option(help="Folder of `miagym calibrate`, in the place of --data.")
    ] = None,
    attacks: AskedAttacks = None,
    access: Annotated[
        str | None, typer.Option(help="black or grey: which attacks by default, else grey.")
    ] = None,
    reference: PublicBase = None,
    alpha: Annotated[float, typer.Option(help="False positive rate that is allowed.")] = 0.01,
    fdr: Annotated[
        float | None, typer.Option(help="List pictures at this false discovery rate, 0.1 say.")
    ] = None,
    calibration_limit: Annotated[
        int | None,
        typer.Option(min=1, help="At most so many calibration members, and so many non-members."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of noise, order and resampling, 0 if not given.")
    ] = None,
    batch_size: BatchSize = 64,
    out: Annotated[
        Path | None,
        typer.Option(
            help="New folder for evidence to hand on: JSON, a page that prints well, its PDF."
        ),
    ] = None,
    lora: Lora = None,
    embedding: Embedding = None,
    vae: Vae = None,
    scheduler: Scheduler = None,
    device: Device = "auto",
    dtype: Dtype = "auto",
    as_json: AsJson = False,
) -> None:
    """Does a picture score as the target's training pictures do, or as others do?"""
    import miagym
    from miagym.cli.evaluate import typed_command

    if out is not None:
        from miagym.report.evidence.write import check_new_folder

        check_new_folder(out)
    with progress(shown=not as_json) as phases:
        found = miagym.check(
            pictures,
            with_additions([target], lora, embedding, vae, scheduler)[0],
            unused=unused or None,
            caption=caption,
            data=data,
            member_value=member_value,
            calibration=calibration,
            attacks=attacks,
            access=access,
            reference=base_named(reference),
            alpha=alpha,
            fdr=fdr,
            calibration_limit=calibration_limit,
            seed=seed,
            batch_size=batch_size,
            device=device,
            dtype=dtype,
            progress=phases,
        )
    files = [] if out is None else found.save_evidence(out, typed_command())
    show(found, as_json)
    if files and not as_json:
        say(f"Evidence: {', '.join(map(str, files))}.")
        if not any(file.suffix == ".pdf" for file in files):
            say("There is no PDF, which Chrome or Chromium prints; the page prints the same.")
