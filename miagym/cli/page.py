"""`miagym page`: the page on this machine; `miagym demo` ends on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from miagym.cli.console import Device, console


def page(
    run: Annotated[
        Path | None,
        typer.Option(help="Folder of a finished run to open with; by default a demo run."),
    ] = None,
    first: Annotated[
        str, typer.Option(help="Tab that opens first: check, evaluate, audit, play, about.")
    ] = "check",
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="By default a free one from 7860 on.")
    ] = None,
    device: Device = "auto",
) -> None:
    """Open the page on 127.0.0.1: check an image, evaluate, audit, play."""
    open_page(run, first, port, device)


def open_page(run: Path | None, first: str, port: int | None = None, device: str = "auto") -> None:
    """Serves the page until it is stopped.

    Raises:
        RunError: if the folder holds no finished run.
        TargetError: for a device that is not there.
        UnknownName: for a tab that does not exist.
        OSError: if the port is taken.
    """
    if run is not None:  # refused now, and not after Gradio has taken its time
        from miagym.api.run import Run

        Run.open(run)
    from miagym.app.site import Site
    from miagym.targets.loading.device import choose_device

    site = Site(run=run, first=first, device=device)
    choose_device(device)
    from miagym.app.page import build, serve, warm_up

    demo = build(site)
    warm_up(site, demo)
    console.print("The page is being opened; Ctrl-C ends it.")
    serve(demo, server_port=port)
