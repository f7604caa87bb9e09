"""`miagym train` and `miagym art`: the embedded world from its sources."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from miagym.cli.console import Device, console, progress_bar, steps


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
    with progress_bar() as bar:
        folder = train_target(name, out, device, steps(bar))
    console.print(f"{name} is in {folder}; `--target {folder}` evaluates it.", markup=False)


def art(
    source: Annotated[Path, typer.Option(help="Folder with png/ and svg/.")] = Path(
        "/usr/share/openclipart"
    ),
    out: Annotated[Path, typer.Option(help="The parquet file to write.")] = Path("clipart.parquet"),
) -> None:
    """Rebuild the embedded art from Debian's packages openclipart-png and openclipart-svg."""
    from miagym.data.clipart.build import build

    with progress_bar() as bar:
        count = build(
            source, out, lambda drawings, n: bar.track(drawings, n, description="reading")
        )
    for reason, n in count.most_common():
        console.print(f"{n:6,} {reason}")
