"""`miagym page`: the page on this machine; `miagym demo` ends on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from miagym.cli.console import Device, console, say

if TYPE_CHECKING:
    from miagym.app.check.offers import Offer


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
    calibration: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of `miagym calibrate`: offer its model; repeatable."),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(help="Offer this model, calibrated by its --data; repeatable."),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(help="Members of the --target and non-members like them; one for each."),
    ] = None,
    reference: Annotated[
        list[str] | None,
        typer.Option(help="Public base of the --target, or -; one for each if any is given."),
    ] = None,
    device: Device = "auto",
) -> None:
    """Open the page on 127.0.0.1: check an image, evaluate, audit, play.

    Pictures are checked under the embedded models, or under those that you name here.
    """
    from miagym.app.check.offers import named, offered

    models = (*offered(calibration or ()), *named(target or (), data or (), reference or ()))
    open_page(run, first, port, device, models)


def open_page(
    run: Path | None,
    first: str,
    port: int | None = None,
    device: str = "auto",
    models: tuple[Offer, ...] = (),
) -> None:
    """Serves the page until it is stopped; models that cannot be loaded are told and left out.

    Raises:
        RunError: if the folder holds no finished run.
        TargetError: for a device that is not there.
        UnknownName: for a tab that does not exist.
        OSError: if the port is taken.
    """
    if run is not None:  # refused now, and not after Gradio has taken its time
        from miagym.api.run import Run

        Run.open(run)
    from miagym.app.check.offers import EMBEDDED, loadable
    from miagym.app.site import Site
    from miagym.checking.cache import cache_folder
    from miagym.targets.loading.device import choose_device

    choose_device(device)
    offers = loadable(models, device, cache_folder(), say) if models else EMBEDDED
    site = Site(run=run, first=first, device=device, offers=offers)
    from miagym.app.page import build, serve, warm_up

    demo = build(site)
    warm_up(site, demo)
    console.print("The page is being opened; Ctrl-C ends it.")
    serve(demo, server_port=port)
