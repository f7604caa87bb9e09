"""`miagym page`: the page on this machine, or for a class; `miagym demo` ends on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from miagym.cli.shared.console import Device, console, say

if TYPE_CHECKING:
    from miagym.app.offers import Offer


def page(
    run: Annotated[
        Path | None,
        typer.Option(help="Folder of a finished run to open with; by default a demo run."),
    ] = None,
    first: Annotated[
        str,
        typer.Option(
            help="Tab that opens first: check, evaluate, audit, play, about; with a --host-url "
            "leaderboard, too."
        ),
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
    host: Annotated[
        str | None,
        typer.Option(
            help="Address to listen on, by default 127.0.0.1; 0.0.0.0 lets a whole class in."
        ),
    ] = None,
    rows_per_hour: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="UNet rows an hour for each visitor; by default 60,000, and no limit where only "
            "this machine is listened to.",
        ),
    ] = None,
    per_browser: Annotated[
        bool,
        typer.Option(
            "--per-browser",
            help="Each browser is a visitor of its own, as in a class behind one address; by "
            "default each address is.",
        ),
    ] = False,
    host_url: Annotated[
        str | None,
        typer.Option(
            envvar="MIAGYM_HOST_URL",
            help="Address of a `miagym host`, whose leaderboard becomes a tab.",
        ),
    ] = None,
) -> None:
    """Open the page: check an image, evaluate, audit, play; for yourself or a class.

    Pictures are checked under the embedded models, or under those that you name here.
    """
    from miagym.app.offers import distinct, named, offered

    by_folder = offered(calibration or ())
    by_pictures = named(target or (), data or (), reference or ())
    open_page(
        run,
        first,
        port,
        device,
        models=distinct((*by_folder, *by_pictures)),
        host=host,
        rows_per_hour=rows_per_hour,
        per_browser=per_browser,
        host_url=host_url or None,
    )


def open_page(
    run: Path | None,
    first: str,
    port: int | None = None,
    device: str = "auto",
    *,
    models: tuple[Offer, ...] = (),
    host: str | None = None,
    rows_per_hour: int | None = None,
    per_browser: bool = False,
    host_url: str | None = None,
) -> None:
    """Serves the page until it is stopped; models that cannot be loaded are told and left out.

    Raises:
        RunError: if the folder holds no finished run.
        TargetError: for a device that is not there.
        UnknownName: for a tab that does not exist.
        SettingsError: for what is no address of a host.
        OSError: if the port is taken.
    """
    if run is not None:  # refused now, and not after Gradio has taken its time
        from miagym.api.run import Run

        Run.open(run)
    from miagym.app.offers import EMBEDDED, loadable
    from miagym.app.server.rate_limit import Allowance
    from miagym.app.site import Site, default_allowance
    from miagym.checking.cache import cache_folder
    from miagym.targets.loading.device import choose_device

    allowance = default_allowance(host) if rows_per_hour is None else Allowance(rows_per_hour)
    choose_device(device)
    offers = loadable(models, device, cache_folder(), say) if models else EMBEDDED
    site = Site(
        run=run,
        first=first,
        allowance=allowance,
        per_browser=per_browser,
        device=device,
        offers=offers,
        host_url=host_url,
    )
    from miagym.app.page import build, serve, warm_up

    demo = build(site)
    warm_up(site, demo)
    console.print("The page is being opened; Ctrl-C ends it.")
    serve(demo, site, server_port=port, server_name=host)
